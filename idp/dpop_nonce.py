"""Nonces for DPoP proofs (RFC 9449 §8, §9): the name of a span of time that only we can name.

Nothing is stored: a nonce is the MAC of the number of its span, so every process of the service
knows it, and knows when it has lapsed.
"""

import hmac

from idp.fingerprint import fingerprint
from idp.provider import Provider
from keys import base64url

HEADER = "DPoP-Nonce"
SPAN = 300
"""Seconds a nonce is handed out for; it is accepted for as long again."""

_FINGERPRINT = "dpop-nonce"


def current(provider: Provider) -> str:
    """The nonce to hand out now."""
    return _of(provider, _span(provider))


def is_ours(provider: Provider, nonce: str) -> bool:
    """Whether the nonce is that of this span or of the one before."""
    span = _span(provider)
    given = nonce.encode()
    return any(hmac.compare_digest(_of(provider, n).encode(), given) for n in (span, span - 1))


def _span(provider: Provider) -> int:
    return int(provider.clock().timestamp()) // SPAN


def _of(provider: Provider, span: int) -> str:
    return base64url.encode(fingerprint(provider.secret, _FINGERPRINT, str(span)))
