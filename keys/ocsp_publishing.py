"""OCSP answers for every certificate of an authority: signed beforehand, in batches, and given out.

Whoever asks gets bytes that lie ready: a question costs one look into the database and no
signature, and nobody who asks reaches a private key (RFC 5019 §1).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row, and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_or_replace
from sqlalchemy.orm import Session

from keys import authorities
from keys.algorithms import Purpose
from keys.authorities import Authority
from keys.certificate_issuing import AuthorityKeyChanged
from keys.certificate_states import CertificateState, Reason
from keys.certificates import parse
from keys.crl import Entry
from keys.key_rows import KeyNotFound
from keys.ocsp import (
    OcspMalformed,
    Refusal,
    Responder,
    build_answer,
    is_by,
    read_question,
    refusal,
)
from keys.tables import authority as authority_rows
from keys.tables import certificate as certificates
from keys.tables import ocsp_answer
from keys.vault import CertificateNotFound, Vault

LASTS = timedelta(hours=24)
_RENEWED_BEFORE_END = timedelta(hours=12)
_BATCH = 500
_BY = "ocsp"

_Begin = Callable[[], AbstractContextManager[Session]]
_Row = Row[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back; the two moments are None for a refusal, which nobody may keep."""

    der: bytes
    made_at: datetime | None = None
    next_update: datetime | None = None


def refresh(begin: _Begin, vault: Vault, clock: Callable[[], datetime]) -> int:
    """Make the answers that are missing, ageing, or no longer true; return how many. A job.

    Authorities that cannot answer (roots without a responder) are passed over; one that fails does
    not keep the others from theirs. Raises ExceptionGroup of what `refresh_authority` raised.
    """
    with begin() as tx:
        names = [authority.name for authority in authorities.every(tx)]
        _forget_ended(tx, clock())
    made, failures = 0, list[Exception]()
    for name in names:
        try:
            made += refresh_authority(begin, vault, clock, name)
        except Exception as failure:  # told together, below
            failures.append(failure)
    if failures:
        raise ExceptionGroup("answers that could not be made", failures)
    return made


def refresh_authority(begin: _Begin, vault: Vault, clock: Callable[[], datetime], name: str) -> int:
    """Make the answers of one authority that are due; return how many.

    Raises AuthorityUnknown, AuthorityKeyChanged, and what the signer raises.
    """
    made, after = 0, 0
    while True:
        with begin() as tx:
            authority, now = authorities.find(tx, name), clock()
            due = _due(tx, name, now, after)
            responder = _responder(tx, vault, authority, now) if due else None
        if responder is None:
            return made
        answers = [_answer(authority, responder, row, now) for row in due]
        with begin() as tx:
            _store(tx, answers)
        made, after = made + len(due), due[-1].id


def respond(tx: Session, name: str, question: bytes, now: datetime) -> Reply:
    """Return the answer to a DER OCSPRequest, or a refusal.

    About a certificate that the authority never issued nothing is told (RFC 5019 §2.2.3,
    unauthorized), and nothing out of date either.
    """
    try:
        asked = read_question(question)
    except OcspMalformed:
        return Reply(refusal(Refusal.MALFORMED))
    about = and_(
        ocsp_answer.c.authority == authority_rows.c.name,
        ocsp_answer.c.serial == f"{asked.serial:x}",
    )
    columns = (ocsp_answer.c.der, ocsp_answer.c.made_at, ocsp_answer.c.next_update)
    query = select(authority_rows.c.der.label("issuer"), *columns).join(ocsp_answer, about)
    found = tx.execute(query.where(authority_rows.c.name == name)).first()
    if found is None or not is_by(asked, parse(found.issuer)):
        return Reply(refusal(Refusal.UNAUTHORIZED))
    if found.next_update <= now:
        return Reply(refusal(Refusal.TRY_LATER))
    return Reply(found.der, found.made_at, found.next_update)


def _responder(tx: Session, vault: Vault, authority: Authority, now: datetime) -> Responder | None:
    """Return who signs: a responder the authority appointed, else an issuing authority itself."""
    with suppress(KeyNotFound, CertificateNotFound):
        appointed = parse(vault.certificate(tx, Purpose.OCSP, authority.name)[0])
        # Whoever keeps an answer to its end must still find the responder's certificate good.
        if appointed.not_before <= now and now + LASTS <= appointed.not_after:
            signer = vault.signer(tx, Purpose.OCSP, authority.name, by=_BY)
            return Responder(signer, appointed)
    if authority.purpose is not Purpose.CERTIFICATES:
        return None
    signer = vault.signer(tx, authority.purpose, authority.name, by=_BY)
    if signer.public_key.kid != authority.kid:
        raise AuthorityKeyChanged(authority=authority.name)
    return Responder(signer, None)


def _due(tx: Session, name: str, now: datetime, after: int) -> list[_Row]:
    ready, issued = ocsp_answer.c, certificates.c
    about = and_(ready.authority == issued.authority, ready.serial == issued.serial)
    is_due = or_(
        ready.made_at.is_(None),
        # Not by comparing moments: a change may be committed after an answer of a later second.
        ready.state != issued.state,
        ready.changed_at.is_distinct_from(issued.changed_at),
        ready.next_update < now + _RENEWED_BEFORE_END,
    )
    query = (
        select(issued.id, issued.serial, issued.state, issued.changed_at, issued.reason)
        .outerjoin(ocsp_answer, about)
        .where(issued.authority == name, issued.id > after, issued.not_after >= now, is_due)
        .order_by(issued.id)
        .limit(_BATCH)
    )
    return list(tx.execute(query))


def _answer(
    authority: Authority, responder: Responder, row: _Row, now: datetime
) -> dict[str, object]:
    serial, revoked = int(row.serial, 16), None
    if row.state != CertificateState.VALID:
        revoked = Entry(serial, row.changed_at, row.reason or Reason.UNSPECIFIED)
    ends, issuer = now + LASTS, authority.certificate
    return {
        "authority": authority.name,
        "serial": row.serial,
        "der": build_answer(issuer, responder, serial, revoked, now, ends),
        "state": row.state,
        "changed_at": row.changed_at,
        "made_at": now,
        "next_update": ends,
    }


def _store(tx: Session, answers: list[dict[str, object]]) -> None:
    # Never an older answer over a newer one: another process, or a clock that was set back.
    insert = insert_or_replace(ocsp_answer)
    new = insert.excluded
    tx.execute(
        insert.on_conflict_do_update(
            index_elements=[ocsp_answer.c.authority, ocsp_answer.c.serial],
            set_={name: new[name] for name in answers[0]},
            where=ocsp_answer.c.made_at <= new.made_at,
        ),
        answers,
    )


def _forget_ended(tx: Session, now: datetime) -> None:
    """Drop the answers that have ended about certificates that have: lists tell of those."""
    tx.execute(
        delete(ocsp_answer).where(
            ocsp_answer.c.next_update <= now,  # which an index finds among very many
            ocsp_answer.c.authority == certificates.c.authority,
            ocsp_answer.c.serial == certificates.c.serial,
            certificates.c.not_after < now,
        )
    )
