"""Suspend, resume, revoke: what happens to a certificate after it is out.

The register has it at once; others hear of it by the next list or answer (`keys.crl`, `keys.ocsp`).
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from keys import journal, register
from keys.certificate_states import CertificateState, Reason, check_move
from keys.errors import DomainError
from keys.register import CertificateRecord
from keys.tables import certificate, enrolment


class InvalidSinceWrong(DomainError):
    """A certificate cannot be invalid since a moment to come."""

    code = "certificate.invalid_since_wrong"


class ReceiptOpen(DomainError):
    """The certificate is of a sitting whose receipt is not signed yet."""

    code = "enrolment.receipt_open"


class ReasonRefused(DomainError):
    """A suspension has one reason of its own, which no revocation has."""

    code = "certificate.reason_refused"


def suspend(
    tx: Session, authority: str, serial: str, *, by: str, now: datetime
) -> CertificateRecord:
    """Let a certificate not count until it is resumed or revoked.

    Raises CertificateUnknown, CertificateStateRefused.
    """
    return _change(
        tx, authority, serial, CertificateState.SUSPENDED, Reason.HOLD, None, by=by, now=now
    )


def resume(
    tx: Session, authority: str, serial: str, *, by: str, now: datetime
) -> CertificateRecord:
    """Let a suspended certificate count again.

    Not one of a sitting that is still open: the receipt of it is to be signed first. Raises
    CertificateUnknown, CertificateStateRefused, ReceiptOpen.
    """
    sitting = (
        select(enrolment.c.id)
        .join(certificate, certificate.c.id == enrolment.c.certificate)
        .where(certificate.c.authority == authority, certificate.c.serial == serial)
        .where(enrolment.c.closed_at.is_(None))
    )
    if (number := tx.scalar(sitting)) is not None:
        raise ReceiptOpen(enrolment=number)
    return _change(tx, authority, serial, CertificateState.VALID, None, None, by=by, now=now)


def revoke(
    tx: Session,
    authority: str,
    serial: str,
    reason: Reason,
    *,
    by: str,
    now: datetime,
    invalid_since: datetime | None = None,
) -> CertificateRecord:
    """End a certificate for ever; `invalid_since` is when it is known to have gone wrong.

    One that was suspended counts no more since then. Raises CertificateUnknown,
    CertificateStateRefused, ReasonRefused, InvalidSinceWrong.
    """
    if reason is Reason.HOLD:
        raise ReasonRefused(reason=reason.value)
    if invalid_since is not None and invalid_since > now:
        raise InvalidSinceWrong(since=invalid_since.isoformat())
    return _change(
        tx, authority, serial, CertificateState.REVOKED, reason, invalid_since, by=by, now=now
    )


def _change(
    tx: Session,
    authority: str,
    serial: str,
    state: CertificateState,
    reason: Reason | None,
    invalid_since: datetime | None,
    *,
    by: str,
    now: datetime,
) -> CertificateRecord:
    record = register.find(tx, authority, serial, lock=True)
    check_move(serial, record.state, state)
    changed = {
        "state": state.value,
        "reason": reason.value if reason else None,
        "changed_at": _since(record, state, now),
        "invalid_since": invalid_since,
    }
    tx.execute(update(certificate).where(certificate.c.id == record.id).values(changed))
    journal.append(
        tx,
        at=now,
        actor=by,
        action=f"certificate.{_DONE[state]}",
        subject=f"{authority} {serial}",
        details={"kid": record.kid, "reason": reason.value if reason else ""},
    )
    return register.find(tx, authority, serial)


def _since(record: CertificateRecord, state: CertificateState, now: datetime) -> datetime:
    """Return since when a certificate that goes to `state` counts, or counts no more."""
    before = record.changed_at or record.issued_at
    if record.state is CertificateState.SUSPENDED and state is CertificateState.REVOKED:
        # It did not count meanwhile: the revocation is dated as the hold (ITU-T X.509 §9.5.2.2).
        return before
    # A clock that was set back does not put a change before the one it follows.
    return max(now, before)


_DONE = {
    CertificateState.SUSPENDED: "suspended",
    CertificateState.VALID: "resumed",
    CertificateState.REVOKED: "revoked",
}
