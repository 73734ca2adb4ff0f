"""What a TLS proxy in front of us tells of the caller, believed from the proxies we trust alone.

The headers are taken out of every request, whoever sent it: nothing behind this reads them.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote

from cryptography import x509
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import problem
from service.settings import Network

Address = IPv4Address | IPv6Address
_FOR = "X-Forwarded-For"
_SCHEME = "X-Forwarded-Proto"
_HOST = "X-Forwarded-Host"
_PORT = "X-Forwarded-Port"
_FORWARDED = (_FOR, _SCHEME, _HOST, _PORT)
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_HOST_FORM = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_PEM = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")


class CertificateUnreadable(ValueError):
    """A trusted proxy hands on a client certificate in no form we know."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """Puts the caller's own address, scheme, host and certificate where the apps look for them.

    `client_certificate` in the scope's state is the DER of the certificate, or is not there.
    """

    app: ASGIApp
    trusted: tuple[Network, ...]
    certificate_header: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope)
        scope = {**scope, "headers": self._without_ours(scope)}
        peer = _address((scope.get("client") or ("",))[0])
        if peer is not None and self._is_trusted(peer):
            try:
                self._believe(scope, told, peer)
            except CertificateUnreadable:
                await problem(Request(scope), "request.certificate")(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _without_ours(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        taken = {name.lower().encode() for name in (*_FORWARDED, self.certificate_header)}
        return [(name, value) for name, value in scope["headers"] if name.lower() not in taken]

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self.trusted)

    def _believe(self, scope: Scope, told: Headers, peer: Address) -> None:
        scope["client"] = (str(self._caller(_listed(told, _FOR), peer)), 0)
        scheme = _nearest(told, _SCHEME)
        if scheme in _DEFAULT_PORTS:
            scope["scheme"] = scheme
        host = _host(_nearest(told, _HOST), _nearest(told, _PORT), scope["scheme"])
        if host:
            MutableHeaders(scope=scope)["Host"] = host
        certificate = read_certificate(_only(told, self.certificate_header))
        if certificate is not None:
            scope["state"] = {**scope.get("state", {}), "client_certificate": certificate}

    def _caller(self, hops: list[str], peer: Address) -> Address:
        """The nearest address that is no proxy of ours: further ones anybody can have written."""
        nearest = peer
        for hop in reversed(hops):
            address = _address(hop)
            if address is None or not self._is_trusted(nearest):
                break
            nearest = address
        return nearest


def read_certificate(value: str) -> bytes | None:
    """Return the DER of a client certificate as a proxy hands it on; None for an empty value.

    `:base64:` (RFC 9440 §2.2) or PEM with percent-encoding, as nginx writes it. Raises
    `CertificateUnreadable`.
    """
    if not value:
        return None
    text = unquote(value).strip()
    first, last = _PEM if text.startswith(_PEM[0]) else (":", ":")
    if len(text) < 2 or not text.startswith(first) or not text.endswith(last):
        raise CertificateUnreadable
    inside = "".join(text.removeprefix(first).removesuffix(last).split())
    try:
        der = base64.b64decode(inside, validate=True)
        x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError):
        raise CertificateUnreadable from None
    return der


def _only(told: Headers, name: str) -> str:
    values = told.getlist(name)
    if len(values) > 1:
        raise CertificateUnreadable
    return values[0].strip() if values else ""


def _listed(told: Headers, name: str) -> list[str]:
    return [part.strip() for part in ",".join(told.getlist(name)).split(",")]


def _nearest(told: Headers, name: str) -> str:
    """Return what the proxy next to us said: each appends to what it got."""
    return _listed(told, name)[-1]


def _host(host: str, port: str, scheme: str) -> str:
    """Return the host to put in place, with the port where it is not told by the scheme."""
    if not _HOST_FORM.fullmatch(host):
        return ""
    has_port = host.rpartition("]")[2].rpartition(":")[1]
    if has_port or not port.isdecimal() or port == _DEFAULT_PORTS.get(scheme):
        return host
    return f"{host}:{port}"


def _address(text: str) -> Address | None:
    """Return an address, its port left off; one of version 4 written as version 6 is version 4."""
    bare = text[1:].partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
