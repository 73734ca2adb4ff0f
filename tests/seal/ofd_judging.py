"""Judge a file in the builders' world, and say in short what is wrong with it."""

import base64
from collections.abc import Callable
from datetime import datetime

from keys.sm3 import sm3
from seal.ground import Ground
from seal.ofd_verify import verify
from seal.report import Outcome, SealReport
from service.locale import LOCALES, catalogue
from tests.seal.ofd_builders import (
    LATER,
    SEAL_FILE,
    Change,
    replacing,
    seal_world,
)
from tests.trusting import trusting


def judge(ofd: bytes, anchors: tuple[bytes, ...] | None = None) -> SealReport:
    """Return the report; whatever it says can be said in both languages."""
    return judge_on(trusting(*(seal_world().anchors if anchors is None else anchors)), ofd)


def judge_on(ground: Ground, ofd: bytes, at: datetime = LATER) -> SealReport:
    """Return the report on another ground, or at another moment."""
    report = verify(ofd, ground, at)
    says_in_both_languages(codes(report))
    return report


def says_in_both_languages(found: set[str]) -> None:
    for locale in LOCALES:
        assert {f"finding.{code}.text" for code in found} <= set(catalogue(locale))


def troubles(report: SealReport) -> set[tuple[str, str, str]]:
    """Return outcome, code and part of everything that is not in order."""
    return {
        (f.outcome.value, f.code, f.part)
        for f in report.all_findings()
        if f.outcome is not Outcome.OK
    }


def codes(report: SealReport) -> set[str]:
    """Return the code of everything found, good and bad."""
    return {finding.code for finding in report.all_findings()}


def without(start: bytes, end: bytes) -> Callable[[bytes], bytes]:
    """Return a change that cuts out what is between `start` and `end`, and these."""

    def change(content: bytes) -> bytes:
        first = content.index(start)
        return content[:first] + content[content.index(end, first) + len(end) :]

    return change


def bare(content: bytes) -> bytes:
    """Signature.xml as vendors write it who leave Seal.esl out."""
    content = without(b"<ofd:Seal>", b"</ofd:Seal>")(content)
    reference = f'<ofd:Reference FileRef="/{SEAL_FILE}">'.encode()
    return without(reference, b"</ofd:Reference>")(content)


def resealed(seal: bytes) -> Change:
    """Return a change of Signature.xml that covers another Seal.esl."""
    old = base64.b64encode(sm3(seal_world().seal))
    return replacing(old, base64.b64encode(sm3(seal)))
