"""The `sub` a client is told: the subject itself, or one of its own (OpenID Connect Core §8).

A pairwise one is the subject, encrypted with AES-SIV (RFC 5297) under the client's sector: the same
every time, of no use to compare in another sector, and for us the way back. No table is kept.
"""

from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from idp.clients import Client
from idp.provider import Provider
from idp.vocabulary import SubjectType
from keys import base64url

_LONGEST = 255
"""How long a `sub` may be, in characters (Core §2)."""


def told(provider: Provider, client: Client, subject: str) -> str:
    """The `sub` of `subject` for `client`."""
    if client.subject_type is SubjectType.PUBLIC:
        return subject
    cipher = _cipher(provider.subject_key)
    return base64url.encode(cipher.encrypt(subject.encode(), [sector(client).encode()]))


def recognised(provider: Provider, client: Client, sub: str) -> str | None:
    """The subject that `client` knows as `sub`, or `None` when it cannot be one of its."""
    if not 0 < len(sub) <= _LONGEST:
        return None
    if client.subject_type is SubjectType.PUBLIC:
        return sub
    try:
        sealed = base64url.decode(sub)
        return _cipher(provider.subject_key).decrypt(sealed, [sector(client).encode()]).decode()
    except (ValueError, InvalidTag):
        return None


def sector(client: Client) -> str:
    """The sector identifier (Core §8.1): a host that the client has shown to be its own.

    A client without redirect URIs has that of its keys (CIBA Core 1.0 §4), or is a sector by itself.
    """
    uris = (client.sector_identifier_uri, *client.redirect_uris[:1], client.jwks_uri)
    hosts = (urlsplit(uri).hostname for uri in uris if uri is not None)
    return next((host for host in hosts if host is not None), client.client_id)


@lru_cache(maxsize=1)
def _cipher(key: bytes) -> AESSIV:
    return AESSIV(key)
