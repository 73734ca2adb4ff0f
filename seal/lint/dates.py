"""The dates make sense together: no licence of tomorrow, none that ends before it begins."""

from collections.abc import Iterator
from datetime import timedelta, timezone

from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome

LONGEST_YEARS = 100
"""A licence for longer is a slip of the pen; one without an end has no `valid_until`."""

_BEIJING = timezone(timedelta(hours=8))


def check(_specimen: Specimen, expected: Expected) -> Iterator[Finding]:
    begins, ends = expected.usable
    if not begins <= expected.signed_at <= ends:
        yield _failed("lint.dates.outside_term")
    issued, until = expected.issued_on, expected.valid_until
    if issued and issued > expected.signed_at.astimezone(_BEIJING).date():
        yield _failed("lint.dates.issued_in_future")
    if issued and until and until < issued:
        yield _failed("lint.dates.ends_before_issue")
    if issued and until and until.year - issued.year > LONGEST_YEARS:
        yield _failed("lint.dates.implausible")


def _failed(code: str) -> Finding:
    return Finding("dates", Outcome.FAILED, code)
