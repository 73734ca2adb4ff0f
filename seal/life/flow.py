"""Register rows flow from a city to its province: signed, in order, each applied once (S04).

A province asks a city for what came after the last change it has of it, and the city answers with
a signed page of what is public. Nobody has to remember what was delivered: the number that the
province holds says so, and a page that comes twice changes nothing. A page tells that last change
again, so that a city which was restored from a backup, and counts anew, is noticed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from keys import jose, journal
from keys.signer import PublicKey, Signer
from seal.life.desk import SealDesk
from seal.life.errors import RegisterNewsWrong
from seal.life.status import PUBLIC, Particulars, particulars
from seal.life.tables import NodeRow, NodeSealEventRow, NodeSealRow, SealEventRow, SealRow
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
    old = aliased(SealRow)
    query = (
        select(SealEventRow, SealRow, old.esid)
        .join(SealRow, SealRow.id == SealEventRow.seal)
        .outerjoin(old, old.id == SealRow.predecessor)
        .where(SealEventRow.number >= after, SealEventRow.state.in_(PUBLIC))
        .order_by(SealEventRow.number)
        .limit(PAGE + 1)
    )
    found = [
        Told(
            event.number,
            event.at,
            event.since,
            SealState(event.state),
            particulars(row, replaces, None),
        )
        for event, row, replaces in tx.execute(query)
    ]
    before = found.pop(0) if found and found[0].number == after else None
    newest = select(func.max(SealEventRow.number)).where(SealEventRow.state.in_(PUBLIC))
    return Page(after, before, tuple(found[:PAGE]), tx.scalar(newest) or 0)


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


def last_heard(tx: Session, origin: str) -> int:
    """Return the number of the last change applied of a node; 0 before the first."""
    return tx.scalar(select(NodeRow.last).where(NodeRow.origin == origin)) or 0


def apply(tx: Session, desk: SealDesk, origin: str, page: Page) -> int:
    """Apply what is new in a page of the node `origin`, and return how many changes that was.

    Raises RegisterNewsWrong when something before it is missing (`gap`), what the node told before
    is no longer what it has (`rewritten`), or a seal is already told by somebody else (`taken`).
    """
    tx.execute(insert(NodeRow).values(origin=origin, last=0).on_conflict_do_nothing())
    node = tx.scalars(
        select(NodeRow)
        .where(NodeRow.origin == origin)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if page.after > node.last:
        raise RegisterNewsWrong(reason="gap")
    if page.after == node.last > 0 and not _was_told(tx, origin, page.before):
        raise RegisterNewsWrong(reason="rewritten")
    new = [change for change in page.changes if change.number > node.last]
    for change in new:
        _apply(tx, origin, change)
    if new:
        node.last = new[-1].number
        tx.flush()
        details = {"changes": len(new), "last": node.last}
        journal.append(
            tx,
            at=desk.clock(),
            actor=origin,
            action="seal.register_heard",
            subject=origin,
            details=details,
        )
    return len(new)


def forget(tx: Session, desk: SealDesk, origin: str, by: str) -> int:
    """Drop all that a node told, to hear it anew or never again; return how many seals that was."""
    for rows in (NodeSealEventRow, NodeSealRow):
        dropped = tx.execute(delete(rows).where(rows.origin == origin).returning(rows.esid)).all()
    node = update(NodeRow).where(NodeRow.origin == origin)
    tx.execute(node.values(last=0, newest=0, forgotten=NodeRow.forgotten + 1))
    journal.append(
        tx,
        at=desk.clock(),
        actor=by,
        action="seal.register_forgotten",
        subject=origin,
        details={"seals": len(dropped)},
    )
    return len(dropped)


def _was_told(tx: Session, origin: str, change: Told | None) -> bool:
    """Is this change kept as the node told it?"""
    kept = change and tx.get(NodeSealEventRow, (origin, change.number))
    return bool(
        change
        and kept
        and (kept.esid, kept.at, kept.since, kept.state)
        == (change.seal.esid, change.at, change.since, change.state)
    )


def _apply(tx: Session, origin: str, change: Told) -> None:
    seal = change.seal
    values = {
        "origin": origin,
        "digest": seal.digest,
        "name": seal.name,
        "kind": seal.kind,
        "owner": seal.owner,
        "owner_name": seal.owner_name,
        "record_number": seal.record_number or None,
        "valid_until": seal.valid_until,
        "replaces": seal.replaces or None,
    }
    # Its own seal and no other: whoever told of a number first is who tells of it.
    same = (NodeSealRow.origin == origin) & (NodeSealRow.digest == seal.digest)
    entered = (
        insert(NodeSealRow)
        .values(esid=seal.esid, **values)
        .on_conflict_do_update(index_elements=["esid"], set_=values, where=same)
        .returning(NodeSealRow.esid)
    )
    if _is_known_otherwise(tx, seal) or tx.scalar(entered) is None:
        raise RegisterNewsWrong(reason="taken")
    tx.add(
        NodeSealEventRow(
            origin=origin,
            number=change.number,
            esid=seal.esid,
            at=change.at,
            since=change.since,
            state=change.state,
        )
    )
    tx.flush()


def _is_known_otherwise(tx: Session, seal: Particulars) -> bool:
    """Is the number or the seal one of ours, or the seal known under another number?"""
    ours = select(SealRow.id).where((SealRow.esid == seal.esid) | (SealRow.digest == seal.digest))
    other = select(NodeSealRow.esid).where(
        NodeSealRow.digest == seal.digest, NodeSealRow.esid != seal.esid
    )
    return tx.scalar(select(ours.exists() | other.exists())) is True


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
