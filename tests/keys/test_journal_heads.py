from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from keys import jose, journal, journal_heads
from keys.algorithms import ES256
from keys.jose import TokenWrongType
from keys.journal_faults import (
    JournalBroken,
    JournalCutOff,
    JournalHeadForged,
    JournalHeadMissing,
    JournalRewritten,
    JournalRowChanged,
)
from keys.journal_heads import Head
from keys.signer import PublicKey
from keys.software_signer import SoftwareSigner, generate
from keys.tables import journal as rows
from keys.tables import journal_head as heads

ROWS = 6
HEADS = (2, 4, 6)

Keys = Mapping[str, PublicKey]


@pytest.fixture
def keys(signer: SoftwareSigner) -> Keys:
    return {signer.public_key.kid: signer.public_key}


@pytest.fixture
def written(database: Engine, signer: SoftwareSigner, keys: Keys, now: datetime) -> Engine:
    """A journal of six rows, with a head after every second."""
    for position in HEADS:
        write(database, 2, now)
        assert sign_end(database, signer, keys, now) == position
    return database


def write(database: Engine, count: int, now: datetime) -> None:
    with Session(database) as tx, tx.begin():
        for number in range(count):
            journal.append(
                tx, at=now, actor="a", action="x.y", subject=f"s{number}", details={"n": number}
            )
        journal.chain(tx, lambda: now)


def next_head(tx: Session, keys: Keys, at: datetime) -> Head:
    return journal_heads.following(journal_heads.newest(tx, keys), *journal.end(tx), at)


def sign_end(database: Engine, signer: SoftwareSigner, keys: Keys, at: datetime) -> int:
    with Session(database) as tx, tx.begin():
        head = next_head(tx, keys, at)
        assert journal_heads.store(tx, journal_heads.sign(head, signer))
        return head.position


def verified(database: Engine, keys: Keys, first: int = 1, last: int | None = None) -> int:
    with Session(database) as tx:
        return journal.verify(tx, first, last, keys).heads


def rewrite(database: Engine, now: datetime) -> None:
    """Chain every row anew, as whoever owns the database can."""
    with Session(database) as tx, tx.begin():
        tx.execute(update(rows).values(position=None, digest=None))
        journal.chain(tx, lambda: now)


def test_a_head_tells_where_the_chain_ended_and_which_head_came_before(
    written: Engine, keys: Keys, now: datetime
) -> None:
    with Session(written) as tx:
        tokens = list(tx.scalars(select(heads.c.token).order_by(heads.c.position)))
        digests = list(
            tx.scalars(select(rows.c.digest).where(rows.c.position.in_(HEADS)).order_by(rows.c.id))
        )
    read = [journal_heads.read(token, keys) for token in tokens]
    assert [head.position for head in read] == list(HEADS)
    assert [head.digest for head in read] == digests
    assert [head.at for head in read] == [now] * 3
    before = ["", *(journal_heads.fingerprint(token) for token in tokens[:-1])]
    assert [head.previous for head in read] == before


def test_a_journal_with_heads_holds_whole_and_in_ranges(written: Engine, keys: Keys) -> None:
    with Session(written) as tx:
        whole = journal.verify(tx, keys=keys)
        assert (whole.rows, whole.heads, whole.last_position) == (6, 3, 6)
        assert whole.digest == journal.end(tx)[1]
        part = journal.verify(tx, 4, 5, keys)
        assert (part.rows, part.heads, part.last_position) == (2, 1, 5)


def test_rows_after_the_last_head_are_checked_too(
    written: Engine, keys: Keys, now: datetime
) -> None:
    write(written, 1, now)
    assert verified(written, keys) == 3
    with Session(written) as tx, tx.begin():
        tx.execute(update(rows).where(rows.c.position == 7).values(actor="other"))
    with pytest.raises(JournalRowChanged):
        verified(written, keys)


@pytest.mark.parametrize("kept", [5, 4, 1, 0])
def test_rows_cut_off_at_the_end_are_told_by_a_head(kept: int, written: Engine, keys: Keys) -> None:
    with Session(written) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position > kept))
    with pytest.raises(JournalCutOff) as broken:
        verified(written, keys)
    told = min(head for head in HEADS if head > kept)
    assert broken.value.parameters == {"position": kept + 1, "head": told}


def test_a_range_from_after_the_cut_finds_it_too(written: Engine, keys: Keys) -> None:
    with Session(written) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position > 3))
    with pytest.raises(JournalCutOff) as broken:
        verified(written, keys, 7)
    assert broken.value.parameters["position"] == 6


def test_a_chain_made_anew_is_not_the_one_that_was_signed(
    written: Engine, keys: Keys, now: datetime
) -> None:
    with Session(written) as tx, tx.begin():
        tx.execute(update(rows).where(rows.c.position == 3).values(actor="other"))
    rewrite(written, now)
    with Session(written) as tx:
        assert journal.verify(tx).rows == ROWS
    with pytest.raises(JournalRewritten) as broken:
        verified(written, keys)
    assert broken.value.parameters == {"position": 4}


def test_a_row_removed_and_the_chain_made_anew_is_not_the_one_that_was_signed(
    written: Engine, keys: Keys, now: datetime
) -> None:
    with Session(written) as tx, tx.begin():
        tx.execute(delete(rows).where(rows.c.position == 5))
    rewrite(written, now)
    with pytest.raises(JournalCutOff) as broken:
        verified(written, keys)
    assert broken.value.parameters == {"position": 6, "head": 6}


def test_a_range_does_not_start_from_a_digest_that_its_head_denies(
    written: Engine, keys: Keys, now: datetime
) -> None:
    with Session(written) as tx, tx.begin():
        tx.execute(update(rows).where(rows.c.position == 1).values(actor="other"))
    rewrite(written, now)
    with pytest.raises(JournalRewritten) as broken:
        verified(written, keys, 3, 3)
    assert broken.value.parameters == {"position": 2}


def test_a_head_by_another_key_is_refused(written: Engine) -> None:
    stranger = SoftwareSigner(generate(ES256)).public_key
    with pytest.raises(JournalHeadForged) as broken:
        verified(written, {stranger.kid: stranger})
    assert broken.value.parameters["position"] == 2


def test_a_head_forged_with_another_key_is_refused(
    written: Engine, keys: Keys, now: datetime
) -> None:
    with Session(written) as tx, tx.begin():
        tx.execute(delete(heads).where(heads.c.position == 6))
    sign_end(written, SoftwareSigner(generate(ES256)), keys, now)
    with pytest.raises(JournalHeadForged) as broken:
        verified(written, keys)
    assert broken.value.parameters["position"] == 6


def test_a_signed_text_that_is_not_a_head_is_refused(signer: SoftwareSigner, keys: Keys) -> None:
    with pytest.raises(TokenWrongType):
        journal_heads.read(jose.sign_bytes(b"{}", signer, "application/other+json"), keys)


def test_a_removed_head_is_missed(written: Engine, keys: Keys) -> None:
    for position, missed_at in ((4, 6), (2, 6)):
        with Session(written) as tx, tx.begin():
            tx.execute(delete(heads).where(heads.c.position == position))
        with pytest.raises(JournalHeadMissing) as broken:
            verified(written, keys)
        assert broken.value.parameters == {"position": missed_at}


def test_heads_by_old_and_new_keys_hold_together(
    written: Engine, keys: Keys, now: datetime
) -> None:
    newer = SoftwareSigner(generate(ES256))
    write(written, 2, now)
    sign_end(written, newer, keys, now)
    assert verified(written, {**keys, newer.public_key.kid: newer.public_key}) == 4


def test_a_clock_that_steps_back_never_makes_a_head_earlier_than_the_one_before(
    written: Engine, signer: SoftwareSigner, keys: Keys, now: datetime
) -> None:
    write(written, 1, now - timedelta(hours=1))
    sign_end(written, signer, keys, now - timedelta(hours=1))
    with Session(written) as tx:
        assert list(tx.scalars(select(heads.c.signed_at))) == [now] * 4
    assert verified(written, keys) == 4


def test_a_head_that_was_overtaken_is_not_kept(
    written: Engine, signer: SoftwareSigner, keys: Keys, now: datetime
) -> None:
    write(written, 1, now)
    with Session(written) as tx:
        late = next_head(tx, keys, now)
    write(written, 1, now)
    sign_end(written, signer, keys, now)
    with Session(written) as tx, tx.begin():
        assert not journal_heads.store(tx, journal_heads.sign(late, signer))
    assert verified(written, keys) == 4


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)
TIME = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ROW_CHANGES: Mapping[str, st.SearchStrategy[Any]] = {
    "id": st.integers(10**6, 10**9),
    "at": TIME,
    "actor": TEXT,
    "action": TEXT,
    "subject": TEXT,
    "details": st.dictionaries(st.sampled_from("nm"), st.integers() | st.floats(-9, 9) | TEXT),
    "position": st.none() | st.integers(-9, 0) | st.integers(ROWS + 1, 99),
    "digest": st.none() | st.binary(max_size=40),
    "chained_at": st.none() | TIME,
}
HEAD_CHANGES: Mapping[str, st.SearchStrategy[Any]] = {
    "position": st.sampled_from((1, 3, 5)) | st.integers(ROWS + 1, 99),
    "digest": st.binary(max_size=40),
    "kid": TEXT,
    "token": TEXT,
    "signed_at": TIME,
}


def test_every_column_of_a_row_and_of_a_head_is_tried() -> None:
    assert set(rows.c.keys()) == set(ROW_CHANGES)
    assert set(heads.c.keys()) == set(HEAD_CHANGES)


@given(data=st.data(), column=st.sampled_from(sorted(ROW_CHANGES)), place=st.integers(1, ROWS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_changed_in_a_row_its_place_is_named(
    data: st.DataObject, column: str, place: int, written: Engine, keys: Keys
) -> None:
    with Session(written) as tx:
        row = rows.c.position == place
        value = data.draw(ROW_CHANGES[column])
        assume(value != tx.scalar(select(rows.c[column]).where(row)))
        tx.execute(update(rows).where(row).values({column: value}))
        with pytest.raises(JournalBroken) as broken:
            journal.verify(tx, keys=keys)
    assert broken.value.parameters["position"] == place


@given(data=st.data(), column=st.sampled_from(sorted(HEAD_CHANGES)), place=st.sampled_from(HEADS))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_changed_in_a_head_is_noticed(
    data: st.DataObject, column: str, place: int, written: Engine, keys: Keys
) -> None:
    with Session(written) as tx:
        head = heads.c.position == place
        value = data.draw(HEAD_CHANGES[column])
        assume(value != tx.scalar(select(heads.c[column]).where(head)))
        tx.execute(update(heads).where(head).values({column: value}))
        with pytest.raises((JournalHeadForged, JournalHeadMissing)):
            journal.verify(tx, keys=keys)


def test_a_head_kept_elsewhere_tells_what_those_in_the_database_cannot(
    written: Engine, signer: SoftwareSigner, keys: Keys, now: datetime
) -> None:
    with Session(written) as tx:
        token = tx.scalars(select(heads.c.token).order_by(heads.c.position)).all()[1]
        kept = journal_heads.read(token, keys)
        journal.compare(tx, kept)
    # Whoever has the database may also have put a key of the journal into it.
    intruder = SoftwareSigner(generate(ES256))
    own = {intruder.public_key.kid: intruder.public_key}
    with Session(written) as tx, tx.begin():
        tx.execute(delete(heads))
        tx.execute(delete(rows).where(rows.c.subject == "s1"))
    rewrite(written, now)
    assert sign_end(written, intruder, own, now) == 3
    assert verified(written, own) == 1
    with Session(written) as tx, pytest.raises(JournalCutOff):
        journal.compare(tx, kept)
    write(written, 2, now)
    with Session(written) as tx, pytest.raises(JournalRewritten):
        journal.compare(tx, kept)
