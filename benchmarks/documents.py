"""One A4 licence: issue, stamp, judge and draw, as OFD and as PDF, in one thread."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from benchmarks.faces import BODY, DATA, face, write_ofd, write_pdf
from benchmarks.measuring import Measurement, measure
from keys.algorithms import ES256, SM2_SM3
from keys.certificates import (
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.software_signer import SoftwareSigner, generate
from seal import (
    face_picture,
    ofd_seal,
    ofd_verify,
    pdf_seal,
    pdf_verify,
)
from seal.face import Face
from seal.ground import Ground
from seal.seal_picture import draw
from seal.ses import make_seal

_NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_LASTS = (_NOW - timedelta(days=1), _NOW + timedelta(days=365))


def measurements() -> Iterator[Measurement]:
    """Yield a line for each step, OFD first, then PDF."""
    numbers, one = count(), face(0)
    picture = draw(BODY, width_mm=42)
    root, maker, owner = (SoftwareSigner(generate(SM2_SM3)) for _ in range(3))
    root_der = self_signed(root, ROOT, Subject("bench root", "bench"), _LASTS)
    maker_der = issue(
        parse(root_der), root, SEAL_MAKER, Subject("m", "m"), maker.public_key, *_LASTS, 2
    )
    owner_der = issue(
        parse(root_der), root, SEAL_SIGNER, Subject("o", "o"), owner.public_key, *_LASTS, 3
    )
    seal = make_seal(
        esid="99010000000001",
        name=BODY,
        vendor="bench",
        picture=picture,
        width=42,
        height=42,
        signer_certificates=(owner_der,),
        created=_LASTS[0],
        valid_from=_LASTS[0],
        valid_until=_LASTS[1],
        maker_signer=maker,
        maker_certificate=maker_der,
    )

    def stamp_ofd(ofd: bytes, drawn: Face) -> bytes:
        return ofd_seal.stamp(ofd, seal, owner, owner_der, drawn.seal, _NOW)

    def issue_ofd() -> bytes:
        drawn = face(next(numbers))
        return stamp_ofd(write_ofd(drawn), drawn)

    yield measure("OFD issue: lay out, write, stamp", issue_ofd)
    yield measure("OFD stamp (SM2 e-seal)", partial(stamp_ofd, write_ofd(one), one))
    yield measure(
        "OFD judge",
        partial(ofd_verify.verify, issue_ofd(), Ground(lambda _purpose, _at: (root_der,)), _NOW),
    )

    p256_root, p256 = (SoftwareSigner(generate(ES256)) for _ in range(2))
    p256_root_der = self_signed(p256_root, ROOT, Subject("bench root", "bench"), _LASTS)
    p256_der = issue(
        parse(p256_root_der), p256_root, PDF_SIGNER, Subject("o", "o"), p256.public_key, *_LASTS, 2
    )
    chain = (p256_root_der,)

    def stamp_pdf(pdf: bytes, drawn: Face) -> bytes:
        return pdf_seal.stamp(pdf, picture, p256, p256_der, chain, drawn.seal, _NOW)

    def issue_pdf() -> bytes:
        drawn = face(next(numbers))
        return stamp_pdf(write_pdf(drawn), drawn)

    signed = issue_pdf()
    yield measure("PDF issue: lay out, write, stamp", issue_pdf)
    yield measure("PDF stamp (P-256 PAdES)", partial(stamp_pdf, write_pdf(one), one))
    yield measure(
        "PDF judge",
        partial(pdf_verify.verify, signed, Ground(lambda _purpose, _at: (p256_root_der,)), _NOW),
    )
    yield measure("picture of the page, 150 dpi", partial(face_picture.png, signed))
    yield measure("SM2 signature alone", partial(owner.sign, DATA.content))
    yield measure("ES256 signature alone", partial(p256.sign, DATA.content))
