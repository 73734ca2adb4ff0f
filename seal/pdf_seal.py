"""Stamp a PDF: a PAdES baseline signature (ETSI EN 319 142-1) whose appearance is the seal.

The appearance is one picture at its true size and no text, so that a PDF/A file stays one. The
file is extended by incremental updates; nothing that was in it is touched.
"""

from collections.abc import Mapping
from datetime import datetime

from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from keys.certificates import parse
from keys.signer import Signer
from seal import pdf_cms
from seal.face import SealBox
from seal.pdf_embedding import NOTHING_RESERVED, Looks, Prepared, embed
from seal.pdf_evidence import Evidence
from seal.pdf_levels import (
    NO_EVIDENCE,
    TOKEN_ROOM,
    PadesLevel,
    add_archive_stamp,
    add_evidence,
    check_evidence,
)
from seal.pdf_picture import read_png
from seal.stamp_places import Riding
from seal.time_proof import TimeStamper

_LONG = (PadesLevel.B_LT, PadesLevel.B_LTA)


def stamp(
    pdf: bytes,
    picture_png: bytes,
    signer: Signer,
    certificate: bytes,
    chain: tuple[bytes, ...],
    box: SealBox,
    signed_at: datetime,
    *,
    level: PadesLevel = PadesLevel.B_B,
    time_stamper: TimeStamper | None = None,
    evidence: Evidence = NO_EVIDENCE,
    certify: bool = False,
    field_name: str = "",
    reserved: Mapping[str, SealBox] = NOTHING_RESERVED,
    riding: Riding | None = None,
) -> bytes:
    """Return `pdf` signed, with the seal's picture drawn in `box`, on its page.

    `certificate` (DER) is of the signer's key, of P-256, RSA (PKCS #1 v1.5) or SM2, `chain` the
    certificates above it; `signed_at` is aware and becomes the claimed time of signing (/M). Readers
    in the field check P-256 and RSA; an SM2 signature is for verifiers that know GM/T 0006.

    Every `level` but B-B needs a `time_stamper`; B-LT and B-LTA need the `evidence` that at
    `signed_at` no certificate was revoked: nothing is fetched. `certify` makes it the author's
    signature (DocMDP): later ones may be made in the fields `reserved` here for them, and nothing
    else may be changed. `field_name` names the field, an empty one in the file, at its own place, or
    a new one. With `riding` the first signature's seal goes over the edges of pages, and `box` gives
    its size alone.

    Safe in threads and under a running event loop. Raises ValueError for another kind of key, a
    certificate of another key or a time stamper missing, EvidenceMissing, and what
    `seal.pdf_embedding.embed` and the time stamper raise.
    """
    algorithm = signer.public_key.algorithm
    if algorithm not in pdf_cms.SIGNING_PDF:
        raise ValueError("PDFs are signed by keys of P-256, RSA and SM2")
    if parse(certificate).public_key != signer.public_key:
        raise ValueError("the certificate is of another key")
    if level is not PadesLevel.B_B and time_stamper is None:
        raise ValueError(f"{level} needs a time stamper")
    asked = None if level is PadesLevel.B_B else time_stamper
    if level in _LONG:
        check_evidence((certificate, *chain), evidence, signed_at)

    def make(prepared: Prepared) -> bytes:
        return pdf_cms.sign(prepared.digest, signer, certificate, chain, asked)

    room = pdf_cms.most_bytes(signer.public_key, certificate, chain) + (TOKEN_ROOM if asked else 0)
    signature = SignatureObject(
        timestamp=signed_at,
        subfilter=SigSeedSubFilter.PADES,
        name=holder(certificate),
        bytes_reserved=2 * room,
    )
    looks = Looks(read_png(picture_png), box, signed_at, riding)
    signed = embed(
        pdf,
        signature,
        algorithm.hash,
        make,
        looks=looks,
        field_name=field_name,
        certify=certify,
        reserved=reserved,
    )
    if level in _LONG:
        signed = add_evidence(signed, evidence)
    if level is PadesLevel.B_LTA and asked:
        signed = add_archive_stamp(signed, asked)
    return signed


def holder(certificate: bytes) -> str:
    """Return the name of who a certificate (DER) is of: the organization, or the common name."""
    subject = parse(certificate).subject
    return subject.organization or subject.common_name
