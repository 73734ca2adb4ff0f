"""销毁: a seal ends before two witnesses; its keys are destroyed, and what it stamped stays verifiable.

The witnesses are two custodians who agreed to the destruction of each of the keys by name.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from keys import vault
from keys.certificate_states import Reason
from keys.key_states import KeyRecord, State
from keys.two_person import Consent
from seal.life import certificates
from seal.life.desk import SealDesk
from seal.life.errors import WitnessesMissing
from seal.life.register import change, check_move, given_reason, held, history
from seal.life.remaking import successor
from seal.life.tables import SealRow
from seal.seal_states import SealState


@dataclass(frozen=True, slots=True)
class Destruction:
    """The wish of `by` to destroy `seal`, and why; `consents` are those to `subjects_of` it."""

    seal: UUID
    by: str
    reason: str
    consents: tuple[Consent, ...]


def subjects_of(tx: Session, desk: SealDesk, seal: UUID) -> tuple[str, ...]:
    """Return what two custodians agree to (`vault.DESTROY`) before a seal is destroyed: key by key.

    Raises SealUnknown.
    """
    return tuple(map(_subject, certificates.keys_of(tx, desk, held(tx, seal))))


def destroy(tx: Session, desk: SealDesk, command: Destruction) -> None:
    """Destroy the seal: its certificates are revoked, its keys erased.

    Raises SealUnknown, SealMoveRefused, ReasonMissing, WitnessesMissing, ConsentMissing.
    """
    row = held(tx, command.seal)
    check_move(row, SealState.DESTROYED)
    reason = given_reason(command.reason)
    agreed = {consent.subject: consent for consent in command.consents}
    witnesses = {frozenset((c.first, c.second)) for c in command.consents}
    keys = certificates.keys_of(tx, desk, row)
    for key in keys:
        if _subject(key) not in agreed or len(witnesses) != 1:
            raise WitnessesMissing(kid=key.public_key.kid)
    _revoke(tx, desk, row, command.by)
    told = ", ".join(sorted(next(iter(witnesses))))
    change(
        tx,
        desk,
        row,
        SealState.DESTROYED,
        "seal.destroyed",
        command.by,
        reason=reason,
        witness=told,
    )
    # The keys last of all: what is erased in a token comes back with no transaction.
    for key in keys:
        if key.state is not State.RETIRED:
            desk.vault.move(tx, key.public_key.kid, State.RETIRED, by=command.by)
    for key in keys:
        desk.vault.destroy(tx, key.public_key.kid, consent=agreed[_subject(key)])


def _subject(key: KeyRecord) -> str:
    return vault.subject(key.purpose, key.owner, key.public_key.kid)


def _revoke(tx: Session, desk: SealDesk, row: SealRow, by: str) -> None:
    """Revoke the certificates; those of a lost seal are wrong since it was lost."""
    if row.state == SealState.LOST:
        lost_since = history(tx, row.id)[-1].since
        certificates.revoke(tx, desk, row, Reason.KEY_COMPROMISE, by, lost_since)
        return
    reason = Reason.SUPERSEDED if successor(tx, row) else Reason.CESSATION
    certificates.revoke(tx, desk, row, reason, by, None)
