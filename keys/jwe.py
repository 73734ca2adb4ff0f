"""Encrypted tokens (RFC 7516): to a client's key, and to ours; joserfc is imported here alone.

joserfc does the cryptography of RFC 7518 §4 and §5. What is accepted is decided here first: the two
tables, no compression (RFC 8725 §3.6), nothing critical, no key of the sender's choosing but the
ephemeral one. Our private key stays behind its Opener, which agrees on the shared secret.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, import_key

from keys.ciphertext import CiphertextRefused
from keys.compact import (
    TokenMalformed,
    TokenUnreadable,
    TokenWrongType,
    check_texts,
    parts,
    strangers_header,
    told,
)
from keys.curves import P256, KeyMalformed
from keys.jwk import is_secret, key_set, possible_keys, required_members
from keys.opener import Opener

KEY_MANAGEMENT: Mapping[str, str] = {
    "RSA-OAEP": "RSA",
    "RSA-OAEP-256": "RSA",
    "ECDH-ES": "EC",
    "ECDH-ES+A128KW": "EC",
    "ECDH-ES+A256KW": "EC",
}
"""The `alg` values (RFC 7518 §4.1) and the `kty` of the keys they take. Not RSA1_5 (RFC 8725 §3.2)."""

AGREEMENTS = frozenset(alg for alg, kty in KEY_MANAGEMENT.items() if kty == "EC")
"""Those with which others encrypt to us: our keys are P-256."""

CONTENT_ENCRYPTION = ("A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512")
"""The `enc` values (RFC 7518 §5.1)."""

LARGEST_ENCRYPTED = 32 * 1024
"""Default limit, in characters, of a token that somebody encrypted to us."""

_CURVES = ("P-256", "P-384", "P-521")

# RFC 7516 §4.1.3 and §4.1.13, RFC 8725 §3.10; compression has no end one could see beforehand.
_REFUSED = frozenset({"zip", "crit", "b64", "jwk", "jku", "x5u", "x5c"})


@dataclass(frozen=True, slots=True)
class Decrypted:
    """What was in an encrypted token, and its header. Anyone can encrypt: neither says by whom."""

    header: Mapping[str, Any]
    payload: bytes


def recipient_key(jwks: Mapping[str, object], alg: str) -> Mapping[str, object]:
    """Return the key of a client's JWK Set to encrypt to with `alg`, one for encryption (`use`) first.

    Raises KeyMalformed when there is none, or when any key of the set is private or shared.
    """
    fitting = [key for key in key_set(jwks) if _fits(key, alg)]
    if not fitting:
        raise KeyMalformed(curve=told(alg))
    return min(fitting, key=lambda key: "use" not in key)


def encrypt(
    payload: bytes | str, to_jwk: Mapping[str, object], alg: str, enc: str, cty: str | None
) -> str:
    """Return a compact JWE of `payload` to a public JWK, its `kid`, if any, in the header.

    `cty` is `JWT` for a token within (RFC 7519 §5.2), None for plain content. Raises TokenWrongType
    for an `alg` or `enc` that is not in the tables; KeyMalformed when the key is not for `alg`,
    private or not sound; KeyWeak.
    """
    members = {"alg": alg, "enc": enc, "kid": to_jwk.get("kid"), "cty": cty}
    header = {name: value for name, value in members.items() if value is not None}
    _check_algorithms(header, KEY_MANAGEMENT, CONTENT_ENCRYPTION)
    if is_secret(to_jwk) or not _fits(to_jwk, alg):
        raise KeyMalformed(curve=told(alg))
    try:
        key = import_key(_sound(to_jwk))
        return jwe.encrypt_compact(header, payload, key, algorithms=[alg, enc])
    except (JoseError, ValueError):
        raise KeyMalformed(curve=told(alg)) from None


def key_id(token: str, *, largest: int = LARGEST_ENCRYPTED) -> str:
    """Return the kid of the key that a token says it is encrypted to, "" without one.

    Use it to look up the opener. Raises TokenMalformed.
    """
    return str(_header(token, largest).get("kid", ""))


def decrypt(
    token: str,
    opener: Opener,
    *,
    algorithms: Collection[str] = AGREEMENTS,
    encodings: Collection[str] = CONTENT_ENCRYPTION,
    largest: int = LARGEST_ENCRYPTED,
) -> Decrypted:
    """Open a compact JWE that was encrypted to the P-256 key of `opener`.

    `algorithms` and `encodings` narrow the `alg` and `enc` that are taken. Raises TokenMalformed;
    TokenWrongType for another `alg` or `enc`; TokenUnreadable, which does not say why; KeyMalformed
    for an opener of another kind.
    """
    header = _header(token, largest)
    allowed = AGREEMENTS.intersection(algorithms)
    _check_algorithms(header, allowed, frozenset(CONTENT_ENCRYPTION).intersection(encodings))
    registry = jwe.JWERegistry(algorithms=[header["alg"], header["enc"]], strict_check_header=False)
    registry.max_ciphertext_length = largest
    _check_ephemeral(header.get("epk"))
    key = _OpenersKey.of(opener)
    try:
        content = jwe.decrypt_compact(token, key, registry=registry)
    except (JoseError, ValueError, CiphertextRefused):
        raise TokenUnreadable from None
    return Decrypted(header, content.plaintext or b"")


class _OpenersKey(ECKey):
    """An Opener in the shape joserfc asks for: it agrees on a secret and shows no key."""

    _opener: Opener

    @classmethod
    def of(cls, opener: Opener) -> "_OpenersKey":
        """Return the key. Raises KeyMalformed for an opener that is not P-256."""
        point = b"\4" + P256.point(opener.public_key.spki)
        key = cls.import_key(EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point))
        key._opener = opener
        return key

    def exchange_derive_key(self, key: ECKey) -> bytes:
        """Return the secret shared with the ephemeral key (RFC 7518 §4.6)."""
        point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return self._opener.open(point[1:])


def _header(token: str, largest: int) -> dict[str, Any]:
    header = strangers_header(parts(token, 5, largest)[0], _REFUSED)
    check_texts(header, ("apu", "apv"))
    return header


def _check_algorithms(
    header: Mapping[str, Any], algorithms: Collection[str], encodings: Collection[str]
) -> None:
    for value, allowed in ((header["alg"], algorithms), (header.get("enc", ""), encodings)):
        if value not in allowed:
            raise TokenWrongType(algorithm=told(value))


def _check_ephemeral(epk: object) -> None:
    """Raise TokenMalformed unless it is a sound public key on the curve of ours."""
    if not isinstance(epk, dict) or is_secret(epk) or epk.get("crv") != P256.jose:
        raise TokenMalformed
    try:
        possible_keys(required_members(epk))
    except KeyMalformed:
        raise TokenMalformed from None


def _fits(jwk: Mapping[str, object], alg: str) -> bool:
    """Say whether a client's key is of the kind for `alg`, and not for something else."""
    kind = KEY_MANAGEMENT.get(alg)
    return (
        jwk.get("kty") == kind
        and (kind != "EC" or jwk.get("crv") in _CURVES)
        and jwk.get("use", "enc") == "enc"
        and jwk.get("alg", alg) == alg
    )


def _sound(jwk: Mapping[str, object]) -> dict[str, str | list[str]]:
    """Return what makes the key; joserfc itself sees to the curves that we do not sign on."""
    members = required_members(jwk)
    if members.get("crv") in (None, P256.jose):
        possible_keys(members)
    return {**members}
