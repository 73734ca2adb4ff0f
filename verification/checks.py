"""The engine of a verdict, an ordered table of named checks, and the checks every licence gets.

A check that is decisive ends the list when it does not pass, so a check may rely on everything
the decisive ones before it established. Validity and status are not decisive: a licence both
expired and revoked is told to be both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Generic, TypeVar

from keys.trust import TrustedIssuer
from seal.report import Finding, Outcome
from seal.status_list import Status
from verification.sources import Sources

Subject = TypeVar("Subject")

# The dates on a licence are civil dates in China, which keeps one time zone.
CHINA = timezone(timedelta(hours=8))
# How far the issuer's clock may be ahead of ours.
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Reason:
    """How a check ended: a stable dotted code, and the part or value it is about."""

    outcome: Outcome
    code: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """One named question about a subject."""

    name: str
    judge: Callable[[Subject], Reason]
    decisive: bool = False


def run(checks: Sequence[Check[Subject]], subject: Subject) -> tuple[Finding, ...]:
    """Ask the checks in order; stop behind a decisive one that failed or could not be answered."""
    findings: list[Finding] = []
    for check in checks:
        reason = check.judge(subject)
        findings.append(Finding(check.name, reason.outcome, reason.code, reason.part))
        if check.decisive and reason.outcome in (Outcome.FAILED, Outcome.UNKNOWN):
            break
    return tuple(findings)


def passed(code: str, part: str = "") -> Reason:
    return Reason(Outcome.OK, code, part)


def failed(code: str, part: str = "") -> Reason:
    return Reason(Outcome.FAILED, code, part)


def unknown(code: str, part: str = "") -> Reason:
    return Reason(Outcome.UNKNOWN, code, part)


def warned(code: str, part: str = "") -> Reason:
    return Reason(Outcome.WARNING, code, part)


def judge_issued(issued_at: datetime, now: datetime) -> Reason:
    """Compare the moment of issue with now: nothing is issued tomorrow."""
    if issued_at > now + _CLOCKS_DIFFER:
        return failed("issued.in_the_future", issued_at.astimezone(CHINA).date().isoformat())
    return passed("issued.in_the_past")


def judge_validity(valid_from: date | None, valid_until: date | None, now: datetime) -> Reason:
    """Compare the dates on the licence with today; both ends count as valid days."""
    today = now.astimezone(CHINA).date()
    if valid_from is not None and today < valid_from:
        return failed("validity.not_yet", valid_from.isoformat())
    if valid_until is not None and today > valid_until:
        return failed("validity.expired", valid_until.isoformat())
    return passed("validity.in_force")


_OF_STATUS = {
    Status.VALID: passed("status.valid"),
    Status.INVALID: failed("status.revoked"),
    Status.SUSPENDED: failed("status.suspended"),
    Status.SUPERSEDED: failed("status.superseded"),
}


def judge_status(sources: Sources, issuer: TrustedIssuer, list_number: int, index: int) -> Reason:
    """Look the licence up in its published status list; no current list means nobody knows.

    The number is one of the issuer's own place: elsewhere it names a list that is not here.
    """
    if issuer.source:
        return unknown("status.elsewhere", issuer.source)
    statuses = sources.status_list(list_number)
    if statuses is None:
        return unknown("status.unavailable", str(list_number))
    if not 0 <= index < statuses.size:
        return unknown("status.not_listed", str(list_number))
    return _OF_STATUS[statuses.get(index)]
