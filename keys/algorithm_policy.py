"""From when until when each algorithm may sign: retiring one is a date in a setting, not a change.

What was signed before the end still counts; what claims to be signed after it does not. The vault
asks before it signs; who checks signatures has no policy of their own, but the ends in the trust list,
which `keys.trust_publishing` sets by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from keys.algorithms import ALGORITHMS, Algorithm, Purpose
from keys.errors import DomainError


class AlgorithmRetired(DomainError):
    """The algorithm may not sign on that day: it is retired, or not yet introduced."""

    code = "algorithm.retired"


class AlgorithmUnknown(DomainError):
    """There is no algorithm of that name in the table."""

    code = "algorithm.unknown"


class PurposeRefused(DomainError):
    """The algorithm may not sign for this purpose."""

    code = "key.purpose_refused"


@dataclass(frozen=True, slots=True)
class Span:
    """The days an algorithm may sign on: the first, and the first that is too late (or `None`)."""

    begins: date
    ends: date | None

    def holds(self, day: date) -> bool:
        """Say whether the day lies inside."""
        return self.begins <= day and (self.ends is None or day < self.ends)


def _from_the_table() -> Mapping[str, Span]:
    return {a.name: Span(a.signs_from, a.signs_until) for a in ALGORITHMS.values()}


@dataclass(frozen=True, slots=True)
class AlgorithmPolicy:
    """The span of every algorithm, by its name; the table's own unless told otherwise."""

    spans: Mapping[str, Span] = field(default_factory=_from_the_table)

    def with_retirements(self, ends: Mapping[str, date]) -> "AlgorithmPolicy":
        """Return the policy with other ends: for each name the first day (UTC) it signs no more.

        Raises AlgorithmUnknown.
        """
        for name in ends:
            if name not in self.spans:
                raise AlgorithmUnknown(algorithm=name[:64])
        changed = {name: Span(self.spans[name].begins, end) for name, end in ends.items()}
        return AlgorithmPolicy({**self.spans, **changed})

    def may_sign(self, algorithm: Algorithm, purpose: Purpose, at: date) -> bool:
        """Say whether a key of the algorithm may sign for `purpose` at that day or aware moment."""
        return purpose in algorithm.purposes and self.counts(algorithm, at)

    def check_signing(self, algorithm: Algorithm, purpose: Purpose, at: date) -> None:
        """Do nothing when it may sign. Raises PurposeRefused, AlgorithmRetired."""
        if purpose not in algorithm.purposes:
            raise PurposeRefused(purpose=purpose.value, algorithm=algorithm.name)
        if not self.counts(algorithm, at):
            raise AlgorithmRetired(algorithm=algorithm.name, day=_day(at).isoformat())

    @property
    def ends_anything(self) -> bool:
        """Whether any algorithm has an end."""
        return any(span.ends for span in self.spans.values())

    def ends_at(self, algorithm: Algorithm) -> datetime | None:
        """Return the first moment (aware UTC) it may sign no more, or None."""
        day = self.spans[algorithm.name].ends
        return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)

    def counts(self, algorithm: Algorithm, signed_at: date) -> bool:
        """Say whether what was signed at that day or aware moment counts, today and later.

        The moment must itself be believed (a time stamp, a journal), or the end means nothing.
        """
        return self.spans[algorithm.name].holds(_day(signed_at))


def _day(at: date) -> date:
    return at.astimezone(UTC).date() if isinstance(at, datetime) else at
