"""One person known in two systems without the number travelling: a keyed hash of number and name.

As the national platform recognises the users of provinces: both sides make the handle from what they
hold, under a key that only these two have, so that it says nothing to anybody else and cannot be
compared with the handle for a third. Who is told a handle in place of a number finds the person in
`recognition`, which holds one handle of each person per partner.
"""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.nodes.tables import RecognitionRow
from idp.provider import Provider
from idp.recognition_partner import Partner
from idp.tables import PersonRow

_AT_ONCE = 1000


def recognise(provider: Provider, subject: str) -> None:
    """Make a person's handles anew, for every partner; the job `PERSON_JOB`."""
    with provider.begin() as tx:
        for partner in provider.node.partners:
            of_them = RecognitionRow.partner == partner.name, RecognitionRow.subject == subject
            tx.execute(delete(RecognitionRow).where(*of_them))
            told = handle_of(tx, provider, partner, subject)
            if told is not None:
                row = {"partner": partner.name, "subject": subject, "handle": told}
                tx.execute(insert(RecognitionRow).values(row).on_conflict_do_nothing())


def recognise_everybody(provider: Provider) -> None:
    """Make the handles that people have not got yet, for every partner; the job `EVERYBODY_JOB`."""
    for partner in provider.node.partners:
        made = _AT_ONCE
        while made == _AT_ONCE:
            with provider.begin() as tx:
                made = enrol(tx, provider, partner, _AT_ONCE)


def enrol(tx: Session, provider: Provider, partner: Partner, most: int) -> int:
    """Make the handles of people who have none yet for this partner, at most so many; say how many.

    Of two papers with one number and name the second gets none: the handle stands for one person.
    """
    known = select(RecognitionRow.subject).where(RecognitionRow.partner == partner.name)
    query = select(PersonRow.subject, PersonRow.number_sealed, PersonRow.name).where(
        PersonRow.closed_at.is_(None), PersonRow.subject.not_in(known)
    )
    people = tx.execute(query.order_by(PersonRow.subject).limit(most)).all()
    rows = [
        {
            "partner": partner.name,
            "subject": person.subject,
            "handle": partner.handle(provider.protector.open(person.number_sealed), person.name),
        }
        for person in people
    ]
    if not rows:
        return 0
    made = insert(RecognitionRow).values(rows).on_conflict_do_nothing()
    return len(tx.scalars(made.returning(RecognitionRow.subject)).all())


def recognised(tx: Session, partner: Partner, handle: bytes) -> str | None:
    """The open account that the partner's handle stands for, or `None`."""
    query = select(RecognitionRow.subject).where(
        RecognitionRow.partner == partner.name, RecognitionRow.handle == handle
    )
    open_account = PersonRow.closed_at.is_(None)
    found: str | None = tx.scalar(
        query.join(PersonRow, PersonRow.subject == RecognitionRow.subject).where(open_account)
    )
    return found


def handle_of(tx: Session, provider: Provider, partner: Partner, subject: str) -> bytes | None:
    """What the partner is told of an open account in place of its number; `None` for none."""
    row = tx.get(PersonRow, subject)
    if row is None or row.closed_at is not None:
        return None
    return partner.handle(provider.protector.open(row.number_sealed), row.name)
