"""Stamps on one PDF: each kind of key at each level of PAdES, and the Chinese form of an e-seal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

from benchmarks.faces import BODY, face, write_pdf
from benchmarks.measuring import Measurement, measure
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_profiles import TIME_STAMP
from keys.certificates import PDF_SIGNER, ROOT, Profile, Subject, issue, parse, self_signed
from keys.crl import Heading, build_crl
from keys.signer import Signer
from keys.software_signer import SoftwareSigner, generate
from keys.time_stamp import Statement, imprint_of
from keys.time_stamp_token import build_token
from seal import pdf_gm_seal, pdf_seal
from seal.lint import trial
from seal.pdf_evidence import Evidence
from seal.pdf_levels import PadesLevel
from seal.seal_picture import draw
from seal.ses import make_seal
from seal.time_proof import TimeStamper

_NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_TERM = (_NOW - timedelta(days=1), _NOW + timedelta(days=365))


def measurements() -> Iterator[Measurement]:
    """Yield, for each kind of key, its raw signature and a stamp of each level; then the e-seal's."""
    drawn = face(0)
    pdf, picture = write_pdf(drawn), draw(BODY, width_mm=42)
    for algorithm in (ES256, RS256, SM2_SM3):
        owner = _Owner(algorithm)
        yield measure(f"{algorithm} signature alone", partial(owner.signer.sign, b"m"))
        for level in PadesLevel:
            stamp = partial(
                pdf_seal.stamp,
                pdf,
                picture,
                owner.signer,
                owner.certificate,
                (owner.root,),
                drawn.seal,
                _NOW,
                level=level,
                time_stamper=owner.time_stamper,
                evidence=owner.evidence,
            )
            yield measure(f"{algorithm} PDF stamp {level}", stamp)
    circle = trial.sm2()
    seal = make_seal(
        esid="99010000000001",
        name=BODY,
        vendor="bench",
        picture=picture,
        width=42,
        height=42,
        signer_certificates=(circle.signer.certificate,),
        created=_TERM[0],
        valid_from=_TERM[0],
        valid_until=_TERM[1],
        maker_signer=circle.maker.signer,
        maker_certificate=circle.maker.certificate,
    )
    by = circle.signer.signer, circle.signer.certificate
    stamp_gm = partial(pdf_gm_seal.stamp, pdf, picture, seal, *by, drawn.seal, _NOW)
    yield measure("SM2-SM3 PDF stamp GM.sm2seal", stamp_gm)


class _Owner:
    """A key with what a stamp of any level needs: certificates, a clock, a revocation list."""

    def __init__(self, algorithm: Algorithm) -> None:
        authority, self.signer, clock = (SoftwareSigner(generate(algorithm)) for _ in range(3))
        self.root = self_signed(authority, ROOT, Subject("bench root", "bench"), _TERM)
        self.certificate = self._issue(authority, PDF_SIGNER, self.signer, 2)
        self.time_stamper = self._stamper(clock, self._issue(authority, TIME_STAMP, clock, 3))
        heading = Heading(1, _NOW, _NOW + timedelta(days=7))
        self.evidence = Evidence(crls=(build_crl(parse(self.root), authority, heading, ()),))

    def _issue(self, authority: Signer, profile: Profile, key: Signer, serial: int) -> bytes:
        subject = Subject("bench", "bench", "11990100MB0000000A")
        return issue(parse(self.root), authority, profile, subject, key.public_key, *_TERM, serial)

    def _stamper(self, clock: Signer, certificate: bytes) -> TimeStamper:
        digest, serials = clock.public_key.algorithm.hash, count(1)

        def stamp(value: bytes) -> bytes:
            imprint, accuracy = imprint_of(value, digest), timedelta(seconds=1)
            statement = Statement(imprint, "1.2.3.4", next(serials), _NOW, accuracy, None)
            return build_token(statement, clock, parse(certificate), (certificate, self.root))

        return stamp
