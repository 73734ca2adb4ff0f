"""Private keys as others hand them over: PKCS#8 (RFC 5958), PEM or DER, encrypted or not.

What comes out has this package's one shape: whatever the file said about the public half was
checked against the private one and computed anew.
"""

from asn1crypto import pem
from asn1crypto.keys import PrivateKeyInfo
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.curves import SM2, KeyMalformed
from keys.der import oid
from keys.pbes2 import decrypt, is_encrypted, is_plain
from keys.software_signer import (
    PrivateMaterial,
    SoftwareSigner,
    ec_material,
    ed25519_pkcs8,
    rsa_pkcs8,
)

_LARGEST = 64 * 1024
_LABELS = {"PRIVATE KEY": False, "ENCRYPTED PRIVATE KEY": True}
_ONLY_PSS = oid(PS256.signature_oid)
_HEADER = 32  # the algorithm of a PrivateKeyInfo stands within these
_SM2_CURVE = "1.2.156.10197.1.301"


def is_locked(pkcs8: bytes) -> bool:
    """Say whether a private key file needs a passphrase. Raises KeyMalformed."""
    return is_encrypted(_der(pkcs8))


def private_material(
    pkcs8: bytes, passphrase: bytes | None = None, algorithm: Algorithm | None = None
) -> PrivateMaterial:
    """Read a private key of any kind in the algorithm table; a file may hold one key and no more.

    An RSA key is for RS256 unless told PS256, or marked so (RFC 4055 §1.2). A passphrase that is not
    needed is not used. Raises KeyMalformed, also when the key is not one for `algorithm`; KeyWeak;
    WrongPassphrase; KeyCipherRefused.
    """
    der = _der(pkcs8)
    material = _material(decrypt(der, passphrase) if is_encrypted(der) else der)
    if algorithm is PS256 and material.algorithm is RS256:
        material = PrivateMaterial(PS256, material.pkcs8)
    if algorithm not in (None, material.algorithm):
        raise KeyMalformed(curve=material.algorithm.key_type)
    SoftwareSigner(material)  # weak keys are refused before anybody keeps them
    return material


def _der(data: bytes) -> bytes:
    if len(data) > _LARGEST:
        raise KeyMalformed(curve="")
    if not pem.detect(data):
        return data
    try:
        blocks = list(pem.unarmor(data, multiple=True))
    except ValueError:
        raise KeyMalformed(curve="") from None
    if len(blocks) != 1 or blocks[0][0] not in _LABELS:
        raise KeyMalformed(curve="")
    label, _, der = blocks[0]
    if is_encrypted(der) != _LABELS[label]:
        raise KeyMalformed(curve="")
    return bytes(der)


def _material(der: bytes) -> PrivateMaterial:
    if not is_plain(der):
        raise KeyMalformed(curve="")
    try:
        key = load_der_private_key(der, None)
    except UnsupportedAlgorithm:
        return _sm2_material(der)
    except (ValueError, TypeError, InternalError):
        raise KeyMalformed(curve="") from None
    if isinstance(key, rsa.RSAPrivateKey):
        only_pss = _ONLY_PSS in der[:_HEADER]
        return PrivateMaterial(PS256 if only_pss else RS256, rsa_pkcs8(key))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return PrivateMaterial(EDDSA, ed25519_pkcs8(key.private_bytes_raw()))
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return ec_material(ES256, key.private_numbers().private_value)
    raise KeyMalformed(curve="")


def _sm2_material(der: bytes) -> PrivateMaterial:
    try:
        info = PrivateKeyInfo.load(der, strict=True)
        curve = info["private_key_algorithm"]["parameters"].chosen.dotted
        key = info["private_key"].parsed
        number, stated = int(key["private_key"].native), key["public_key"].native
        repeated = key["parameters"].chosen.dotted if key["parameters"] else curve
    except (ValueError, TypeError, LookupError, AttributeError):
        raise KeyMalformed(curve="") from None
    if curve != _SM2_CURVE or repeated != curve:
        raise KeyMalformed(curve="")
    material = ec_material(SM2_SM3, number)
    # The point stands at the end of our own shape, after its 04.
    if stated is not None and not material.pkcs8.endswith(stated):
        raise KeyMalformed(curve=SM2.jose)
    return material
