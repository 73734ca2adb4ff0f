"""Time that goes one way: nothing is dated before what was dated and told already."""

from datetime import datetime, timedelta

from keys.errors import DomainError


class ClockSteppedBack(DomainError):
    """The clock shows a moment before the last one that was told to others."""

    code = "clock.stepped_back"


def check_forward(now: datetime, last: datetime | None, allowed: timedelta = timedelta(0)) -> None:
    """Do nothing unless `now` is before the last moment told, by more than is allowed.

    Raises ClockSteppedBack.
    """
    if last is not None and now < last - allowed:
        raise ClockSteppedBack(now=now.isoformat(), last=last.isoformat())
