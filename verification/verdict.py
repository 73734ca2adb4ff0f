"""The verdict on a code or a file, and the one rule that folds checks into it: pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal.report import Finding, Outcome, SealFinding


class Answer(StrEnum):
    """What a stranger is told. `unknown` is never shown as valid."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LicenceSummary:
    """What the public may see of a licence: the holder is masked, no ID number."""

    identifier: str
    type_name: str
    number: str
    issuer_name: str
    holder_masked: str
    valid_from: str
    valid_until: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, its reasons in the order they were checked, and when it was given.

    `seals` are those a file bears, as they name themselves; a scanned code has none.
    """

    answer: Answer
    findings: tuple[Finding, ...]
    licence: LicenceSummary | None
    checked_at: datetime
    seals: tuple[SealFinding, ...] = ()


def fold(findings: tuple[Finding, ...]) -> Answer:
    """Return the answer for `findings`: one failure makes it invalid, one gap makes it unknown.

    No finding at all is a gap too: nothing was checked, so nothing is known.
    """
    outcomes = {finding.outcome for finding in findings}
    if Outcome.FAILED in outcomes:
        return Answer.INVALID
    if not outcomes or Outcome.UNKNOWN in outcomes:
        return Answer.UNKNOWN
    return Answer.VALID
