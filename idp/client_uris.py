"""Which URIs a client may register: none that a browser or we ourselves could be led astray by.

What is for the web is https, or http on the loopback, where an app on the person's own device
listens (RFC 8252 §7.3). `javascript:`, `data:` and their like are nowhere allowed.
"""

import re
from urllib.parse import SplitResult, urlsplit

from idp.client_errors import ClientMetadataWrong

LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})

_CHARACTERS = re.compile(r"[!#$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~%]{1,2000}")  # RFC 3986 §2
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")
# RFC 8252 §7.1: a scheme that belongs to somebody is a domain name in reverse order.
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")


def check_web(field: str, uri: str, *, fragment: bool = False) -> None:
    """Raise `ClientMetadataWrong` unless this is a web address; `fragment`: it may have one."""
    parts = _parts(uri)
    if parts is None or ("#" in uri and not fragment) or not _is_web(parts):
        told = "" if fragment else " without a fragment"
        raise ClientMetadataWrong(field=field, reason=f"must be an absolute https URI{told}")


def check_return(field: str, uri: str, *, native: bool) -> None:
    """Raise `ClientMetadataWrong` unless a browser may be sent back there (RFC 6749 §3.1.2).

    A `native` app may have a scheme of its own.
    """
    parts = _parts(uri)
    if native and parts and "#" not in uri and _PRIVATE_SCHEME.fullmatch(parts.scheme):
        return
    check_web(field, uri)


def check_resource(field: str, uri: str) -> None:
    """Raise `ClientMetadataWrong` unless this names a resource (RFC 8707 §2): absolute, no fragment."""
    parts = _parts(uri)
    if parts is None or not parts.scheme or "#" in uri:
        raise ClientMetadataWrong(field=field, reason="must be absolute URIs without a fragment")


def origin(uri: str) -> tuple[str, str]:
    """Return the scheme, and the host with its port."""
    parts = urlsplit(uri)
    return parts.scheme, parts.netloc.lower()


def host(uri: str) -> str:
    """Return the host, "" for a URI without one."""
    return urlsplit(uri).hostname or ""


def _is_web(parts: SplitResult) -> bool:
    name = _host_told(parts)
    if name is None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and name.lower() in LOOPBACK)


def _host_told(parts: SplitResult) -> str | None:
    """Return the host as it is written, `None` when there is none, or a user before it."""
    try:
        port = parts.port
    except ValueError:
        return None
    name = parts.netloc if port is None else parts.netloc.rpartition(":")[0]
    return name if _HOST.fullmatch(name) else None


def _parts(uri: str) -> SplitResult | None:
    # urlsplit drops line breaks and tabs; what was checked must be what is kept.
    if not _CHARACTERS.fullmatch(uri):
        return None
    try:
        return urlsplit(uri)
    except ValueError:
        return None
