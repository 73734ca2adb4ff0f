"""The envelope for those without SM2: a JWS (RFC 7515) in a JWE (RFC 7516), ECDH-ES with A256GCM.

Written out here because the libraries ask for the private key itself, and ours are behind an
Opener; in the tests joserfc opens what we seal and seals what we open.
"""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from keys import jose
from keys.algorithms import ES256
from keys.ciphertext import CiphertextRefused
from keys.curves import P256, KeyMalformed
from keys.envelope_letter import (
    EnvelopeMalformed,
    EnvelopeNotForUs,
    EnvelopeTampered,
    EnvelopeUnknownSender,
)
from keys.opener import Opener
from keys.signer import PublicKey, Signer
from keys.software_opener import SoftwareOpener
from keys.software_signer import generate

CONTENT_TYPE = "application/yinxin-letter"
"""The `cty` of the JWS, so that it cannot be taken for another thing its key signed."""

_ALG, _ENC = "ECDH-ES", "A256GCM"
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16
_MEMBERS = {"alg", "enc", "cty", "kid", "epk"}

Random = Callable[[int], bytes]


def seal(letter: bytes, signer: Signer, receiver: PublicKey, random: Random) -> bytes:
    """Return the letter signed, and encrypted to a P-256 key, as a compact JWE in ASCII."""
    token = jose.sign_bytes(letter, signer, CONTENT_TYPE)
    ephemeral = SoftwareOpener(generate(ES256, random))
    header = _encode(json.dumps(_header(receiver.kid, ephemeral.public_key)).encode())
    key = _derive(ephemeral.open(P256.point(receiver.spki)))
    nonce = random(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, token.encode(), header)
    parts = (nonce, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
    # The second part, an encrypted key, is empty with ECDH-ES (RFC 7518 §4.6).
    return b".".join((header, b"", *map(_encode, parts)))


def unseal(envelope: bytes, opener: Opener, senders: Mapping[str, PublicKey]) -> tuple[str, bytes]:
    """Return the sender's kid and the letter. Raises an EnvelopeError."""
    token = _decrypt(envelope, opener).decode("ascii", "replace")
    # Twice the envelope is more than any token that came out of it.
    largest = 2 * len(envelope)
    try:
        sender = jose.key_id(token, largest=largest)
        letter = jose.verify_bytes(token, senders, content_type=CONTENT_TYPE, largest=largest)
    except jose.TokenMalformed:
        raise EnvelopeMalformed from None
    except jose.TokenUnknownKey as unknown:
        raise EnvelopeUnknownSender(**unknown.parameters) from None
    except jose.TokenError:
        raise EnvelopeTampered from None
    return sender, letter


def _decrypt(envelope: bytes, opener: Opener) -> bytes:
    try:
        header, locked, *rest = envelope.split(b".")
        nonce, ciphertext, tag = map(_decode, rest)
        told = json.loads(_decode(header))
        members, alg, enc = set(told), told["alg"], told["enc"]
        kid, cty, ephemeral = told["kid"], told["cty"], jose.public_key_from_jwk(told["epk"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, KeyMalformed):
        raise EnvelopeMalformed from None
    # Nothing is understood that is not here: no `zip`, no `crit`, no second algorithm (RFC 8725 §3.1).
    if (members, alg, enc, cty, locked) != (_MEMBERS, _ALG, _ENC, "JOSE", b""):
        raise EnvelopeMalformed
    if (len(nonce), len(tag)) != (_NONCE_BYTES, _TAG_BYTES) or ephemeral.algorithm is not ES256:
        raise EnvelopeMalformed
    if kid != opener.public_key.kid:
        raise EnvelopeNotForUs
    try:
        key = _derive(opener.open(P256.point(ephemeral.spki)))
        return AESGCM(key).decrypt(nonce, ciphertext + tag, header)
    except (CiphertextRefused, InvalidTag):
        raise EnvelopeTampered from None


def _header(receiver: str, ephemeral: PublicKey) -> dict[str, Any]:
    whole = jose.jwk(ephemeral)
    # The key itself and nothing about it (RFC 7518 §4.6.1.1).
    epk = {member: whole[member] for member in ("kty", "crv", "x", "y")}
    return {"alg": _ALG, "enc": _ENC, "cty": "JOSE", "kid": receiver, "epk": epk}


def _derive(shared: bytes) -> bytes:
    """Return the content key of a shared secret (RFC 7518 §4.6.2), with nothing about the parties."""
    algorithm = len(_ENC).to_bytes(4) + _ENC.encode()
    about = algorithm + bytes(4) + bytes(4) + (8 * _KEY_BYTES).to_bytes(4)
    return ConcatKDFHash(SHA256(), _KEY_BYTES, about).derive(shared)


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    data = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    if _encode(data) != text:
        raise ValueError("not the canonical form (RFC 4648 §3.5)")
    return data
