"""The certificates of a seal's keys: bound to it, held while it is lost, revoked when it is destroyed.

Who has nothing but the certificates (any reader of PDF) learns of a seal's end from them.
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from keys import certificate_changes, register
from keys.algorithms import Purpose
from keys.certificate_states import CertificateState, Reason
from keys.key_rows import active_row
from keys.key_states import KeyRecord, State
from keys.register import CertificateRecord
from seal.life.desk import SealDesk
from seal.life.errors import CertificateNotBound
from seal.life.making import ALGORITHMS, esid_of
from seal.life.tables import SealRow
from seal.ses_reading import read_seal


def bound(tx: Session, desk: SealDesk, row: SealRow) -> dict[str, str | int]:
    """Return the serial numbers of the certificates that the seal stamps with, by purpose.

    Raises CertificateNotBound when one does not count now, or the seal does not list that for OFD,
    and KeyNotFound when a key was retired meanwhile.
    """
    serials: dict[str, str | int] = {}
    for purpose in ALGORITHMS:
        found = _newest(tx, purpose, esid_of(row))
        listed = purpose is not Purpose.OFD_SEAL or read_seal(row.der or b"").lists(found.der)
        if not (listed and found.counts_at(desk.clock())):
            raise CertificateNotBound(purpose=purpose.value)
        serials[purpose.value] = found.serial
    return serials


def hold(tx: Session, desk: SealDesk, row: SealRow, by: str) -> None:
    """Let the certificates not count until they are released; one that does not anyway stays so."""
    for found in _in_state(tx, desk, row, CertificateState.VALID):
        certificate_changes.suspend(tx, found.authority, found.serial, by=by, now=desk.clock())


def release(tx: Session, desk: SealDesk, row: SealRow, by: str) -> None:
    """Let the certificates that were held count again."""
    for found in _in_state(tx, desk, row, CertificateState.SUSPENDED):
        certificate_changes.resume(tx, found.authority, found.serial, by=by, now=desk.clock())


def revoke(
    tx: Session, desk: SealDesk, row: SealRow, reason: Reason, by: str, since: datetime | None
) -> None:
    """End the certificates for ever; `since` is when the seal is known to have gone wrong."""
    for state in (CertificateState.VALID, CertificateState.SUSPENDED):
        for found in _in_state(tx, desk, row, state):
            certificate_changes.revoke(
                tx,
                found.authority,
                found.serial,
                reason,
                by=by,
                now=desk.clock(),
                invalid_since=since,
            )


def keys_of(tx: Session, desk: SealDesk, row: SealRow) -> tuple[KeyRecord, ...]:
    """Return the keys of a seal that are not destroyed yet."""
    return tuple(
        key
        for purpose in ALGORITHMS
        for key in desk.vault.public_keys(tx, purpose)
        if key.owner == row.esid and key.state is not State.DESTROYED
    )


def _newest(tx: Session, purpose: Purpose, esid: str) -> CertificateRecord:
    issued = register.of_key(tx, active_row(tx, purpose, esid).kid)
    if not issued:
        raise CertificateNotBound(purpose=purpose.value)
    return issued[0]


def _in_state(
    tx: Session, desk: SealDesk, row: SealRow, state: CertificateState
) -> Iterator[CertificateRecord]:
    for key in keys_of(tx, desk, row):
        for found in register.of_key(tx, key.public_key.kid):
            if found.state is state:
                yield found
