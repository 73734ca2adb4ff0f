"""A key with its certificates in one PKCS#12 file (RFC 7292), as browsers and CAs hand them over."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from keys.curves import KeyMalformed
from keys.pbes2 import WrongPassphrase
from keys.pkcs8 import private_material
from keys.software_signer import PrivateMaterial

_LARGEST = 256 * 1024


def read_pkcs12(content: bytes, passphrase: bytes) -> tuple[PrivateMaterial, tuple[bytes, ...]]:
    """Return the key of a PKCS#12 file and its certificates (DER), the key's own first.

    The keys are those `cryptography` reads, so no SM2: those come as PKCS#8. Raises KeyMalformed,
    WrongPassphrase, KeyWeak.
    """
    if len(content) > _LARGEST:
        raise KeyMalformed(curve="")
    try:
        key, own, others = pkcs12.load_key_and_certificates(content, passphrase)
    except UnsupportedAlgorithm:
        raise KeyMalformed(curve="") from None
    except ValueError as wrong:
        # The library tells a wrong passphrase from a broken file in its sentence only.
        if "password" in str(wrong).lower() or "mac" in str(wrong).lower():
            raise WrongPassphrase from None
        raise KeyMalformed(curve="") from None
    if key is None or own is None:
        raise KeyMalformed(curve="")
    pkcs8 = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificates = (own, *others)
    return private_material(pkcs8), tuple(c.public_bytes(Encoding.DER) for c in certificates)
