"""End a licence: 吊销, 撤销 or 注销, by the body that issued it, with a reason."""

from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy.orm import Session

from keys import journal
from license_store import queries, status_publishing
from license_store.desk import Desk
from license_store.errors import LicenceNotYours
from license_store.licence import State, move, published_status
from license_store.status_publishing import Entry

KINDS = MappingProxyType({"吊销": State.REVOKED, "撤销": State.WITHDRAWN, "注销": State.CANCELLED})


@dataclass(frozen=True, slots=True)
class Revocation:
    """The wish to end the licence `identifier`. `kind` is one of `KINDS`."""

    identifier: str
    issuer: str
    operator: str
    kind: str
    reason: str


def revoke(tx: Session, desk: Desk, command: Revocation) -> int:
    """End the licence and tell its status list; return the list's number, to be published next.

    Asking again for the same end changes nothing. Raises `LicenceUnknown`, `LicenceNotYours`,
    `MoveNotAllowed`.
    """
    row = queries.row_by_identifier(tx, command.identifier, lock=True)
    if row.issuer != command.issuer:
        raise LicenceNotYours(identifier=command.identifier)
    target = KINDS[command.kind]
    if row.state == target and row.ended_reason == command.reason:
        return row.status_list
    row.state = move(State(row.state), target)
    row.ended_at = desk.clock()
    row.ended_reason = command.reason
    status_publishing.tell(
        tx, desk, Entry(row.status_list, row.status_index), published_status(target)
    )
    journal.append(
        tx,
        at=row.ended_at,
        actor=command.operator,
        action=f"licence.{target}",
        subject=row.identifier,
        details={"reason": command.reason},
    )
    return row.status_list
