"""Write SignedData of GB/T 35275-2017 without content: signed attributes hold the digest of what is signed.

Of the two flavours in use this is the one that more readers check. What is signed is the SET OF
attributes, in DER's order.
"""

from datetime import UTC, datetime

from keys.certificates import parse
from keys.cms_signing import (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SIGNATURE_TIME_STAMP,
    attribute,
    digest_algorithm,
)
from keys.der import explicit, integer, octets, oid, sequence, set_of, tlv
from keys.der_signature import to_der
from keys.signer import Signer
from seal.signed_data_structure import DATA, SIGNED_DATA, SIGNING_TIME, SM2_SIGNATURE
from seal.time_proof import TimeStamper

_UTC_TIME = 0x17


def sign_data(
    content_hash: bytes,
    signer: Signer,
    certificate: bytes,
    signed_at: datetime,
    time_stamper: TimeStamper | None = None,
) -> bytes:
    """Return the DER ContentInfo of an SM2 signature over what has the SM3 `content_hash`.

    `certificate` is the signer's, DER; `signed_at` is aware. A time stamp is over the signature's
    value (DER r, s) and goes in as an unsigned attribute (RFC 3161 appendix A). Raises
    `CertificateMalformed`, and what the signer and the time stamper raise.
    """
    attributes = set_of(
        attribute(CONTENT_TYPE, oid(DATA)),
        attribute(SIGNING_TIME, _utc_time(signed_at)),
        attribute(MESSAGE_DIGEST, octets(content_hash)),
    )
    value = to_der(signer.sign(attributes))
    token = time_stamper(value) if time_stamper else b""
    read = parse(certificate)
    signer_info = sequence(
        integer(1),
        sequence(read.issuer.der, integer(read.serial)),
        digest_algorithm("sm3"),
        b"\xa0" + attributes[1:],  # [0] IMPLICIT; signed as the SET OF it is
        sequence(oid(SM2_SIGNATURE)),
        octets(value),
        explicit(1, attribute(SIGNATURE_TIME_STAMP, token)) if token else b"",
    )
    signed = sequence(
        integer(1),
        set_of(digest_algorithm("sm3")),
        sequence(oid(DATA)),
        explicit(0, certificate),
        set_of(signer_info),
    )
    return sequence(oid(SIGNED_DATA), explicit(0, signed))


def _utc_time(moment: datetime) -> bytes:
    return tlv(_UTC_TIME, f"{moment.astimezone(UTC):%y%m%d%H%M%SZ}".encode())
