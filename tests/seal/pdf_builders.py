"""Things the PDF stamping tests are made of: keys of each kind with certificates and revocation lists."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count

from keys.algorithms import ES256, Algorithm
from keys.certificate_building import Places, to_be_signed
from keys.certificate_profiles import TIME_STAMP
from keys.certificates import (
    ISSUING_CA,
    PDF_SIGNER,
    ROOT,
    Profile,
    Subject,
    parse,
    self_signed,
)
from keys.crl import Entry, Heading, build_crl
from keys.ocsp import Responder, build_answer
from keys.signer import PublicKey, Signer
from keys.time_stamp import Statement, imprint_of
from keys.time_stamp_token import build_token
from keys.x509_signing import sign_tbs
from seal.face import SealBox
from seal.pdf_evidence import Evidence
from seal.pdf_seal import stamp
from seal.time_proof import TimeStamper
from tests.keys import key_builders
from tests.seal.face_builders import SIGNED_AT

UNIT = Subject("示例市住房和城乡建设局电子印章", "示例市住房和城乡建设局", "11990100MB0000000A")
BOX = SealBox(30.0, 120.0, 42.0, 42.0)
SECOND_BOX = SealBox(200.0, 120.0, 42.0, 42.0)
_PLACES = Places(*(f"http://authority.invalid/{name}" for name in ("cer", "crl", "ocsp")))
_BEGINS = SIGNED_AT - timedelta(days=30)
_LONG = (_BEGINS, _BEGINS + timedelta(days=7000))


@dataclass(frozen=True)
class PdfWorld:
    """A root, an authority under it, a body's key with its certificate, a time stamp authority."""

    root: bytes
    authority: bytes
    authority_signer: Signer
    signer: Signer
    certificate: bytes
    root_signer: Signer
    time_signer: Signer
    time_certificate: bytes

    @property
    def chain(self) -> tuple[bytes, ...]:
        return (self.authority, self.root)

    def crls(self, *revoked: bytes, at: datetime = SIGNED_AT) -> tuple[bytes, ...]:
        """Return the lists of both authorities, with these certificates on the lower one's."""
        heading = Heading(1, at - timedelta(hours=1), at + timedelta(days=7))
        since = SIGNED_AT - timedelta(hours=2)
        entries = [Entry(parse(der).serial, since, "keyCompromise") for der in revoked]
        return (
            build_crl(parse(self.root), self.root_signer, heading, ()),
            build_crl(parse(self.authority), self.authority_signer, heading, entries),
        )

    def evidence(self, *revoked: bytes) -> Evidence:
        return Evidence(crls=self.crls(*revoked))

    def answers(self, responder: Profile | None = None) -> tuple[bytes, ...]:
        """Return OCSP answers of both authorities: that every certificate is good.

        With the profile of a `responder` one with such a certificate answers for each of them.
        """
        return tuple(
            build_answer(
                parse(issuer),
                _responder(issuer, signer, responder),
                parse(about).serial,
                None,
                SIGNED_AT - timedelta(hours=1),
                SIGNED_AT + timedelta(days=7),
            )
            for issuer, signer, about in (
                (self.authority, self.authority_signer, self.certificate),
                (self.authority, self.authority_signer, self.time_certificate),
                (self.root, self.root_signer, self.authority),
            )
        )

    def time_stamper(self, at_offset: timedelta = timedelta(seconds=5)) -> TimeStamper:
        """Return a stamper in this process: SHA-256, and this world's kind of key."""
        digest = self.time_signer.public_key.algorithm.hash
        serials = count(1)

        def stamped(value: bytes) -> bytes:
            statement = Statement(
                imprint_of(value, digest),
                "1.2.3.4",
                next(serials),
                SIGNED_AT + at_offset,
                timedelta(seconds=1),
                None,
            )
            certificate = parse(self.time_certificate)
            return build_token(
                statement, self.time_signer, certificate, (self.time_certificate, *self.chain)
            )

        return stamped

    def stamped(self, pdf: bytes, picture: bytes, box: SealBox = BOX, **options: object) -> bytes:
        stamping: Callable[..., bytes] = stamp
        return stamping(
            pdf, picture, self.signer, self.certificate, self.chain, box, SIGNED_AT, **options
        )

    def certified(self, key: PublicKey, profile: Profile = PDF_SIGNER, serial: int = 20) -> bytes:
        """Return a certificate for another key: for a year, or for five if it is a clock's."""
        lasts = timedelta(days=365 if profile is PDF_SIGNER else 5 * 365)
        validity = (_BEGINS, _BEGINS + lasts)
        return _issued(self.authority, self.authority_signer, profile, UNIT, key, validity, serial)


def _issued(
    issuer: bytes,
    signer: Signer,
    profile: Profile,
    subject: Subject,
    key: PublicKey,
    validity: tuple[datetime, datetime],
    serial: int,
) -> bytes:
    """Return a certificate that says where to ask about it: pyHanko looks at no answer otherwise."""
    tbs = to_be_signed(subject, issuer, signer.public_key, profile, key, validity, serial, _PLACES)
    return sign_tbs(tbs, signer)


def _responder(issuer: bytes, signer: Signer, profile: Profile | None) -> Responder:
    if profile is None:
        return Responder(signer, None)
    own = key_builders.signer(signer.public_key.algorithm, 6)
    subject = Subject("示例应答机构", "示例")
    validity = (SIGNED_AT - timedelta(days=1), SIGNED_AT + timedelta(days=30))
    certificate = _issued(issuer, signer, profile, subject, own.public_key, validity, 70)
    return Responder(own, parse(certificate))


@cache
def pdf_world(algorithm: Algorithm = ES256) -> PdfWorld:
    """The world of one algorithm; made once, never changed."""
    root, authority, body, clock = (key_builders.signer(algorithm, n) for n in range(4))
    root_der = self_signed(root, ROOT, Subject("示例根", "示例"), _LONG)
    authority_der = _issued(
        root_der, root, ISSUING_CA, Subject("示例签发机构", "示例"), authority.public_key, _LONG, 2
    )
    made = PdfWorld(root_der, authority_der, authority, body, b"", root, clock, b"")
    return PdfWorld(
        root_der,
        authority_der,
        authority,
        body,
        made.certified(body.public_key, serial=3),
        root,
        clock,
        made.certified(clock.public_key, TIME_STAMP, serial=4),
    )
