"""Issuing on the spot (现场发证, K02): a clerk checks who is there, whose key is made on their own device.

The certificate is born suspended. It counts once the clerk and the holder have both signed the same
receipt, each with their own key; a sitting that is broken off ends in revocation.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import rfc8785
from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from keys import certificate_changes, certificate_issuing, journal, register
from keys.certificate_issuing import Order
from keys.certificate_names import Subject
from keys.certificate_profiles import STAFF, Profile
from keys.certificate_states import CertificateState, Reason
from keys.certificates import parse
from keys.csr import SigningRequest
from keys.errors import DomainError
from keys.register import CertificateRecord
from keys.signer import PublicKey
from keys.tables import certificate as certificates
from keys.tables import enrolment as enrolments
from keys.vault import Vault
from keys.verify import BadSignature, verify

SITTING = timedelta(hours=2)
"""How long a sitting may take; what is not finished by then is broken off."""


class EnrolmentUnknown(DomainError):
    """There is no such enrolment, or it is closed."""

    code = "enrolment.unknown"


class NothingChecked(DomainError):
    """The clerk did not say how the person was checked."""

    code = "enrolment.nothing_checked"


class ClerkNotCertified(DomainError):
    """The clerk's key has no valid staff certificate now."""

    code = "enrolment.clerk_not_certified"


class ClerkEnrolsSelf(DomainError):
    """A clerk does not hand out a certificate to the clerk's own key."""

    code = "enrolment.clerk_enrols_self"


class ReceiptNotSigned(DomainError):
    """The signature of `signer` (clerk or holder) over the receipt is not by the key it should be."""

    code = "enrolment.receipt_not_signed"


class Checked(StrEnum):
    """How the person was checked: the way, never what the document says."""

    CARD_READ = "identity-card-read"
    CARD_SEEN = "identity-card-seen"
    PASSPORT_SEEN = "passport-seen"
    FACE_COMPARED = "face-compared"
    AUTHORISATION_SEEN = "authorisation-seen"
    REGISTRATION_SEEN = "registration-seen"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A sitting: its suspended certificate, and the receipt both are to sign, byte for byte."""

    id: int
    certificate: CertificateRecord
    receipt: bytes


def prepare(
    tx: Session,
    vault: Vault,
    authority: str,
    profile: Profile,
    subject: Subject,
    request: SigningRequest,
    *,
    clerk: str,
    clerk_kid: str,
) -> Order:
    """Check the clerk and prepare the certificate; then `keys.certificate_issuing.sign`, then `begin`.

    The subject is what the clerk saw to be true, not what the request says. `clerk_kid` names the
    key of the clerk's staff certificate. Raises ClerkNotCertified, ClerkEnrolsSelf and as
    `keys.certificate_issuing.prepare`.
    """
    _clerk_key(tx, clerk_kid, vault.clock())
    if request.public_key.kid == clerk_kid:
        raise ClerkEnrolsSelf(clerk=clerk)
    return certificate_issuing.prepare(
        tx, vault, authority, profile, subject, request.public_key, by=clerk
    )


def begin(
    tx: Session,
    order: Order,
    der: bytes,
    *,
    clerk_kid: str,
    checked: Collection[Checked],
    now: datetime,
) -> Enrolment:
    """Enter the signed certificate, suspended, and write the receipt for both to sign.

    Raises NothingChecked and as `keys.certificate_issuing.enter`.
    """
    if not checked:
        raise NothingChecked(clerk=order.by)
    suspended = CertificateState.SUSPENDED
    record = certificate_issuing.enter(tx, order, der, now=now, state=suspended)
    ways = sorted(way.value for way in checked)
    receipt = rfc8785.dumps(
        {
            "authority": record.authority,
            "certificate": record.serial,
            "checked": ways,
            "clerk": order.by,
            "clerk_key": clerk_kid,
            "key": record.kid,
            "opened_at": now.isoformat(),
            "profile": record.profile,
            "subject": record.subject,
        }
    )
    row = {
        "certificate": record.id,
        "clerk": order.by,
        "clerk_kid": clerk_kid,
        "checked": " ".join(ways),
        "receipt": receipt,
        "opened_at": now,
    }
    number = tx.execute(insert(enrolments).values(row).returning(enrolments.c.id)).scalar_one()
    _tell(tx, "enrolment.begun", number, order.by, now)
    return Enrolment(number, record, receipt)


def signers(tx: Session, number: int, now: datetime) -> tuple[PublicKey, PublicKey]:
    """Return the keys that sign the receipt: the clerk's and the holder's.

    Raises EnrolmentUnknown, ClerkNotCertified.
    """
    row, record = _open(tx, number)
    return _clerk_key(tx, row.clerk_kid, now), parse(record.der).public_key


def finish(
    tx: Session, number: int, *, clerk_signature: bytes, holder_signature: bytes, now: datetime
) -> CertificateRecord:
    """Check both signatures over the receipt and let the certificate count.

    Signatures are as `keys.verify.verify` takes them. Raises EnrolmentUnknown, ClerkNotCertified,
    ReceiptNotSigned, CertificateStateRefused.
    """
    row, record = _open(tx, number)
    clerk, holder = signers(tx, number, now)
    _check_signed("clerk", clerk, row.receipt, clerk_signature)
    _check_signed("holder", holder, row.receipt, holder_signature)
    signed = {
        "clerk_signature": clerk_signature,
        "holder_signature": holder_signature,
        "closed_at": now,
    }
    tx.execute(update(enrolments).where(enrolments.c.id == number).values(signed))
    _tell(tx, "enrolment.finished", number, row.clerk, now)
    return certificate_changes.resume(tx, record.authority, record.serial, by=row.clerk, now=now)


def break_off(tx: Session, number: int, *, by: str, now: datetime) -> CertificateRecord:
    """End a sitting without a certificate that counts. Raises EnrolmentUnknown."""
    _, record = _open(tx, number)
    tx.execute(update(enrolments).where(enrolments.c.id == number).values(closed_at=now))
    _tell(tx, "enrolment.broken_off", number, by, now)
    if record.state is CertificateState.REVOKED:  # by somebody who did not wait for this
        return record
    reason = Reason.CESSATION
    return certificate_changes.revoke(tx, record.authority, record.serial, reason, by=by, now=now)


def break_off_abandoned(tx: Session, *, by: str, now: datetime) -> int:
    """Break off every sitting that has lasted too long, and return how many."""
    abandoned = enrolments.c.closed_at.is_(None) & (enrolments.c.opened_at < now - SITTING)
    query = select(enrolments.c.id).where(abandoned).order_by(enrolments.c.id)
    numbers = tx.scalars(query.with_for_update(skip_locked=True)).all()
    for number in numbers:
        break_off(tx, number, by=by, now=now)
    return len(numbers)


def _open(tx: Session, number: int) -> tuple[Row[tuple[object, ...]], CertificateRecord]:
    """Return an open sitting, locked, and its certificate. Raises EnrolmentUnknown."""
    query = (
        select(enrolments, certificates.c.authority, certificates.c.serial)
        .join(certificates, certificates.c.id == enrolments.c.certificate)
        .where(enrolments.c.id == number, enrolments.c.closed_at.is_(None))
    )
    row = tx.execute(query.with_for_update(of=enrolments)).first()
    if row is None:
        raise EnrolmentUnknown(enrolment=number)
    return row, register.find(tx, row.authority, row.serial)


def _clerk_key(tx: Session, kid: str, now: datetime) -> PublicKey:
    for record in register.of_key(tx, kid):
        if record.profile == STAFF.name and record.counts_at(now):
            return parse(record.der).public_key
    raise ClerkNotCertified(kid=kid)


def _check_signed(signer: str, key: PublicKey, receipt: bytes, signature: bytes) -> None:
    try:
        verify(key, receipt, signature)
    except BadSignature as bad:
        raise ReceiptNotSigned(signer=signer, kid=key.kid) from bad


def _tell(tx: Session, action: str, number: int, actor: str, now: datetime) -> None:
    journal.append(tx, at=now, actor=actor, action=action, subject=str(number), details={})
