"""The signature inside a PDF: a CAdES baseline signature (ETSI EN 319 122-1) over its byte ranges.

With an SM2 key it is the same structure over an SM3 digest, with the algorithms of GM/T 0006.
"""

from keys import cms_signing
from keys.algorithms import ES256, RS256, SM2_SM3
from keys.certificates import parse
from keys.signer import PublicKey, Signer
from seal.time_proof import TimeStamper

SIGNING_PDF = frozenset({ES256, RS256, SM2_SM3})
"""The algorithms that sign PDFs: not Ed25519, which the viewers in use take for no signature at all."""

_ROOM = 640  # attributes, algorithms and headers, besides names, certificates and the signature


def sign(
    digest: bytes,
    signer: Signer,
    certificate: bytes,
    chain: tuple[bytes, ...],
    time_stamper: TimeStamper | None = None,
) -> bytes:
    """Return the DER CMS over `digest`, which is by the hash of the signer's algorithm.

    `certificate` (DER) is of the signer's key and comes along with the `chain` above it. There is no
    signing-time: PAdES has the time in the signature dictionary (EN 319 142-1 §6.3). With a
    `time_stamper` its token over the signature's value is an unsigned attribute (level B-T).
    """
    return cms_signing.sign(
        cms_signing.DATA,
        digest,
        signer,
        parse(certificate),
        (certificate, *chain),
        time_stamper=time_stamper,
    )


def most_bytes(key: PublicKey, certificate: bytes, chain: tuple[bytes, ...]) -> int:
    """Return how long what `sign` returns is at most, without a time stamp."""
    signature = len(key.spki)  # holds the modulus, or two coordinates: no signature is longer
    named_twice = 2 * len(parse(certificate).issuer.der)
    return _ROOM + signature + named_twice + len(certificate) + sum(map(len, chain))
