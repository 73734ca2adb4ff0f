"""The life of a key: made → published → active → retiring → retired → destroyed, and what each allows.

The states are those of NIST SP 800-57 Part 1 Rev. 5 §7 (pre-activation, active, deactivated,
destroyed), with two of our own between: a key is published before it signs, so that everybody has
it by then, and is still published for a while after, until what it signed last is no more in use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.signer import PublicKey


class State(StrEnum):
    """Where a key is in its life."""

    MADE = "made"
    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRING = "retiring"
    RETIRED = "retired"
    DESTROYED = "destroyed"


class Kept(StrEnum):
    """Where the private key is: wrapped in the database, in a PKCS#11 token, or gone."""

    WRAPPED = "wrapped"
    TOKEN = "token"  # noqa: S105 - a place
    NOWHERE = "nowhere"


class KeyStateRefused(DomainError):
    """A key in this state cannot go to the one that was asked for."""

    code = "key.state_refused"


# A key that others may know is retired before it is destroyed, so that its end is told to them.
_MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.MADE: frozenset({State.PUBLISHED, State.ACTIVE, State.DESTROYED}),
        State.PUBLISHED: frozenset({State.ACTIVE, State.RETIRED}),
        State.ACTIVE: frozenset({State.RETIRING, State.RETIRED}),
        State.RETIRING: frozenset({State.RETIRED}),
        State.RETIRED: frozenset({State.DESTROYED}),
        State.DESTROYED: frozenset(),
    }
)
_PUBLISHED = frozenset({State.PUBLISHED, State.ACTIVE, State.RETIRING})


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What may be known of a key. `owner` is a 统一社会信用代码, `service`, or an authority's name.

    The times are aware UTC; one is None while its state was never reached, or was passed over.
    """

    public_key: PublicKey
    purpose: Purpose
    owner: str
    state: State
    kept: Kept
    made_at: datetime
    published_at: datetime | None = None
    active_at: datetime | None = None
    retiring_at: datetime | None = None
    retired_at: datetime | None = None
    destroyed_at: datetime | None = None

    @property
    def moved_at(self) -> datetime:
        """When it came to the state it is in."""
        times = (
            self.published_at,
            self.active_at,
            self.retiring_at,
            self.retired_at,
            self.destroyed_at,
        )
        return max((time for time in times if time is not None), default=self.made_at)


def signs(record: KeyRecord) -> bool:
    """Whether the key makes new signatures."""
    return record.state is State.ACTIVE


def opens(record: KeyRecord) -> bool:
    """Whether the key opens what was encrypted to it: also while others still go over to the next."""
    return record.state in (State.ACTIVE, State.RETIRING)


def is_published(record: KeyRecord) -> bool:
    """Whether the public key is handed out for checking what is new: next, current and last."""
    return record.state in _PUBLISHED


def counted(record: KeyRecord) -> tuple[datetime, datetime | None]:
    """Return from when, and until when (None: no end yet), what the key signed counts.

    The end is when it was retired, not when it stopped signing: a signature begun a moment before
    is none the worse. What was signed before the end counts ever after.
    """
    return record.published_at or record.made_at, record.retired_at or record.destroyed_at


def move_times(record: KeyRecord, to: State, now: datetime) -> dict[str, datetime]:
    """Return the times to write, by column, when the key goes to `to`. Raises KeyStateRefused.

    A clock that was set back does not put a move before the one it follows.
    """
    if to not in _MOVES[record.state]:
        raise KeyStateRefused(state=record.state.value, wanted=to.value)
    return _times(to, max(now, record.moved_at), published=record.published_at is not None)


def first_times(state: State, now: datetime) -> dict[str, datetime]:
    """Return the times to write, by column, for a key made now in `state`. Raises KeyStateRefused."""
    if state not in (State.MADE, State.PUBLISHED, State.ACTIVE):
        raise KeyStateRefused(state="new", wanted=state.value)
    return {"made_at": now} | ({} if state is State.MADE else _times(state, now, published=False))


def _times(to: State, at: datetime, *, published: bool) -> dict[str, datetime]:
    # Whoever signs is known: an active key that skipped being published is published by that.
    also = {"published_at": at} if to is State.ACTIVE and not published else {}
    return {f"{to.value}_at": at} | also
