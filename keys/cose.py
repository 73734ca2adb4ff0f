"""COSE_Sign1 (RFC 9052 §4.2) in one deterministic form, small enough for a printed code."""

from dataclasses import dataclass, field
from io import BytesIO

import cbor2

from keys.algorithms import ALGORITHMS, Algorithm
from keys.errors import DomainError
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature
from keys.verify import verify as verify_signature

LARGEST = 4 * 1024
_SIGN1_TAG = 18
_ALG, _KID = 1, 4  # RFC 9052 §3.1
_BY_NUMBER = {a.cose: a for a in ALGORITHMS.values() if a.cose is not None}


class CoseMalformed(DomainError):
    """The bytes are not a COSE_Sign1 in the form `sign1` writes."""

    code = "cose.malformed"


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1, read but not yet checked. `kid` is eight bytes, `kid.hex()` the key's name."""

    kid: bytes
    algorithm: Algorithm
    payload: bytes
    signature: bytes
    to_be_signed: bytes = field(repr=False)


def sign1(payload: bytes, signer: Signer) -> bytes:
    """Return `payload` signed, tagged 18. Raises CoseMalformed for a key COSE has no number for."""
    key = signer.public_key
    if key.algorithm.cose is None:
        raise CoseMalformed(algorithm=key.algorithm.name)
    protected = _protected(key.algorithm.cose, bytes.fromhex(key.kid))
    return _encode(protected, payload, signer.sign(_to_be_signed(protected, payload)))


def read(data: bytes) -> Sign1:
    """Read a COSE_Sign1. Raises CoseMalformed unless the bytes are exactly what `sign1` would write."""
    if len(data) > LARGEST:
        raise CoseMalformed(length=len(data))
    try:
        message = cbor2.load(BytesIO(data))
        protected, unprotected, payload, signature = message.value
        header = cbor2.loads(protected)
        algorithm, kid = _BY_NUMBER[header[_ALG]], header[_KID]
        # Written again it must be the same bytes: no second form, no stowaway, nothing behind it.
        same = _encode(_protected(algorithm.cose, kid), payload, signature) == data
    except (cbor2.CBORError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise CoseMalformed(length=len(data)) from None
    if not same or unprotected or not all(isinstance(b, bytes) for b in (kid, payload, signature)):
        raise CoseMalformed(length=len(data))
    return Sign1(kid, algorithm, payload, signature, _to_be_signed(protected, payload))


def verify(sign1: Sign1, key: PublicKey) -> None:
    """Check the signature by `key`, which must be the one named. Raises BadSignature."""
    if sign1.algorithm is not key.algorithm or sign1.kid.hex() != key.kid:
        raise BadSignature(kid=key.kid)
    verify_signature(key, sign1.to_be_signed, sign1.signature)


def _protected(number: int | None, kid: bytes) -> bytes:
    return cbor2.dumps({_ALG: number, _KID: kid}, canonical=True)


def _encode(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    return cbor2.dumps(
        cbor2.CBORTag(_SIGN1_TAG, [protected, {}, payload, signature]), canonical=True
    )


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    # RFC 9052 §4.4: Sig_structure, no external data.
    return cbor2.dumps(["Signature1", protected, b"", payload], canonical=True)
