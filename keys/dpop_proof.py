"""DPoP proofs of possession (RFC 9449 §4.3): every check that needs no memory of former proofs.

Whoever takes one must also see that it comes only once, and that a nonce in it is its own.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from keys import base64url
from keys.algorithms import EDDSA, ES256, PS256
from keys.compact import TokenError
from keys.presented import verify_self_signed

ALGORITHMS = (ES256.jose, PS256.jose, EDDSA.jose)
"""What a proof may be signed with: those of FAPI 2.0 Security Profile §5.4.1, for everybody."""

OLDEST = timedelta(minutes=5)
AHEAD = timedelta(seconds=60)
REMEMBERED = OLDEST + AHEAD
"""How long after its first use a proof could still be in time (RFC 9449 §11.1)."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


class ProofRefused(TokenError):
    """The proof is not one for this request. Parameter `reason`, in a few English words."""

    code = "token.proof_refused"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that is good but for its being new: thumbprint of the key, its own name, its nonce."""

    jkt: str
    jti: str
    nonce: str | None


def check(
    proof: str,
    *,
    method: str,
    urls: Collection[str],
    now: datetime,
    access_token: str | None = None,
) -> Proof:
    """Check a proof for a request of `method` to one of `urls`, the names of one address.

    With an access token the proof must be for that token (`ath`). Raises `ProofRefused`.
    """
    try:
        claims, jkt = verify_self_signed(proof, algorithms=ALGORITHMS)
    except TokenError as refused:
        raise ProofRefused(reason=refused.code.rpartition(".")[2].replace("_", " ")) from None
    if claims.get("htm") != method:
        raise ProofRefused(reason="htm is another method")
    if _plain(claims.get("htu")) not in {_plain(url) for url in urls}:
        raise ProofRefused(reason="htu is another address")
    _check_age(claims.get("iat"), now)
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        raise ProofRefused(reason="ath is not of the access token")
    return Proof(jkt, _text(claims, "jti"), _text(claims, "nonce") if "nonce" in claims else None)


def token_hash(access_token: str) -> str:
    """Return the `ath` of an access token (RFC 9449 §4.2)."""
    return base64url.encode(hashlib.sha256(access_token.encode()).digest())


def _check_age(made_at: object, now: datetime) -> None:
    # A bool is an int to Python, and not to JSON; a NumericDate may have a fraction (RFC 7519 §2).
    if isinstance(made_at, bool) or not isinstance(made_at, int | float):
        raise ProofRefused(reason="iat is missing or malformed")
    # Compared, not subtracted: a number may be too large for that.
    if made_at > (now + AHEAD).timestamp():
        raise ProofRefused(reason="iat is in the future")
    if made_at <= (now - OLDEST).timestamp():
        raise ProofRefused(reason="iat is too old")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise ProofRefused(reason=f"{name} is missing or malformed")
    return value


def _plain(url: object) -> tuple[str, str, int | None, str] | None:
    """Return what is compared of an address: no query, no fragment, one spelling of the rest.

    RFC 9449 §4.3 item 9 with RFC 3986 §6.2.2 and §6.2.3. None for what is no address.
    """
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        port = parts.port if parts else None
    except ValueError:
        return None
    if parts is None or not parts.hostname or parts.username is not None:
        return None
    path = _ESCAPED.sub(_one_spelling, parts.path) or "/"
    return parts.scheme, parts.hostname, port or _DEFAULT_PORTS.get(parts.scheme), path


def _one_spelling(escaped: re.Match[str]) -> str:
    character = chr(int(escaped[0][1:], 16))
    return character if _UNRESERVED.fullmatch(character) else escaped[0].upper()
