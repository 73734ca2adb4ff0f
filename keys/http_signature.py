"""Requests signed by the one who sends them, and checked by the one who is asked (RFC 9421).

One profile of the RFC and no other: the method, the whole address and the digest of the body
(RFC 9530) are covered, each signature has its moment and a nonce of its own.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from keys.algorithms import EDDSA, ES256, Algorithm
from keys.errors import DomainError
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature, verify

TOLERANCE = timedelta(seconds=60)
"""How far the two clocks may be apart, the way of the request included."""

_ALGORITHMS: Mapping[Algorithm, str] = MappingProxyType(
    {ES256: "ecdsa-p256-sha256", EDDSA: "ed25519"}
)
"""The registered names (RFC 9421 §6.2.2) of those that we sign requests with."""

_COVERED = '("@method" "@target-uri" "content-digest")'
_INPUT = re.compile(
    rf"yinxin=({re.escape(_COVERED)};created=(?P<created>[0-9]{{1,12}})"
    r';keyid="(?P<kid>[A-Za-z0-9_-]{1,128})";alg="(?P<alg>[a-z0-9-]{1,32})"'
    r';nonce="(?P<nonce>[A-Za-z0-9_-]{16,128})")'
)
_SIGNATURE = re.compile(r"yinxin=:([A-Za-z0-9+/]+={0,2}):")


class RequestSignatureWrong(DomainError):
    """The request is not signed, not as agreed, not over this body, or not by a key that may call."""

    code = "request_signature.wrong"


class RequestSignatureStale(DomainError):
    """The signature is of another time: the request was kept, or a clock is wrong."""

    code = "request_signature.stale"


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """A good signature: by which key, made when, with which nonce; who was asked takes a nonce once."""

    kid: str
    nonce: str
    created: datetime


def sign_request(
    signer: Signer, method: str, url: str, body: bytes, *, now: datetime, nonce: str
) -> dict[str, str]:
    """Return the headers that sign a request; `nonce` is 16 to 128 characters of base64url."""
    key = signer.public_key
    parameters = (
        f'{_COVERED};created={int(now.timestamp())};keyid="{key.kid}"'
        f';alg="{_ALGORITHMS[key.algorithm]}";nonce="{nonce}"'
    )
    digest = _digest(body)
    signature = signer.sign(_base(method, url, digest, parameters))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"yinxin={parameters}",
        "Signature": f"yinxin=:{base64.b64encode(signature).decode()}:",
    }


def check_request(
    keys: Mapping[str, PublicKey],
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
) -> RequestSignature:
    """Check the signature of a request; `headers` has lower-case names, `keys` who may call, by kid.

    Raises RequestSignatureWrong, RequestSignatureStale.
    """
    told = _INPUT.fullmatch(headers.get("signature-input", ""))
    signature = _SIGNATURE.fullmatch(headers.get("signature", ""))
    if told is None or signature is None:
        raise RequestSignatureWrong
    key, digest = keys.get(told["kid"]), _digest(body)
    if key is None or told["alg"] != _ALGORITHMS.get(key.algorithm):
        raise RequestSignatureWrong
    if not hmac.compare_digest(headers.get("content-digest", "").encode(), digest.encode()):
        raise RequestSignatureWrong
    try:
        verify(key, _base(method, url, digest, told[1]), base64.b64decode(signature[1]))
    except (BadSignature, ValueError):
        raise RequestSignatureWrong from None
    created = datetime.fromtimestamp(int(told["created"]), UTC)
    if abs(now - created) > TOLERANCE:
        raise RequestSignatureStale
    return RequestSignature(key.kid, told["nonce"], created)


def _digest(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def _base(method: str, url: str, digest: str, parameters: str) -> bytes:
    """Return what is signed (RFC 9421 §2.5)."""
    lines = (
        f'"@method": {method}',
        f'"@target-uri": {url}',
        f'"content-digest": {digest}',
        f'"@signature-params": {parameters}',
    )
    return "\n".join(lines).encode()
