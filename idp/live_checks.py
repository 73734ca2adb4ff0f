"""高级: the person is seen live while something is being done, for this one transaction and once.

`claim` in a transaction, `start` in none, `begin` in another; then the person is seen elsewhere, and
`ask` and `decide` learn how it went. What is done is bound by its hash, so that nothing else can be
put in its place. No picture and no voice comes here: the check tells a score and the threshold.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import rfc8785
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from idp import accounts, throttle, transaction
from idp.level_errors import LiveCheckGone, LiveCheckPending
from idp.levels import HIGHEST_STANDING
from idp.method import METHODS, Method
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sources.live_person import LiveMethod, LiveOutcome, LiveResult, LiveSession
from idp.tables import LiveCheckRow
from idp.throttle import Limit
from idp.transaction import SeenLive, Transaction
from idp.vocabulary import Realm
from keys import jose, journal
from keys.algorithms import ES256, Purpose

LASTS = timedelta(minutes=10)
"""From its beginning to the end of the last token of its transaction."""

PER_PERSON = Limit("live-check-person", 10, timedelta(hours=1))

OFFERED: Mapping[LiveMethod, Method] = MappingProxyType(
    {
        LiveMethod.FACE: Method.LIVE_FACE,
        LiveMethod.VOICE: Method.LIVE_VOICE,
        LiveMethod.VIDEO: Method.LIVE_VIDEO,
    }
)
"""Ways to be seen live, and the method of a sign-in that each is."""

BUNDLE = "application/vnd.yinxin.live-check+json"
"""The content type of what is handed out for a dispute, so that it is taken for nothing else."""

_MACHINE = "algorithm"
"""What `decided_by` says when no clerk looked."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who is to be seen live, for which transaction of which client."""

    session: SignOn
    client_id: str
    transaction: Transaction
    number: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Check:
    """A live check as it is kept: its own identifier and its name at the source."""

    id: str
    at_source: str
    method: LiveMethod


def claim(
    tx: Session,
    provider: Provider,
    session: SignOn,
    client_id: str,
    details: Iterable[Mapping[str, Any]],
) -> Claim:
    """Read who is to be seen, for the transaction that `authorization_details` name.

    Raises `LiveCheckGone` for a request that names none, and for whoever is not signed in at 中级.
    """
    asked = transaction.named(details)
    if asked is None or session.realm is not Realm.CITIZEN or session.level < HIGHEST_STANDING:
        raise LiveCheckGone
    person = accounts.particulars(tx, provider, session.subject)
    return Claim(session, client_id, asked, person.number, person.name)


def start(provider: Provider, claimed: Claim, method: LiveMethod, back: str) -> LiveSession:
    """Have the check prepared where the person will be seen, who comes back to the address `back`.

    Call it outside any transaction. Raises `TooManyTries`, `SourceUnavailable`.
    """
    throttle.count(provider, PER_PERSON, claimed.session.subject)
    return provider.sources.live_person.begin(
        claimed.number, claimed.name, method, claimed.transaction.description, back
    )


def begin(
    tx: Session, provider: Provider, claimed: Claim, method: LiveMethod, started: LiveSession
) -> Check:
    """Bind the check to the transaction and to the sign-on."""
    now, check = provider.clock(), provider.handle(16)
    tx.add(
        LiveCheckRow(
            id=check,
            subject=claimed.session.subject,
            sid=claimed.session.sid,
            client_id=claimed.client_id,
            transaction_id=claimed.transaction.id,
            transaction_hash=claimed.transaction.hash,
            shown=claimed.transaction.description,
            method=method,
            at_source=started.id,
            begun_at=now,
            until=now + LASTS,
            details={},
        )
    )
    tx.flush()
    _journal(tx, provider, claimed.session.subject, "live-check.begun", check, {"method": method})
    return Check(check, started.id, method)


def awaited(tx: Session, provider: Provider, claimed: Claim) -> Check | None:
    """The latest check that was begun for this and that nobody has decided."""
    query = _of(provider, claimed.session, claimed.client_id, claimed.transaction)
    row = tx.scalar(query.where(LiveCheckRow.outcome.is_(None)))
    return None if row is None else Check(row.id, row.at_source, LiveMethod(row.method))


def ask(provider: Provider, check: Check) -> LiveResult:
    """Ask how the check went; outside any transaction.

    Raises `LiveCheckPending` while the person is not done, `SourceUnavailable`.
    """
    result = provider.sources.live_person.result(check.at_source)
    if result.outcome is LiveOutcome.PENDING:
        raise LiveCheckPending
    return result


def decide(tx: Session, provider: Provider, check: Check, result: LiveResult) -> bool:
    """Keep how the check went, once, with all that a dispute may ask for; say whether it is good.

    Raises `LiveCheckGone` when it was decided before, or has lapsed.
    """
    now, good = provider.clock(), is_good(result, check.method)
    outcome = LiveOutcome.PASSED if good else LiveOutcome.FAILED
    statement = (
        update(LiveCheckRow)
        .where(LiveCheckRow.id == check.id, LiveCheckRow.outcome.is_(None))
        .where(LiveCheckRow.until > now)
        .values(outcome=outcome, decided_at=now, details=_details(result))
        .returning(LiveCheckRow)
    )
    row = tx.scalar(statement)
    if row is None:
        raise LiveCheckGone
    row.evidence_hash = hashlib.sha256(rfc8785.dumps(record(row))).hexdigest()
    told = {"outcome": str(row.outcome), "method": row.method, "evidence": row.evidence_hash}
    _journal(tx, provider, row.subject, "live-check.decided", row.id, told)
    return good


def is_good(result: LiveResult, method: LiveMethod) -> bool:
    """Whether it was the person, alive, seen in the way asked for.

    A video is judged by a clerk, who is named; a machine's score must reach its threshold.
    """
    if result.outcome is not LiveOutcome.PASSED or result.method is not method:
        return False
    if method is LiveMethod.VIDEO:
        return result.decided_by not in ("", _MACHINE)
    return result.liveness and result.score >= result.threshold


def seen(
    tx: Session,
    provider: Provider,
    session: SignOn | None,
    client_id: str,
    details: Iterable[Mapping[str, Any]],
) -> SeenLive | None:
    """The good check of this sign-on for the transaction named, neither used nor lapsed."""
    asked = transaction.named(details)
    if session is None or asked is None:
        return None
    query = _of(provider, session, client_id, asked)
    good = LiveCheckRow.outcome == LiveOutcome.PASSED, LiveCheckRow.spent_at.is_(None)
    row = tx.scalar(query.where(*good))
    if row is None:
        return None
    amr = METHODS[OFFERED[LiveMethod(row.method)]].amr
    return SeenLive(row.id, row.transaction_id, row.transaction_hash, amr, row.until)


def use(tx: Session, provider: Provider, live: SeenLive) -> bool:
    """Use the check up, as one answer comes of it; say whether this call did."""
    statement = (
        update(LiveCheckRow)
        .where(LiveCheckRow.id == live.check, LiveCheckRow.spent_at.is_(None))
        .values(spent_at=provider.clock())
        .returning(LiveCheckRow.subject)
    )
    subject = tx.scalar(statement)
    if subject is None:
        return False
    _journal(tx, provider, subject, "live-check.used", live.check, {"hash": live.hash})
    return True


def of_subject(tx: Session, subject: str) -> list[dict[str, Any]]:
    """What is kept of every check of a person, oldest first."""
    query = select(LiveCheckRow).where(LiveCheckRow.subject == subject)
    return [record(row) for row in tx.scalars(query.order_by(LiveCheckRow.begun_at))]


def record(row: LiveCheckRow) -> dict[str, Any]:
    """What is kept of a decided check: method, times, transaction, decision; no face, no voice."""
    return {
        "id": row.id,
        "subject": row.subject,
        "session": row.sid,
        "client_id": row.client_id,
        "transaction": {"id": row.transaction_id, "hash": row.transaction_hash, "shown": row.shown},
        "method": row.method,
        "begun_at": _moment(row.begun_at),
        "decided_at": _moment(row.decided_at),
        "valid_until": _moment(row.until),
        "outcome": row.outcome,
        "source": dict(row.details),
    }


def bundle(provider: Provider, row: LiveCheckRow) -> str:
    """The record as a JWS (RFC 7515) that proves itself by our published keys; see `BUNDLE`.

    Whoever keeps it keeps our key set of the day with it, as keys are changed.
    """
    told = {
        "iss": provider.issuer,
        "told_at": _moment(provider.clock()),
        "record": record(row),
        "evidence_hash": row.evidence_hash,
        "used_at": _moment(row.spent_at),
    }
    return jose.sign_bytes(rfc8785.dumps(told), provider.signer(Purpose.ID_TOKEN, ES256), BUNDLE)


def _details(result: LiveResult) -> dict[str, Any]:
    """Numbers as text, so that every reader hashes the same."""
    return {
        "reference": result.reference,
        "liveness": result.liveness,
        "score": str(result.score),
        "threshold": str(result.threshold),
        "threshold_version": result.threshold_version,
        "decided_by": result.decided_by,
    }


def _of(
    provider: Provider, session: SignOn, client_id: str, asked: Transaction
) -> Select[LiveCheckRow]:
    """The checks of this very sign-on, client and transaction that have not lapsed, latest first."""
    return (
        select(LiveCheckRow)
        .where(LiveCheckRow.subject == session.subject, LiveCheckRow.sid == session.sid)
        .where(LiveCheckRow.client_id == client_id)
        .where(LiveCheckRow.transaction_id == asked.id)
        .where(LiveCheckRow.transaction_hash == asked.hash)
        .where(LiveCheckRow.until > provider.clock())
        .order_by(LiveCheckRow.begun_at.desc(), LiveCheckRow.id)
        .limit(1)
    )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _journal(
    tx: Session, provider: Provider, subject: str, action: str, check: str, also: Mapping[str, str]
) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=subject,
        action=action,
        subject=subject,
        details={"check": check, **also},
    )
