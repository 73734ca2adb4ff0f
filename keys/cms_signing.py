"""Sign in CMS (RFC 5652): SignedData of one signer, its certificate bound in by ESSCertIDv2 (RFC 5035).

Written by hand: a library's object of it is encoded anew at every touch. Signatures of SM2 keys have
the same structure with the algorithms of GM/T 0006 inside.
"""

from collections.abc import Callable, Iterable
from typing import Any

from keys.certificates import Certificate
from keys.der import SET, explicit, integer, octets, oid, sequence, set_of, tlv
from keys.signature_value import to_x509
from keys.signer import Signer
from keys.time_stamp import DIGESTS, imprint_of
from keys.x509_signing import algorithm_identifier

DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"


def sign(
    content_type: str,
    message_digest: bytes,
    signer: Signer,
    certificate: Certificate,
    brought: tuple[bytes, ...],
    *,
    content: bytes | None = None,
    time_stamper: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Return the DER ContentInfo of a SignedData over something of the type `content_type` (OID).

    `message_digest` is its digest by the hash of the signer's algorithm; `content` the thing itself
    where it is to be inside. `brought` are the certificates (DER) that come along. A `time_stamper`
    is given the signature's value and returns a token, which becomes an unsigned attribute
    (RFC 3161 appendix A).
    """
    algorithm = signer.public_key.algorithm
    attributes = set_of(
        attribute(CONTENT_TYPE, oid(content_type)),
        attribute(MESSAGE_DIGEST, octets(message_digest)),
        attribute(SIGNING_CERTIFICATE_V2, _ess_certificate(certificate, algorithm.hash)),
    )
    value = to_x509(algorithm, signer.sign(attributes))
    signer_info = sequence(
        integer(1),
        sequence(certificate.issuer.der, integer(certificate.serial)),
        digest_algorithm(algorithm.hash),
        b"\xa0" + attributes[1:],  # [0] IMPLICIT; signed as the SET OF it is (RFC 5652 §5.4)
        algorithm_identifier(algorithm),
        octets(value),
        explicit(1, attribute(SIGNATURE_TIME_STAMP, time_stamper(value))) if time_stamper else b"",
    )
    signed_data = sequence(
        integer(1 if content_type == DATA else 3),  # RFC 5652 §5.1
        set_of(digest_algorithm(algorithm.hash)),
        sequence(oid(content_type), b"" if content is None else explicit(0, octets(content))),
        explicit(0, b"".join(sorted(brought))) if brought else b"",
        set_of(signer_info),
    )
    return sequence(oid(SIGNED_DATA), explicit(0, signed_data))


def one_of_each(attributes: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    """Return the values of attributes by their OIDs, as asn1crypto read them.

    Raises ValueError where one is there twice (RFC 5652 §5.3): readers would differ on which counts.
    """
    read = [(each["type"].dotted, tuple(each["values"])) for each in attributes]
    told = dict(read)
    if len(told) != len(read):
        raise ValueError("an attribute twice")
    return told


def attribute(kind: str, value: bytes) -> bytes:
    """Return an Attribute with one value."""
    return sequence(oid(kind), tlv(SET, value))


def digest_algorithm(digest: str) -> bytes:
    """Return the AlgorithmIdentifier of a digest of `keys.time_stamp.DIGESTS`.

    Without parameters: RFC 5754 §2 for SHA-2; SM3's as OpenSSL writes it.
    """
    return sequence(oid(DIGESTS[digest][0]))


def _ess_certificate(certificate: Certificate, digest: str) -> bytes:
    """Return a SigningCertificateV2 (RFC 5035 §3); SHA-256 is the default and not written."""
    algorithm = b"" if digest == "sha256" else digest_algorithm(digest)
    names = sequence(explicit(4, certificate.issuer.der))
    which = sequence(names, integer(certificate.serial))
    hashed = octets(imprint_of(certificate.der, digest).value)
    return sequence(sequence(sequence(algorithm, hashed, which)))
