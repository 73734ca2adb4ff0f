"""Throw-away keys: a document is sealed and judged once with them before a real key is asked.

They are made once a process, and nobody trusts them but the trial itself.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache

from keys.algorithms import ES256, SM2_SM3, Algorithm, Purpose
from keys.certificates import (
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    Profile,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.signer import Signer
from keys.software_signer import SoftwareSigner, generate
from seal.ground import Ground
from seal.report import Finding, SealReport
from seal.ses import make_seal
from seal.ses_reading import read_seal

_LASTS = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC))
_SEALS_KEPT = 64


@dataclass(frozen=True, slots=True)
class Holder:
    """A throw-away key and its certificate (DER)."""

    signer: Signer
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Circle:
    """Throw-away holders under one root: who makes seals (of SM2 only) and who signs."""

    root: bytes
    maker: Holder
    signer: Holder

    @property
    def ground(self) -> Ground:
        """Trust in these alone."""

        def anchors(_purpose: Purpose, _at: datetime) -> tuple[bytes, ...]:
            return (self.root,)

        return Ground(anchors)


@cache
def sm2() -> Circle:
    """The holders who seal OFD."""
    return _circle(SM2_SM3, SEAL_SIGNER)


@cache
def p256() -> Circle:
    """The holders who sign PDF."""
    return _circle(ES256, PDF_SIGNER)


@lru_cache(_SEALS_KEPT)
def trial_seal(seal: bytes) -> bytes:
    """Return a throw-away seal with the picture and size of `seal`. Raises `SesMalformed`."""
    read, circle = read_seal(seal), sm2()
    return make_seal(
        esid=read.esid,
        name=read.name,
        vendor=read.vendor,
        picture=read.picture,
        picture_type=read.picture_type,
        width=read.width,
        height=read.height,
        signer_certificates=(circle.signer.certificate,),
        created=_LASTS[0],
        valid_from=_LASTS[0],
        valid_until=_LASTS[1],
        maker_signer=circle.maker.signer,
        maker_certificate=circle.maker.certificate,
    )


def own_findings(report: SealReport) -> tuple[Finding, ...]:
    """Return what is said of the file and of its last signature, which is the trial's.

    Who signed before is not known to the trial.
    """
    of_the_last = (finding for seal in report.seals[-1:] for finding in seal.findings)
    return (*report.findings, *of_the_last)


def _circle(algorithm: Algorithm, profile: Profile) -> Circle:
    root = SoftwareSigner(generate(algorithm))
    anchor = self_signed(root, ROOT, Subject("trial root", "trial"), _LASTS)

    def holder(profile: Profile, serial: int) -> Holder:
        signer = SoftwareSigner(generate(algorithm))
        subject = Subject("trial", "trial")
        certificate = issue(
            parse(anchor), root, profile, subject, signer.public_key, *_LASTS, serial
        )
        return Holder(signer, certificate)

    return Circle(anchor, holder(SEAL_MAKER, 2), holder(profile, 3))
