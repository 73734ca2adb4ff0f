"""Sign what X.509 signs (certificates, requests, CRLs, OCSP answers) with any Signer.

`cryptography` builds these around keys it knows, and it knows neither SM2 nor keys that cannot be
seen: so a P-256 key that everybody knows stands in, its two DER pieces (key and algorithm) are
replaced by the real ones, and the real Signer signs the whole.
"""

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.algorithms import ES256, Algorithm
from keys.der import NULL, SEQUENCE, bits, oid, sequence, tlv
from keys.der_signature import SignatureMalformed
from keys.signature_value import from_x509, to_x509
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature, verify

# It signs nothing that leaves this package.
PLACEHOLDER = ec.derive_private_key(1, ec.SECP256R1())
"""The private key to hand to a builder of `cryptography`, with SHA-256; also the subject's key."""

_PLACEHOLDER_SPKI = PLACEHOLDER.public_key().public_bytes(
    Encoding.DER, PublicFormat.SubjectPublicKeyInfo
)


def algorithm_identifier(algorithm: Algorithm) -> bytes:
    """Return the AlgorithmIdentifier of a signature.

    RSA's parameters are NULL (RFC 4055 §5), the others have none (RFC 5758 §3.2; RFC 8410 §3;
    SM2's as OpenSSL writes it).
    """
    parameters = NULL if algorithm.key_type == "RSA" else b""
    return sequence(oid(algorithm.signature_oid), parameters)


def put_algorithm(tbs: bytes, algorithm: Algorithm) -> bytes:
    """Name `algorithm` in a TBS the placeholder signed. Raises ValueError as `swap`."""
    return swap(tbs, algorithm_identifier(ES256), algorithm_identifier(algorithm))


def put_key(tbs: bytes, key: PublicKey) -> bytes:
    """Put the subject's key in a TBS made for the placeholder's. Raises ValueError as `swap`."""
    return swap(tbs, _PLACEHOLDER_SPKI, key.spki)


def sign_tbs(tbs: bytes, signer: Signer) -> bytes:
    """Return SEQUENCE { tbs, AlgorithmIdentifier, BIT STRING } (RFC 5280 §4.1.1)."""
    algorithm = signer.public_key.algorithm
    value = to_x509(algorithm, signer.sign(tbs))
    return sequence(tbs, algorithm_identifier(algorithm), bits(value))


def is_signed_by(key: PublicKey, tbs: bytes, signature_oid: str, value: bytes) -> bool:
    """Say whether `value` is the signature of `key` over `tbs`, by the algorithm named."""
    if key.algorithm.signature_oid != signature_oid:
        return False
    try:
        verify(key, tbs, from_x509(key.algorithm, value))
    except (BadSignature, SignatureMalformed):
        return False
    return True


def swap(tbs: bytes, placeholder: bytes, real: bytes) -> bytes:
    """Put `real` in the one place of `placeholder`, which is a direct child of the TBS.

    Raises ValueError unless there is exactly one place: a serial number that happens to hold the
    piece is refused rather than guessed at.
    """
    if tbs.count(placeholder) != 1:
        raise ValueError("there is not exactly one place for a piece")
    return tlv(SEQUENCE, _content(tbs).replace(placeholder, real))


def _content(sequence_der: bytes) -> bytes:
    length = sequence_der[1]
    return sequence_der[2 if length < 0x80 else 2 + (length & 0x7F) :]
