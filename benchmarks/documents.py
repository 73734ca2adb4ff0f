"""One A4 licence: issue, stamp, judge and draw, as OFD and as PDF, in one thread."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class _Circle:
    """A body with a seal for OFD and a key for PDF, and the roots of both."""

    root: bytes
    seal: bytes
    picture: bytes
    owner: SoftwareSigner
    owner_certificate: bytes
    p256_root: bytes
    p256: SoftwareSigner
    p256_certificate: bytes

    def stamp_ofd(self, ofd: bytes, drawn: Face) -> bytes:
        by = self.owner, self.owner_certificate
        return ofd_seal.stamp(ofd, self.seal, *by, drawn.seal, _NOW)

    def stamp_pdf(self, pdf: bytes, drawn: Face) -> bytes:
        by = self.p256, self.p256_certificate, (self.p256_root,)
        return pdf_seal.stamp(pdf, self.picture, *by, drawn.seal, _NOW)


def issuers() -> tuple[Callable[[], bytes], Callable[[], bytes]]:
    """Return what issues the next licence as OFD, and what does as PDF."""
    return _issuers(_circle())


def _issuers(circle: _Circle) -> tuple[Callable[[], bytes], Callable[[], bytes]]:
    numbers = count()

    def issue_ofd() -> bytes:
        drawn = face(next(numbers))
        return circle.stamp_ofd(write_ofd(drawn), drawn)

    def issue_pdf() -> bytes:
        drawn = face(next(numbers))
        return circle.stamp_pdf(write_pdf(drawn), drawn)

    return issue_ofd, issue_pdf


def measurements() -> Iterator[Measurement]:
    """Yield a line for each step, OFD first, then PDF."""
    circle, one = _circle(), face(0)
    issue_ofd, issue_pdf = _issuers(circle)
    yield measure("OFD issue: lay out, write, stamp", issue_ofd)
    yield measure("OFD stamp (SM2 e-seal)", partial(circle.stamp_ofd, write_ofd(one), one))
    trusted = Ground(lambda _purpose, _at: (circle.root,))
    yield measure("OFD judge", partial(ofd_verify.verify, issue_ofd(), trusted, _NOW))

    signed = issue_pdf()
    yield measure("PDF issue: lay out, write, stamp", issue_pdf)
    yield measure("PDF stamp (P-256 PAdES)", partial(circle.stamp_pdf, write_pdf(one), one))
    trusted = Ground(lambda _purpose, _at: (circle.p256_root,))
    yield measure("PDF judge", partial(pdf_verify.verify, signed, trusted, _NOW))
    yield measure("picture of the page, 150 dpi", partial(face_picture.png, signed))
    yield measure("SM2 signature alone", partial(circle.owner.sign, DATA.content))
    yield measure("ES256 signature alone", partial(circle.p256.sign, DATA.content))


def _circle() -> _Circle:
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

    p256_root, p256 = (SoftwareSigner(generate(ES256)) for _ in range(2))
    p256_root_der = self_signed(p256_root, ROOT, Subject("bench root", "bench"), _LASTS)
    p256_der = issue(
        parse(p256_root_der), p256_root, PDF_SIGNER, Subject("o", "o"), p256.public_key, *_LASTS, 2
    )
    return _Circle(root_der, seal, picture, owner, owner_der, p256_root_der, p256, p256_der)
