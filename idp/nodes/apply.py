"""A city takes in what its province tells it of people (I07): each telling once, only ever forward.

The sequence of a person decides: what is not newer than what was applied is a copy, or was overtaken
on the way, and changes nothing. Whoever is here already with the same number is the same person and
keeps how they sign in; another name or somebody else's phone is for a person to decide (`conflicts`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import evidence, lowering, outbox, sessions
from idp.accounts import PHONE
from idp.identity_documents import RULES
from idp.levels import Evidence, EvidenceKind
from idp.nodes import conflicts, import_rows
from idp.nodes.conflicts import By, Came
from idp.nodes.tables import AppliedRow
from idp.nodes.traveller import TRAVELLER, TRAVELLERS, Piece, Traveller
from idp.provider import Provider
from idp.sessions import Ending
from idp.tables import EvidenceRow, PersonRow
from keys import journal
from keys.identity_numbers import NumberWrong

_NO_PASSWORD = ("", import_rows.NO_PASSWORD)
_PIECE = "told_as"
"""Under what identifier the origin told of a piece of evidence."""

_SUBJECT = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Applied(StrEnum):
    """What became of what was told."""

    APPLIED = "applied"
    STALE = "stale"
    CONFLICT = "conflict"


class Disagreement(Exception):
    """Somebody else stands here where the person would: `reason` as of `conflicts.Came`."""

    def __init__(self, reason: str, subject: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.subject = subject


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a person is here, and whether they sign in here by something of their own."""

    row: PersonRow | None
    subject: str
    is_own: bool


def read(content: Mapping[str, Any]) -> tuple[Traveller, ...]:
    """The people of an event. Raises `ValueError`."""
    try:
        people = TRAVELLERS.validate_python(content.get("people"))
        if all(_is_somebody(one) for one in people):
            return people
    except (ValidationError, NumberWrong):
        pass
    raise ValueError("people")


def _is_somebody(told: Traveller) -> bool:
    """Is this told under a subject, and of a number as it is kept? Raises `NumberWrong`."""
    is_number = RULES[told.document].read(told.number) == told.number
    return is_number and _SUBJECT.fullmatch(told.subject) is not None and told.sequence > 0


def take(tx: Session, provider: Provider, origin: str, told: Traveller) -> Applied:
    """Apply what `origin` (an issuer identifier) told, or keep it for somebody's decision."""
    try:
        with tx.begin_nested():
            return apply(tx, provider, origin, told)
    except Disagreement as found:
        came = Came(origin, told.subject, By.PUSH, found.reason, found.subject)
        sealed = TRAVELLER.dump_json(told).decode()
        conflicts.keep(tx, provider, came, provider.protector.seal(sealed, provider.random))
        return Applied.CONFLICT


def apply(
    tx: Session, provider: Provider, origin: str, told: Traveller, *, agreed: bool = False
) -> Applied:
    """Apply what was told, if it is newer. `agreed`: somebody decided that it is the same person.

    Raises `Disagreement`, after which nothing of it may stay.
    """
    if not _moves_on(tx, provider, origin, told):
        return Applied.STALE
    place = _place(tx, provider, origin, told)
    if place.row is not None and place.row.name != told.name and place.is_own and not agreed:
        raise Disagreement("name", place.subject)
    _keep_person(tx, provider, place, told)
    _keep_evidence(tx, provider, origin, place.subject, told)
    if told.closed_at is not None and not place.is_own:
        for each in sorted(sessions.of_subject(tx, provider, place.subject), key=lambda s: s.sid):
            sessions.end(tx, provider, each.sid, by=origin, why=Ending.ACCOUNT_CLOSED)
    lowering.settle(tx, provider, place.subject, by=origin)
    conflicts.close(tx, provider, origin, (told.subject,))
    outbox.note(tx, provider, place.subject)
    journal.append(
        tx,
        at=provider.clock(),
        actor=origin,
        action="account.told",
        subject=place.subject,
        details={"sequence": told.sequence},
    )
    return Applied.APPLIED


def pass_over(tx: Session, provider: Provider, origin: str, told: Traveller) -> None:
    """Note that what was told is not taken, so that it is not told again until it changes."""
    _moves_on(tx, provider, origin, told)


def _moves_on(tx: Session, provider: Provider, origin: str, told: Traveller) -> bool:
    """Note the sequence if it is newer than the last: of two at once, the second waits and sees."""
    row = {
        "origin": origin,
        "subject": told.subject,
        "own": told.subject,
        "sequence": told.sequence,
        "applied_at": provider.clock(),
    }
    statement = insert(AppliedRow).values(row)
    newer = {name: statement.excluded[name] for name in ("sequence", "applied_at")}
    applied = statement.on_conflict_do_update(
        index_elements=[AppliedRow.origin, AppliedRow.subject],
        set_=newer,
        where=AppliedRow.sequence < statement.excluded.sequence,
    )
    return tx.scalar(applied.returning(AppliedRow.subject)) is not None


def _place(tx: Session, provider: Provider, origin: str, told: Traveller) -> _Place:
    """Find the person here: by what was applied before, else by number.

    Raises `Disagreement` when the subject is of another number here: nobody is told of as another.
    """
    applied = tx.get_one(AppliedRow, (origin, told.subject), populate_existing=True)
    index = provider.protector.index(*told.number_key)
    row = tx.get(PersonRow, applied.own)
    if row is None:
        row = tx.scalar(select(PersonRow).where(PersonRow.number_index == index))
    elif row.number_index != index:
        raise Disagreement("number", row.subject)
    subject = told.subject if row is None else row.subject
    if row is not None and applied.own != subject:
        applied.own = subject
        tx.flush()
    is_own = row is not None and subject != told.subject and row.password_hash not in _NO_PASSWORD
    return _Place(row, subject, is_own)


def _keep_person(tx: Session, provider: Provider, place: _Place, told: Traveller) -> None:
    """Store who the person is; how they are reached and sign in too, unless they were here before."""
    particulars = ("name", "ethnicity", "sex", "nationality", "birthdate")
    values: dict[str, Any] = {name: getattr(told, name) for name in particulars}
    if not place.is_own:
        values |= _ways_in(tx, provider, place.subject, told)
    if place.row is not None:
        tx.execute(update(PersonRow).where(PersonRow.subject == place.subject).values(values))
        return
    protector = provider.protector
    values |= {
        "subject": place.subject,
        "document": told.document,
        "number_index": protector.index(*told.number_key),
        "number_sealed": protector.seal(told.number, provider.random),
        "registered_at": told.registered_at,
    }
    statement = insert(PersonRow).values(values).on_conflict_do_nothing()
    if tx.scalar(statement.returning(PersonRow.subject)) is None:
        # Somebody registered here in this instant: they are found when it is told again.
        raise Disagreement("number", place.subject)


def _ways_in(tx: Session, provider: Provider, subject: str, told: Traveller) -> dict[str, Any]:
    """Phone, user name, password. Raises `Disagreement` for a phone that is somebody else's."""
    index = _phone_index(provider, told)
    others = PersonRow.subject != subject
    owner = tx.scalar(select(PersonRow.subject).where(PersonRow.phone_index == index, others))
    if owner is not None:
        raise Disagreement("phone", owner)
    named = select(PersonRow.subject).where(PersonRow.username == told.username, others)
    free = told.username is not None and tx.scalar(named) is None
    return {
        "phone_index": index,
        "phone_sealed": provider.protector.seal(told.phone, provider.random),
        "username": told.username if free else None,
        "password_hash": told.password_hash,
        "profile": dict(told.profile),
        "closed_at": told.closed_at,
    }


def _keep_evidence(
    tx: Session, provider: Provider, origin: str, subject: str, told: Traveller
) -> None:
    """Record the evidence that is new, and withdraw what the origin withdrew."""
    query = select(EvidenceRow).where(EvidenceRow.subject == subject, EvidenceRow.by == origin)
    known = {row.details.get(_PIECE): row for row in tx.scalars(query)}
    for piece in told.evidence:
        if piece.kind is EvidenceKind.UPSTREAM:
            continue  # of a sign-on there, and of nothing here
        row = known.get(str(piece.id))
        if row is None and piece.withdrawn_at is None:
            evidence.record(tx, provider, subject, _evidence(origin, piece))
        elif row is not None and row.withdrawn_at is None and piece.withdrawn_at is not None:
            evidence.withdraw(tx, provider, row.id, by=origin, why="withdrawn-at-origin")


def _evidence(origin: str, piece: Piece) -> Evidence:
    return Evidence(
        kind=piece.kind,
        source=piece.source,
        reference=piece.reference,
        compared=piece.compared,
        happened_at=piece.happened_at,
        valid_until=piece.valid_until,
        by=origin,
        details={_PIECE: str(piece.id)},
    )


def _phone_index(provider: Provider, told: Traveller) -> bytes:
    """What finds a person by phone; of a closed account, which has none, what finds nobody."""
    if told.phone:
        return provider.protector.index(PHONE, told.phone)
    return provider.protector.index("no-phone", told.subject)
