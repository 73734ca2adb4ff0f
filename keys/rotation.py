"""When a key makes way for the next: a table of spans, and a pure function of what there is and now.

Every rule waits for a span to pass, so a clock that was set back makes nothing due that was not,
and takes nothing back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from types import MappingProxyType

from keys.algorithm_policy import AlgorithmPolicy
from keys.algorithms import ALGORITHMS, Algorithm, Purpose
from keys.errors import DomainError
from keys.key_states import KeyRecord, State


@dataclass(frozen=True, slots=True)
class Spans:
    """How long a key is published before it signs, then signs, then is still published.

    `by_hand`: the next key needs more than being made (a certificate, a ceremony, the other side's
    knowledge), so what is due is told and not done.
    """

    published: timedelta
    active: timedelta
    retiring: timedelta
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Make:
    """Make and publish the key that will follow `after`."""

    purpose: Purpose
    owner: str
    algorithm: Algorithm
    after: str


@dataclass(frozen=True, slots=True)
class Move:
    """Bring the key `kid` to another state."""

    purpose: Purpose
    owner: str
    kid: str
    to: State


Step = Make | Move


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that could not be taken; the next rotation tries it again."""

    step: Step
    reason: DomainError


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did, what is due and waits for somebody, and what it could not do."""

    done: tuple[Step, ...]
    by_hand: tuple[Step, ...]
    failed: tuple[Failed, ...]


def _days(published: int, active: int, retiring: int, *, by_hand: bool = False) -> Spans:
    return Spans(
        timedelta(days=published), timedelta(days=active), timedelta(days=retiring), by_hand
    )


_YEAR = 365

# Spans of use: NIST SP 800-57 Part 1 Rev. 5 §5.3.6 (one to three years for keys that sign). A key
# is published for longer than any list or key set of ours is kept by those who fetched it.
POLICY: Mapping[Purpose, Spans] = MappingProxyType(
    {
        Purpose.ACCESS_TOKEN: _days(2, 90, 2),
        # An ID token is shown again to end a session, long after it expired (RP-Initiated Logout §4).
        Purpose.ID_TOKEN: _days(2, 90, 30),
        # Handed out once it opens, not before; what was encrypted to the last one is on its way.
        Purpose.TOKEN_ENCRYPTION: _days(0, 90, 2),
        Purpose.LICENCE_DATA: _days(7, _YEAR, 30),
        Purpose.LICENCE_CODE: _days(7, _YEAR, 30),
        Purpose.STATUS_LIST: _days(7, _YEAR, 7),
        Purpose.JOURNAL: _days(1, _YEAR, 1),
        # Named in the trust root, which its keepers sign.
        Purpose.TRUST_LIST: _days(30, 2 * _YEAR, 30, by_hand=True),
        Purpose.TRUST_ROOT: _days(90, 5 * _YEAR, 90, by_hand=True),
        # Certified, and the seals' also part of a seal.
        Purpose.PDF_SEAL: _days(30, 3 * _YEAR, 30, by_hand=True),
        Purpose.OFD_SEAL: _days(30, 3 * _YEAR, 30, by_hand=True),
        Purpose.SEAL_MAKER: _days(30, 5 * _YEAR, 30, by_hand=True),
        Purpose.CERTIFICATES: _days(30, 5 * _YEAR, 30, by_hand=True),
        Purpose.ROOT_CERTIFICATES: _days(90, 10 * _YEAR, 90, by_hand=True),
        Purpose.OCSP: _days(7, _YEAR, 7, by_hand=True),
        Purpose.TIME_STAMP: _days(7, _YEAR, 7, by_hand=True),
        # Those we ask know our keys by what we told them.
        Purpose.REQUEST: _days(30, _YEAR, 30, by_hand=True),
        # Agreed on with the other side of a channel.
        Purpose.ENVELOPE_SENDER: _days(30, _YEAR, 30, by_hand=True),
        Purpose.ENVELOPE_RECEIVER: _days(30, _YEAR, 30, by_hand=True),
    }
)


def due(
    records: Iterable[KeyRecord],
    now: datetime,
    policy: Mapping[Purpose, Spans] = POLICY,
    algorithms: AlgorithmPolicy | None = None,
) -> tuple[Step, ...]:
    """Return the steps that are due at `now` (aware UTC), in the order to take them.

    Also those by hand. A key whose algorithm is to be retired makes way in time for that, and one
    that waits to sign but will not be allowed to by then is given up.
    """
    rule = algorithms or AlgorithmPolicy()
    held = sorted(records, key=lambda r: (r.purpose, r.owner, r.moved_at, r.public_key.kid))
    return tuple(
        step
        for (purpose, _), group in groupby(held, key=lambda r: (r.purpose, r.owner))
        if purpose in policy
        for step in _due_of_one(tuple(group), now, policy[purpose], rule)
    )


def is_by_hand(step: Step, policy: Mapping[Purpose, Spans] = POLICY) -> bool:
    """Whether the step waits for somebody."""
    return policy[step.purpose].by_hand


def _due_of_one(
    keys: tuple[KeyRecord, ...], now: datetime, spans: Spans, algorithms: AlgorithmPolicy
) -> Iterator[Step]:
    """Tell the steps for the keys of one purpose and owner, those longest in their state first."""
    for key in keys:
        if key.state is State.RETIRING and now >= key.moved_at + spans.retiring:
            yield _move(key, State.RETIRED)
    active = _first(keys, State.ACTIVE)
    ends = _ends(active, spans, algorithms) if active else None

    def begins(key: KeyRecord) -> datetime:
        known = key.moved_at if key.state is State.PUBLISHED else now
        return max(now, known + spans.published, ends or now)

    def in_time(key: KeyRecord) -> bool:
        return algorithms.counts(key.public_key.algorithm, begins(key))

    for key in keys:
        if key.state is State.PUBLISHED and not in_time(key):
            yield _move(key, State.RETIRED)
    nexts = tuple(filter(in_time, keys))
    following = _first(nexts, State.PUBLISHED)
    if following is None:
        if active and ends and now >= ends - spans.published:
            made = _first(nexts, State.MADE)
            yield _move(made, State.PUBLISHED) if made else _make(active, ends, algorithms)
    elif now >= begins(following):
        if active:
            yield _move(active, State.RETIRING)
        yield _move(following, State.ACTIVE)


def _first(keys: Iterable[KeyRecord], state: State) -> KeyRecord | None:
    return next((key for key in keys if key.state is state), None)


def _ends(active: KeyRecord, spans: Spans, algorithms: AlgorithmPolicy) -> datetime:
    ends = active.moved_at + spans.active
    return min(ends, algorithms.ends_at(active.public_key.algorithm) or ends)


def _make(active: KeyRecord, begins: datetime, algorithms: AlgorithmPolicy) -> Make:
    """The next key has the algorithm of the last, or the first of the table that may still sign."""
    same, purpose = active.public_key.algorithm, active.purpose
    possible = (a for a in (same, *ALGORITHMS.values()) if algorithms.may_sign(a, purpose, begins))
    return Make(purpose, active.owner, next(possible, same), active.public_key.kid)


def _move(key: KeyRecord, to: State) -> Move:
    return Move(key.purpose, key.owner, key.public_key.kid, to)
