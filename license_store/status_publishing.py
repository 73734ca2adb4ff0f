"""The published status lists: taking an index, telling a change, signing and swapping the token.

A new token never replaces one that tells more: each carries the list's revision, and the swap
compares it. A token is renewed long before it ends, so a verifier is never left without one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keys.algorithms import Purpose
from keys.errors import DomainError
from license_store.desk import Desk
from license_store.errors import StatusListUnknown
from license_store.tables import StatusEntryRow, StatusListRow
from seal.status_list import Status, StatusList, sign_status_list

PUBLISH_JOB = "publish_status_list"
LIST_SIZE = 1 << 17
TOKEN_LIFE = timedelta(hours=24)
RENEW_BEFORE_END = timedelta(hours=12)
SERVICE = "service"
# Eight misses in a row mean the list is about half full (1 in 256): open the next.
_TRIES = 8


class StatusListBehind(DomainError):
    """What was published of status list `number` is behind its changes, or near its end."""

    code = "status_list.behind"


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in a status list."""

    list_number: int
    index: int


def reserve_entry(tx: Session, random: Callable[[int], bytes]) -> Entry:
    """Take a free index of the newest list, at random: a number in order would tell the volume."""
    newest = tx.scalar(select(StatusListRow).order_by(StatusListRow.number.desc()).limit(1))
    while True:
        newest = newest or _open_list(tx, 1)
        for _ in range(_TRIES):
            index = int.from_bytes(random(8)) % newest.size
            if _take(tx, newest.number, index):
                return Entry(newest.number, index)
        newest = _open_list(tx, newest.number + 1)


def tell(tx: Session, desk: Desk, entry: Entry, status: Status) -> None:
    """Change what a list says at `entry`, and queue its publication."""
    # The list's row first: changes of one list follow one another, so revisions mean an order.
    tx.execute(
        update(StatusListRow)
        .where(StatusListRow.number == entry.list_number)
        .values(revision=StatusListRow.revision + 1)
    )
    tx.execute(
        update(StatusEntryRow)
        .where(StatusEntryRow.list_number == entry.list_number, StatusEntryRow.index == entry.index)
        .values(status=status.value)
    )
    desk.defer(tx, PUBLISH_JOB, {"number": str(entry.list_number)})


def current_token(desk: Desk, number: int) -> str:
    """Return the signed token of list `number`: fresh, and telling every change committed so far.

    Publishes first when the stored one is behind or near its end. Raises `StatusListUnknown`.
    """
    with desk.begin() as tx:
        row = _list(tx, number)
        if row.token is not None and not _is_due(row, desk.clock()):
            return row.token
    return publish(desk, number)


def publish(desk: Desk, number: int) -> str:
    """Sign list `number` as it stands and make that the token in force, unless a newer one is.

    Runs between two transactions of its own. Raises `StatusListUnknown`.
    """
    with desk.begin() as tx:
        row = _list(tx, number)
        revision, size = row.revision, row.size
        told = tx.execute(
            select(StatusEntryRow.index, StatusEntryRow.status).where(
                StatusEntryRow.list_number == number, StatusEntryRow.status != 0
            )
        ).all()
        signer = desk.signer(tx, Purpose.STATUS_LIST, SERVICE)
    statuses = StatusList(size)
    for index, status in told:
        statuses.set(index, Status(status))
    now = desk.clock()
    expires_at = now + TOKEN_LIFE
    token = sign_status_list(statuses, desk.status_list_url(number), signer, now, expires_at)
    with desk.begin() as tx:
        tx.execute(
            update(StatusListRow)
            .where(
                StatusListRow.number == number,
                or_(
                    StatusListRow.published.is_(None),
                    StatusListRow.published < revision,
                    (StatusListRow.published == revision)
                    & (StatusListRow.token_expires_at < expires_at),
                ),
            )
            .values(published=revision, token=token, token_expires_at=expires_at)
        )
        return _list(tx, number).token or token


def standing_tokens(tx: Session, now: datetime) -> dict[int, str]:
    """Return the token of every list by its number, as published.

    Raises `StatusListBehind` for a list that is to be published first.
    """
    tokens = {}
    for row in tx.scalars(select(StatusListRow).order_by(StatusListRow.number)):
        if row.token is None or _is_due(row, now):
            raise StatusListBehind(number=row.number)
        tokens[row.number] = row.token
    return tokens


def publish_due(desk: Desk) -> None:
    """Publish every list whose token is missing, behind its changes, or near its end."""
    with desk.begin() as tx:
        rows = tx.scalars(select(StatusListRow)).all()
        due = [row.number for row in rows if _is_due(row, desk.clock())]
    for number in due:
        publish(desk, number)


def _is_due(row: StatusListRow, now: datetime) -> bool:
    if row.published != row.revision or row.token_expires_at is None:
        return True
    return row.token_expires_at - now < RENEW_BEFORE_END


def _list(tx: Session, number: int) -> StatusListRow:
    row = tx.get(StatusListRow, number)
    if row is None:
        raise StatusListUnknown(number=number)
    return row


def _open_list(tx: Session, number: int) -> StatusListRow:
    tx.execute(
        insert(StatusListRow)
        .values(number=number, size=LIST_SIZE, revision=0)
        .on_conflict_do_nothing()
    )
    return _list(tx, number)


def _take(tx: Session, number: int, index: int) -> bool:
    taken = tx.execute(
        insert(StatusEntryRow)
        .values(list_number=number, index=index, status=Status.VALID.value)
        .on_conflict_do_nothing()
        .returning(StatusEntryRow.index)
    )
    return taken.one_or_none() is not None
