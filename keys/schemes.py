"""The signature schemes in the words of `cryptography`, made once and used for every signature."""

from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from keys.algorithms import PS256, RS256, Algorithm

SHA256 = hashes.SHA256()
ECDSA_SHA256 = ec.ECDSA(SHA256)
RSA_PADDINGS: Mapping[Algorithm, padding.AsymmetricPadding] = {
    RS256: padding.PKCS1v15(),
    # RFC 7518 §3.5: MGF1 with the same hash, a salt as long as the hash.
    PS256: padding.PSS(padding.MGF1(SHA256), SHA256.digest_size),
}
