"""Keys in a PKCS#11 token: P-256 and RSA keys that sign there, AES keys that wrap what is kept here.

No token speaks SM2 through PKCS#11 (there is no mechanism for it), so SM2 keys stay wrapped in the
database, under a key-encryption key that a token keeps wrapped in its turn.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import (
    MGF,
    Attribute,
    EncryptedDataInvalid,
    EncryptedDataLenRange,
    GCMParams,
    GeneralError,
    KeyType,
    Mechanism,
    MechanismFlag,
    ObjectClass,
    Session,
)
from pkcs11 import PublicKey as PublicObject
from pkcs11.types import DecryptMixin, EncryptMixin, SignMixin
from pkcs11.util.ec import encode_named_curve_parameters

from keys.algorithms import ES256, PS256, RS256, Algorithm
from keys.curves import FIELD_BYTES
from keys.key_token import TokenAlgorithmRefused, TokenKey, TokenKeyMissing
from keys.pkcs11_device import Device, Opened
from keys.signer import PublicKey, Signer
from keys.wrapping import Random, SecretUnreadable

RSA_BITS = 3072
_HANDLE_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_VERSION = b"\x01"

_STAYS_INSIDE = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
_SIGNS = MechanismFlag.SIGN | MechanismFlag.VERIFY
_WRAPS = MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT


class Pkcs11Token:
    """A KeyToken behind PKCS#11. Asks the token nothing before the first key is needed."""

    def __init__(self, module: str, token: str, pin: str, random: Random = os.urandom) -> None:
        """Take the module's path, the token's label and its user's PIN, which is never shown."""
        self._device = Device(module, token, pin)
        self._random = random

    def make(self, algorithm: Algorithm, label: str) -> TokenKey:
        """Make a key that can sign and nothing else, and that never leaves the token.

        Raises TokenAlgorithmRefused, TokenUnavailable, TokenPinRefused.
        """
        kind = _KINDS.get(algorithm.name)
        if kind is None:
            raise TokenAlgorithmRefused(algorithm=algorithm.name)
        handle = self._random(_HANDLE_BYTES).hex()

        def make(opened: Opened) -> bytes:
            # What an attempt that was cut off may have left.
            opened.erase(handle)
            return kind.make(opened.session, bytes.fromhex(handle), label)

        return TokenKey(handle, self._device.ask(make))

    def signer(self, handle: str, key: PublicKey) -> Signer:
        """Return the signer of the key under `handle`. Raises TokenAlgorithmRefused."""
        kind = _KINDS.get(key.algorithm.name)
        if kind is None:
            raise TokenAlgorithmRefused(algorithm=key.algorithm.name)
        return TokenSigner(self._device, handle, key, kind.sign)

    def destroy(self, handle: str) -> None:
        """Erase both halves of the key; none there is none to erase."""

        def erase(opened: Opened) -> None:
            if not opened.erase(handle):
                raise TokenKeyMissing(handle=handle)

        with suppress(TokenKeyMissing):
            self._device.ask(erase)

    def handles(self) -> frozenset[str]:
        """Return the handles of all private keys in the token."""
        private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        # What a session from before does not see may be there.
        self._device.close()
        return self._device.ask(
            lambda opened: frozenset(
                each[Attribute.ID].hex() for each in list(opened.session.get_objects(private))
            )
        )

    def wrap_kek(self, kek: bytes) -> bytes:
        """Wrap a key-encryption key under a new AES key that never leaves the token.

        Returns version ‖ handle ‖ nonce ‖ ciphertext ‖ tag (AES-256-GCM), to be kept in a file.
        """
        handle, nonce = self._random(_HANDLE_BYTES), self._random(_NONCE_BYTES)
        parameters = GCMParams(nonce, aad=handle)

        def wrap(opened: Opened) -> bytes:
            opened.erase(handle.hex())
            _make_aes(opened.session, handle)
            key = opened.key(handle.hex(), EncryptMixin)
            return _whole(key.encrypt(kek, mechanism=Mechanism.AES_GCM, mechanism_param=parameters))

        return _VERSION + handle + nonce + self._device.ask(wrap)

    def unwrap_kek(self, blob: bytes) -> bytes:
        """Return the key-encryption key. Raises SecretUnreadable, TokenKeyMissing and the device's."""
        handle = blob[1 : 1 + _HANDLE_BYTES]
        nonce, sealed = _split(blob[1 + _HANDLE_BYTES :], _NONCE_BYTES)
        if blob[:1] != _VERSION or len(sealed) <= _TAG_BYTES:
            raise SecretUnreadable
        parameters = GCMParams(nonce, aad=handle)

        def unwrap(opened: Opened) -> bytes:
            key = opened.key(handle.hex(), DecryptMixin)
            try:
                return _whole(
                    key.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=parameters)
                )
            except _CHANGED:
                raise SecretUnreadable from None

        return self._device.ask(unwrap)

    def close(self) -> None:
        """Let go of the token, before the process ends; a later use opens it anew."""
        self._device.close()

    def __repr__(self) -> str:
        return f"Pkcs11Token({self._device!r})"


Sign = Callable[[SignMixin, bytes], bytes]


class TokenSigner:
    """A Signer whose key is in a token; usable from any thread, one signature at a time."""

    __slots__ = ("_device", "_handle", "_public_key", "_sign")

    def __init__(self, device: Device, handle: str, key: PublicKey, sign: Sign) -> None:
        self._device = device
        self._handle = handle
        self._public_key = key
        self._sign = sign

    @property
    def public_key(self) -> PublicKey:
        """The public half, as it was told when the key was made."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`: r‖s, 64 bytes, or RSA's own.

        Raises TokenUnavailable, TokenPinRefused, TokenKeyMissing.
        """
        return self._device.ask(
            lambda opened: self._sign(opened.key(self._handle, SignMixin), message)
        )

    def __repr__(self) -> str:
        return f"TokenSigner({self._public_key.kid}, {self._public_key.algorithm.name})"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a token makes keys of an algorithm (told as SubjectPublicKeyInfo), and signs with them."""

    make: Callable[[Session, bytes, str], bytes]
    sign: Sign


def _make_p256(session: Session, identity: bytes, label: str) -> bytes:
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
    public, _ = parameters.generate_keypair(
        id=identity, label=label, store=True, capabilities=_SIGNS, private_template=_STAYS_INSIDE
    )
    return _p256_spki(public)


def _p256_spki(public: PublicObject) -> bytes:
    # Some tokens give 04‖x‖y, most of them that in a DER OCTET STRING (PKCS#11 v3.1 §6.3.3).
    point = public[Attribute.EC_POINT][-(1 + 2 * FIELD_BYTES) :]
    return _spki(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point))


def _make_rsa(session: Session, identity: bytes, label: str) -> bytes:
    public, _ = session.generate_keypair(
        KeyType.RSA,
        RSA_BITS,
        id=identity,
        label=label,
        store=True,
        capabilities=_SIGNS,
        private_template=_STAYS_INSIDE,
    )
    e = int.from_bytes(public[Attribute.PUBLIC_EXPONENT])
    n = int.from_bytes(public[Attribute.MODULUS])
    return _spki(rsa.RSAPublicNumbers(e, n).public_key())


def _spki(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _sign_es256(key: SignMixin, message: bytes) -> bytes:
    # Hashed here: CKM_ECDSA_SHA256 is one that many tokens do not have.
    raw = key.sign(hashlib.sha256(message).digest(), mechanism=Mechanism.ECDSA)
    # Halves of one length, which a token may write without their leading zeros (§6.3.1).
    r, s = _split(raw, len(raw) // 2)
    return r.rjust(FIELD_BYTES, b"\0") + s.rjust(FIELD_BYTES, b"\0")


def _sign_rs256(key: SignMixin, message: bytes) -> bytes:
    return key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS)


def _sign_ps256(key: SignMixin, message: bytes) -> bytes:
    # RFC 7518 §3.5: MGF1 with the same hash, and a salt of its length.
    parameters = (Mechanism.SHA256, MGF.SHA256, hashlib.sha256().digest_size)
    return key.sign(message, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=parameters)


_KINDS: Mapping[str, _Kind] = {
    ES256.name: _Kind(_make_p256, _sign_es256),
    RS256.name: _Kind(_make_rsa, _sign_rs256),
    PS256.name: _Kind(_make_rsa, _sign_ps256),
}

# What tokens say to a wrong tag; the session and the key were good, or the device says otherwise.
_CHANGED = (EncryptedDataInvalid, EncryptedDataLenRange, GeneralError)


def _make_aes(session: Session, identity: bytes) -> None:
    session.generate_key(
        KeyType.AES,
        256,
        id=identity,
        label="key-encryption key",
        store=True,
        capabilities=_WRAPS,
        template=_STAYS_INSIDE,
    )


def _whole(output: bytes | Iterator[bytes]) -> bytes:
    return output if isinstance(output, bytes) else b"".join(output)


def _split(blob: bytes, at: int) -> tuple[bytes, bytes]:
    return blob[:at], blob[at:]
