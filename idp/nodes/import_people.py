"""A city's existing users become the province's (I05): each row new, merged, in conflict or refused.

`judge` is the rule, and pure. The rest does it for many rows at a time, a transaction each: what was
done is kept by city and row, so that the same file may come again and again, and a run that broke
off goes on where it was. No evidence is made of a row, so nobody's level moves.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp import outbox
from idp.nodes import conflicts, import_rows, many
from idp.nodes.conflicts import By, Came
from idp.nodes.import_file import Line
from idp.nodes.import_rows import Entry, RowRefused
from idp.nodes.peers import Peer
from idp.nodes.tables import ImportedRow
from idp.provider import Provider
from idp.tables import PersonRow
from keys import journal

CHUNK = 1000
"""How many rows one transaction takes: none holds its locks for long, and little is done again."""


class Outcome(StrEnum):
    """What became of a row."""

    NEW = "new"
    MERGED = "merged"
    CONFLICT = "conflict"
    REJECTED = "rejected"


SETTLED = (Outcome.NEW, Outcome.MERGED)
"""What a later file does not change; the others are judged again."""

NAME, CLOSED, PHONE, CHANGED = "name", "closed", "phone", "changed"
WITHOUT_USERNAME = "username-taken"
REFUSED = "refused"
"""What a person decided of a conflict: the row is not taken until the city changes it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row, why, and whose account it is now."""

    row: str
    outcome: Outcome
    reason: str = ""
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is here already."""

    subject: str
    name: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Here:
    """Who of the people in a chunk of rows is here: by number, and whose phone and user name are taken."""

    by_number: Mapping[bytes, Known]
    by_phone: Mapping[bytes, str]
    usernames: frozenset[str]


def judge(entry: Entry, here: Here) -> Result:
    """What is to become of a row, with whom we know.

    One number is one person: whoever is here with it and has the same name is merged, and stays as
    they are here. Another name, a closed account, or a phone of somebody else is for a person to
    decide.
    """
    known = here.by_number.get(entry.number_index)
    if known is None:
        owner = here.by_phone.get(entry.phone_index)
        if owner is not None:
            return Result(entry.row, Outcome.CONFLICT, PHONE, owner)
        taken = entry.username in here.usernames
        return Result(entry.row, Outcome.NEW, WITHOUT_USERNAME if taken else "")
    if known.closed:
        return Result(entry.row, Outcome.CONFLICT, CLOSED, known.subject)
    if known.name != entry.name:
        return Result(entry.row, Outcome.CONFLICT, NAME, known.subject)
    return Result(entry.row, Outcome.MERGED, subject=known.subject)


def take(provider: Provider, city: Peer, lines: Iterable[Line], *, by: str) -> Iterator[Result]:
    """Take every row of a city and yield what became of each, in their order, chunk by chunk.

    Call it outside any transaction.
    """
    remaining = iter(lines)
    while chunk := list(islice(remaining, CHUNK)):
        # The numbers are indexed and sealed before the transaction: that is half the work.
        read = _each_once(_read(provider, line) for line in chunk)
        entries = [one for one in read if isinstance(one, Entry)]
        with provider.begin() as tx:
            done = take_entries(tx, provider, city, entries, by=by)
        for one in read:
            yield one if isinstance(one, Result) else done[one.row]


def take_entries(
    tx: Session, provider: Provider, city: Peer, entries: Sequence[Entry], *, by: str
) -> dict[str, Result]:
    """Take rows that were checked; return what became of each, by its identifier."""
    done = _done_before(tx, city, entries)
    fresh = [entry for entry in entries if entry.row not in done]
    left = {entry.row: entry for entry in fresh}
    while left:
        here = _here(tx, left.values())
        judged = [judge(entry, here) for entry in left.values()]
        # Whoever loses to another row, or to a registration of the same instant, waits for it and
        # is judged again beside the winner.
        for result in _open_accounts(tx, provider, left, judged):
            done[result.row] = result
            del left[result.row]
    _remember(tx, provider, city, [(entry, done[entry.row]) for entry in fresh])
    made = [done[entry.row] for entry in fresh]
    outbox.note_many(
        tx, provider, [r.subject for r in made if r.outcome is Outcome.NEW and r.subject]
    )
    if made:
        _tell_journal(tx, provider, city, made, by)
    return done


def _read(provider: Provider, line: Line) -> Entry | Result:
    try:
        return import_rows.checked(provider, line)
    except RowRefused as refused:
        return Result(refused.row, Outcome.REJECTED, refused.reason)


def _each_once(read: Iterable[Entry | Result]) -> list[Entry | Result]:
    """A row that comes twice is one; another row under the same identifier is refused."""
    found: list[Entry | Result] = []
    digests: dict[str, bytes] = {}
    for one in read:
        if isinstance(one, Entry) and digests.setdefault(one.row, one.digest) != one.digest:
            found.append(Result(one.row, Outcome.REJECTED, CHANGED))
        else:
            found.append(one)
    return found


def _done_before(tx: Session, city: Peer, entries: Sequence[Entry]) -> dict[str, Result]:
    """What an earlier file settled; the same row is told again, another under its name is refused."""
    digests = {entry.row: entry.digest for entry in entries}
    rows = many.among(ImportedRow.row, digests)
    columns = (
        ImportedRow.row,
        ImportedRow.digest,
        ImportedRow.outcome,
        ImportedRow.reason,
        ImportedRow.subject,
    )
    done = {}
    for row in tx.execute(select(*columns).where(ImportedRow.source == city.issuer, rows)):
        before = Result(row.row, Outcome(row.outcome), row.reason, row.subject)
        is_same = row.digest == digests[row.row]
        if before.outcome in SETTLED:
            done[row.row] = before if is_same else Result(row.row, Outcome.REJECTED, CHANGED)
        elif before.outcome is Outcome.REJECTED and is_same:
            done[row.row] = before
    return done


def _here(tx: Session, entries: Collection[Entry]) -> Here:
    """Who is here of those that the rows speak of; three look-ups by index."""
    numbers = [entry.number_index for entry in entries]
    phones = [entry.phone_index for entry in entries]
    names = [entry.username for entry in entries if entry.username is not None]
    known = select(PersonRow.number_index, PersonRow.subject, PersonRow.name, PersonRow.closed_at)
    owners = select(PersonRow.phone_index, PersonRow.subject)
    taken = select(PersonRow.username).where(many.among(PersonRow.username, names))
    return Here(
        by_number={
            row.number_index: Known(row.subject, row.name, row.closed_at is not None)
            for row in tx.execute(known.where(many.among(PersonRow.number_index, numbers)))
        },
        by_phone={
            row.phone_index: row.subject
            for row in tx.execute(owners.where(many.among(PersonRow.phone_index, phones)))
        },
        usernames=frozenset(name for name in tx.scalars(taken) if name) if names else frozenset(),
    )


def _open_accounts(
    tx: Session, provider: Provider, entries: Mapping[str, Entry], judged: Sequence[Result]
) -> list[Result]:
    """Open the accounts of those who are new; return what is settled by now."""
    new = {provider.random(16).hex(): result for result in judged if result.outcome is Outcome.NEW}
    settled = [result for result in judged if result.outcome is not Outcome.NEW]
    if not new:
        return settled
    rows = [
        account(provider, entries[result.row], subject, with_username=not result.reason)
        for subject, result in new.items()
    ]
    # In one order for everybody: two imports at once do not wait for each other in a circle.
    rows.sort(key=itemgetter("number_index"))
    inserting = many.inserting(PersonRow, rows, profile={})
    opened = tx.scalars(inserting.on_conflict_do_nothing().returning(PersonRow.subject))
    return [*settled, *(replace(new[subject], subject=subject) for subject in opened)]


def account(
    provider: Provider, entry: Entry, subject: str, *, with_username: bool
) -> dict[str, Any]:
    """The row of a new account, of which nothing is said but this."""
    protector = provider.protector
    return {
        "subject": subject,
        "document": entry.document,
        "number_index": entry.number_index,
        "number_sealed": protector.seal(entry.number, provider.random),
        "phone_index": entry.phone_index,
        "phone_sealed": protector.seal(entry.phone, provider.random),
        "name": entry.name,
        "ethnicity": entry.ethnicity,
        "sex": entry.sex,
        "nationality": entry.nationality,
        "birthdate": entry.birthdate,
        "username": entry.username if with_username else None,
        "password_hash": entry.password_hash,
        "registered_at": entry.registered_at,
    }


def _remember(
    tx: Session, provider: Provider, city: Peer, made: Sequence[tuple[Entry, Result]]
) -> None:
    if not made:
        return
    rows = [
        {
            "row": entry.row,
            "digest": entry.digest,
            "outcome": result.outcome.value,
            "reason": result.reason,
            "subject": result.subject,
        }
        for entry, result in made
    ]
    statement = many.inserting(ImportedRow, rows, source=city.issuer, at=provider.clock())
    told = {name: statement.excluded[name] for name in (*rows[0], "at") if name != "row"}
    keys = [ImportedRow.source, ImportedRow.row]
    tx.execute(statement.on_conflict_do_update(index_elements=keys, set_=told))
    waiting = [(entry, result) for entry, result in made if result.outcome is Outcome.CONFLICT]
    over = [entry.row for entry, result in made if result.outcome is not Outcome.CONFLICT]
    conflicts.close(tx, provider, city.issuer, over)
    for entry, result in waiting:
        came = Came(city.issuer, entry.row, By.IMPORT, result.reason, result.subject or "")
        conflicts.keep(tx, provider, came, import_rows.sealed(provider, entry))


def _tell_journal(
    tx: Session, provider: Provider, city: Peer, made: Sequence[Result], by: str
) -> None:
    """One row for many people: which account came of which row is kept with the rows."""
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action="people.imported",
        subject=city.issuer,
        details=Counter(result.outcome.value for result in made),
    )
