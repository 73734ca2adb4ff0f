"""Register rows flow from a city to its province: told in signed pages, in their order (S04).

A province asks a city for what came after the last change it has of it, and the city answers with
a signed page of what is public. Nobody has to remember what was delivered: the number that the
province holds says so, and a page that comes twice changes nothing. A page tells that last change
again, so that a city which was restored from a backup, and counts anew, is noticed.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, defer

from keys import jose
from keys.signer import PublicKey, Signer
from seal.life.errors import RegisterNewsWrong
from seal.life.status import PUBLIC, Particulars, particulars
from seal.life.tables import SealEventRow, SealRow
from seal.seal_states import SealState

TOKEN_TYPE = "yinxin-seal-register+jwt"  # noqa: S105 - a media type
PAGE = 200
"""How many changes one page tells at most."""
LARGEST_NUMBER = 2**31 - 1
"""No change has a larger number: the column is a whole number of four bytes."""

_LASTS = timedelta(minutes=10)
_LEEWAY = 60
_LONGEST = 500
_NAMED = "esid", "name", "kind", "owner", "owner_name"
_OPTIONAL = "record_number", "replaces"


@dataclass(frozen=True, slots=True)
class Told:
    """One change of a seal: its number at its origin, when recorded, since when it counts."""

    number: int
    at: datetime
    since: datetime
    state: SealState
    seal: Particulars


@dataclass(frozen=True, slots=True)
class Page:
    """The changes that come right after the number `after`, in their order.

    `before` is the change of that number itself, None when there is none. `newest` is the number of
    the last change there is, on this page or on one after it.
    """

    after: int
    before: Told | None
    changes: tuple[Told, ...]
    newest: int


def page_after(tx: Session, after: int) -> Page:
    """Return what changed in our register after a number; nothing when that was the last."""
    events = tx.scalars(
        select(SealEventRow)
        .where(SealEventRow.number >= after, SealEventRow.state.in_(PUBLIC))
        .order_by(SealEventRow.number)
        .limit(PAGE + 1)
    ).all()
    seals = _seals(tx, {event.seal for event in events})
    found = [
        Told(event.number, event.at, event.since, SealState(event.state), seals[event.seal])
        for event in events
    ]
    before = found.pop(0) if found and found[0].number == after else None
    newest = select(func.max(SealEventRow.number)).where(SealEventRow.state.in_(PUBLIC))
    return Page(after, before, tuple(found[:PAGE]), tx.scalar(newest) or 0)


def _seals(tx: Session, which: Set[UUID]) -> dict[UUID, Particulars]:
    """Return what is public of these seals, each read once: their pictures are large."""
    old = aliased(SealRow)
    query = (
        select(SealRow, old.esid)
        .outerjoin(old, old.id == SealRow.predecessor)
        .where(SealRow.id.in_(which))
        .options(defer(SealRow.picture), defer(SealRow.picture_png))
    )
    return {row.id: particulars(row, replaces, None) for row, replaces in tx.execute(query)}


def sign_page(page: Page, origin: str, signer: Signer, now: datetime) -> str:
    """Return the page as a compact JWS of the node `origin`, good for ten minutes."""
    claims = {
        "iss": origin,
        "iat": int(now.timestamp()),
        "exp": int((now + _LASTS).timestamp()),
        "after": page.after,
        "before": _written(page.before) if page.before else None,
        "changes": [_written(change) for change in page.changes],
        "newest": page.newest,
    }
    return jose.sign(claims, signer, TOKEN_TYPE)


def read_page(token: str, origin: str, keys: Mapping[str, PublicKey], now: datetime) -> Page:
    """Check a page told by the node `origin`, whose `keys` these are by kid, and return it.

    Raises a `keys.jose.TokenError` or RegisterNewsWrong.
    """
    claims = jose.verify(
        token,
        keys,
        TOKEN_TYPE,
        issuer=origin,
        audience=None,
        now=now,
        leeway=_LEEWAY,
        largest=jose.LARGEST_DOCUMENT,
    )
    after, changes, newest = (claims.get(name) for name in ("after", "changes", "newest"))
    if not _is_number(after) or not isinstance(changes, list) or len(changes) > PAGE:
        raise RegisterNewsWrong(reason="form")
    if not _is_number(newest):
        raise RegisterNewsWrong(reason="form")
    try:
        before = None if claims["before"] is None else _read(claims["before"], origin)
        page = Page(after, before, tuple(_read(change, origin) for change in changes), newest)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as malformed:
        raise RegisterNewsWrong(reason="change") from malformed
    numbers = [after, *(change.number for change in page.changes)]
    if numbers != sorted(set(numbers)):
        raise RegisterNewsWrong(reason="order")
    if page.before and page.before.number != after:
        raise RegisterNewsWrong(reason="order")
    return page


def _written(change: Told) -> dict[str, Any]:
    seal = change.seal
    return {
        "number": change.number,
        "at": int(change.at.timestamp()),
        "since": int(change.since.timestamp()),
        "state": change.state,
        "esid": seal.esid,
        "digest": seal.digest.hex(),
        "name": seal.name,
        "kind": seal.kind,
        "owner": seal.owner,
        "owner_name": seal.owner_name,
        "record_number": seal.record_number,
        "valid_until": int(seal.valid_until.timestamp()),
        "replaces": seal.replaces,
    }


def _read(told: Mapping[str, Any], origin: str) -> Told:
    """Return a change as told. Raises KeyError, TypeError, ValueError and the like."""
    state = SealState(told["state"])
    if state not in PUBLIC or not _is_number(told["number"]):
        raise ValueError(state)
    seal = Particulars(
        digest=bytes.fromhex(_text(told, "digest", least=64)),
        valid_until=_moment(told["valid_until"]),
        origin=origin,
        **{name: _text(told, name, least=1) for name in _NAMED},
        **{name: _text(told, name, least=0) for name in _OPTIONAL},
    )
    return Told(told["number"], _moment(told["at"]), _moment(told["since"]), state, seal)


def _text(told: Mapping[str, Any], name: str, *, least: int) -> str:
    value = told[name]
    if not isinstance(value, str) or not least <= len(value) <= _LONGEST or "\0" in value:
        raise ValueError(name)
    value.encode()  # half of a surrogate pair is no text that could be kept
    return value


def _is_number(told: object) -> TypeGuard[int]:
    return type(told) is int and 0 <= told <= LARGEST_NUMBER


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
