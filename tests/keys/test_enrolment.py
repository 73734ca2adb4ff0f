import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import rfc8785
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from keys import enrolment, register
from keys.algorithms import ES256, SM2_SM3
from keys.certificate_changes import revoke, suspend
from keys.certificate_issuing import issue, sign
from keys.certificate_names import CertificateUnfit, Subject
from keys.certificate_profiles import PERSON, SEAL_SIGNER, STAFF
from keys.certificate_states import CertificateState, Reason
from keys.csr import CsrBadSignature, SigningRequest, make_csr, read_csr
from keys.enrolment import (
    SITTING,
    Checked,
    ClerkEnrolsSelf,
    ClerkNotCertified,
    Enrolment,
    EnrolmentUnknown,
    NothingChecked,
    ReceiptNotSigned,
)
from keys.tables import enrolment as enrolments
from keys.tables import journal
from keys.vault import Vault
from tests.keys.authority_builders import BY, NAME, UNIT, USCC, issued, issuing
from tests.keys.key_builders import signer

HOLDER, CLERK = signer(SM2_SM3, 21), signer(ES256, 22)
WHOM = Subject("张䶮", number="P-000017")
WAYS = (Checked.FACE_COMPARED, Checked.CARD_READ)
SECOND = timedelta(seconds=1)


@pytest.fixture
def tx(database: Engine, vault: Vault) -> Iterator[Session]:
    """Opens with an authority and a clerk who has a staff certificate."""
    with Session(database) as session, session.begin():
        issuing(session, vault)
        clerk = Subject("周清和", "示例市行政审批局", USCC, number="HZ-7")
        issue(session, vault, NAME, STAFF, clerk, CLERK.public_key, by=BY)
        yield session


def request() -> SigningRequest:
    return read_csr(make_csr(HOLDER, WHOM))


def begun(tx: Session, vault: Vault, *, at: datetime | None = None) -> Enrolment:
    order = enrolment.prepare(
        tx, vault, NAME, PERSON, WHOM, request(), clerk="clerk", clerk_kid=CLERK.public_key.kid
    )
    return enrolment.begin(
        tx,
        order,
        sign(order),
        clerk_kid=CLERK.public_key.kid,
        checked=WAYS,
        now=at or vault.clock(),
    )


def test_a_sitting_ends_with_a_certificate_that_counts(
    tx: Session, vault: Vault, now: datetime
) -> None:
    sitting = begun(tx, vault)
    assert sitting.certificate.state is CertificateState.SUSPENDED
    assert sitting.certificate.reason is Reason.HOLD
    done = enrolment.finish(
        tx,
        sitting.id,
        clerk_signature=CLERK.sign(sitting.receipt),
        holder_signature=HOLDER.sign(sitting.receipt),
        now=now + SECOND,
    )
    assert done.state is CertificateState.VALID
    assert done.kid == HOLDER.public_key.kid
    row = tx.execute(select(enrolments)).one()
    assert (row.closed_at, row.receipt) == (now + SECOND, sitting.receipt)
    assert row.clerk_signature
    assert row.holder_signature


def test_the_receipt_says_who_gave_what_to_whom_and_how_they_were_checked(
    tx: Session, vault: Vault, now: datetime
) -> None:
    sitting = begun(tx, vault)
    told = json.loads(sitting.receipt)
    assert rfc8785.dumps(told) == sitting.receipt
    assert told == {
        "authority": NAME,
        "certificate": sitting.certificate.serial,
        "checked": ["face-compared", "identity-card-read"],
        "clerk": "clerk",
        "clerk_key": CLERK.public_key.kid,
        "key": HOLDER.public_key.kid,
        "opened_at": now.isoformat(),
        "profile": "person",
        "subject": "CN=张䶮,2.5.4.5=P-000017,C=CN",
    }


@pytest.mark.parametrize("who", ["clerk", "holder"])
@pytest.mark.parametrize("wrong", ["another key", "another receipt", "nothing"])
def test_without_both_signatures_the_certificate_stays_suspended(
    who: str, wrong: str, tx: Session, vault: Vault, now: datetime
) -> None:
    sitting = begun(tx, vault)
    signatures = {"clerk": CLERK.sign(sitting.receipt), "holder": HOLDER.sign(sitting.receipt)}
    true = CLERK if who == "clerk" else HOLDER
    signatures[who] = {
        "another key": signer(true.public_key.algorithm, 30).sign(sitting.receipt),
        "another receipt": true.sign(sitting.receipt + b" "),
        "nothing": b"",
    }[wrong]
    with pytest.raises(ReceiptNotSigned) as refused:
        enrolment.finish(
            tx,
            sitting.id,
            clerk_signature=signatures["clerk"],
            holder_signature=signatures["holder"],
            now=now,
        )
    assert refused.value.parameters["signer"] == who
    record = register.find(tx, NAME, sitting.certificate.serial)
    assert record.state is CertificateState.SUSPENDED
    assert tx.execute(select(enrolments.c.closed_at)).scalar_one() is None


def test_a_clerk_whose_certificate_does_not_count_enrols_nobody(
    tx: Session, vault: Vault, now: datetime
) -> None:
    sitting = begun(tx, vault)
    (own,) = register.of_key(tx, CLERK.public_key.kid)
    suspend(tx, NAME, own.serial, by=BY, now=now)
    with pytest.raises(ClerkNotCertified):
        begun(tx, vault)
    with pytest.raises(ClerkNotCertified):
        enrolment.finish(
            tx,
            sitting.id,
            clerk_signature=CLERK.sign(sitting.receipt),
            holder_signature=HOLDER.sign(sitting.receipt),
            now=now,
        )


def test_a_certificate_of_another_kind_makes_no_clerk(tx: Session, vault: Vault) -> None:
    record = issued(tx, vault, 23, profile=SEAL_SIGNER, about=UNIT)
    with pytest.raises(ClerkNotCertified):
        enrolment.prepare(
            tx, vault, NAME, PERSON, WHOM, request(), clerk="clerk", clerk_kid=record.kid
        )


def test_a_clerk_does_not_enrol_the_clerk_s_own_key(tx: Session, vault: Vault) -> None:
    own = read_csr(make_csr(CLERK, WHOM))
    with pytest.raises(ClerkEnrolsSelf):
        enrolment.prepare(
            tx, vault, NAME, PERSON, WHOM, own, clerk="clerk", clerk_kid=CLERK.public_key.kid
        )


def test_a_clerk_says_how_the_person_was_checked(tx: Session, vault: Vault, now: datetime) -> None:
    kid = CLERK.public_key.kid
    order = enrolment.prepare(
        tx, vault, NAME, PERSON, WHOM, request(), clerk="clerk", clerk_kid=kid
    )
    with pytest.raises(NothingChecked):
        enrolment.begin(tx, order, sign(order), clerk_kid=kid, checked=(), now=now)


def test_an_identity_number_gets_nowhere(tx: Session, vault: Vault) -> None:
    numbered = Subject("张三", number="11010519491231002X")
    with pytest.raises(CertificateUnfit):
        enrolment.prepare(
            tx,
            vault,
            NAME,
            PERSON,
            numbered,
            request(),
            clerk="clerk",
            clerk_kid=CLERK.public_key.kid,
        )


def test_a_request_without_the_private_key_does_not_get_here() -> None:
    forged = bytearray(make_csr(HOLDER, WHOM))
    forged[-1] ^= 1
    with pytest.raises(CsrBadSignature):
        read_csr(bytes(forged))


def test_a_sitting_broken_off_leaves_a_revoked_certificate(
    tx: Session, vault: Vault, now: datetime
) -> None:
    sitting = begun(tx, vault)
    gone = enrolment.break_off(tx, sitting.id, by="clerk", now=now)
    assert gone.state is CertificateState.REVOKED
    signed = {
        "clerk_signature": CLERK.sign(sitting.receipt),
        "holder_signature": HOLDER.sign(sitting.receipt),
    }
    with pytest.raises(EnrolmentUnknown):
        enrolment.finish(tx, sitting.id, **signed, now=now)
    with pytest.raises(EnrolmentUnknown):
        enrolment.break_off(tx, sitting.id, by="clerk", now=now)


def test_sittings_left_alone_are_broken_off_and_others_are_not(
    tx: Session, vault: Vault, now: datetime
) -> None:
    old, fresh = begun(tx, vault), begun(tx, vault, at=now + SECOND)
    late = now + SITTING + SECOND
    assert enrolment.break_off_abandoned(tx, by="job", now=late) == 1
    assert enrolment.break_off_abandoned(tx, by="job", now=late) == 0
    states = {
        sitting.id: register.find(tx, NAME, sitting.certificate.serial).state
        for sitting in (old, fresh)
    }
    assert states == {old.id: CertificateState.REVOKED, fresh.id: CertificateState.SUSPENDED}


def test_a_certificate_somebody_revoked_meanwhile_keeps_no_sitting_open(
    tx: Session, vault: Vault, now: datetime
) -> None:
    sitting, other = begun(tx, vault), begun(tx, vault)
    gone = revoke(
        tx, NAME, sitting.certificate.serial, Reason.KEY_COMPROMISE, by="officer", now=now
    )
    late = now + SITTING + SECOND
    assert enrolment.break_off_abandoned(tx, by="job", now=late) == 2
    assert register.find(tx, NAME, gone.serial) == gone
    assert register.find(tx, NAME, other.certificate.serial).state is CertificateState.REVOKED


def test_each_step_of_a_sitting_is_told(tx: Session, vault: Vault, now: datetime) -> None:
    first, second = begun(tx, vault), begun(tx, vault)
    enrolment.finish(
        tx,
        first.id,
        clerk_signature=CLERK.sign(first.receipt),
        holder_signature=HOLDER.sign(first.receipt),
        now=now,
    )
    enrolment.break_off(tx, second.id, by="supervisor", now=now)
    query = select(journal).where(journal.c.action.like("enrolment.%")).order_by(journal.c.id)
    told = [(row.action, row.actor, row.subject) for row in tx.execute(query)]
    assert told == [
        ("enrolment.begun", "clerk", str(first.id)),
        ("enrolment.begun", "clerk", str(second.id)),
        ("enrolment.finished", "clerk", str(first.id)),
        ("enrolment.broken_off", "supervisor", str(second.id)),
    ]
