import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from keys.algorithms import ES256, SM2_SM3
from keys.envelope import Channel
from keys.envelope_channel import (
    WINDOW,
    Arrival,
    Window,
    admit,
    admit_to,
    arrive,
    next_sequence,
    receive,
)
from keys.envelope_letter import EnvelopeReplayed
from keys.software_opener import SoftwareOpener
from keys.software_signer import SoftwareSigner, ec_material
from keys.tables import journal

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "envelope.json").read_text())
NOW = datetime.fromisoformat(VECTORS["now"])
ALGORITHMS = {"gm": SM2_SM3, "jose": ES256}
both = pytest.mark.parametrize("form", ["gm", "jose"])

# Steps from number to number: mostly near, sometimes to the edge of the window or far away.
STEPS = st.lists(
    st.one_of(
        st.integers(-8, 8),
        st.integers(WINDOW - 3, WINDOW + 3),
        st.integers(-WINDOW - 3, -WINDOW + 3),
        st.sampled_from([10**6, 2**53]),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS)
def test_the_window_is_a_plain_set_that_forgets_what_is_too_old(steps: list[int]) -> None:
    window, seen, sequence = Window(), set[int](), 0
    for step in steps:
        sequence += step
        fresh = sequence > max(0, *seen, 0) - WINDOW and sequence >= 1 and sequence not in seen
        moved = admit_to(window, sequence)
        assert (moved is not None) == fresh
        if moved is not None:
            window = moved
            seen.add(sequence)
        assert window.newest == max(seen, default=0)
        assert window.seen.bit_length() <= WINDOW


def test_each_number_in_the_window_is_taken_once_in_any_order() -> None:
    window = Window()
    for sequence in (5, 1, 3, 2, 4):
        taken = admit_to(window, sequence)
        assert taken is not None
        window = taken
    assert [admit_to(window, sequence) for sequence in range(-1, 6)] == [None] * 7


def take(database: Engine, channel: str, sequence: int) -> bool:
    try:
        with Session(database) as tx, tx.begin():
            admit(tx, channel, sequence)
    except EnvelopeReplayed:
        return False
    return True


def test_the_window_is_kept_for_each_channel(database: Engine) -> None:
    assert take(database, "one", 2**53 - 1)
    assert take(database, "two", 1)
    assert not take(database, "one", 1)
    assert not take(database, "two", 1)
    assert take(database, "two", 2)


def test_a_number_of_a_transaction_that_failed_can_come_again(database: Engine) -> None:
    with Session(database) as tx:
        admit(tx, "one", 1)
        tx.rollback()
    assert take(database, "one", 1)


def test_of_many_who_bring_the_same_numbers_at_once_one_is_heard(database: Engine) -> None:
    numbers = list(range(1, 13)) * 4
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda sequence: take(database, "one", sequence), numbers))
    assert sum(taken) == 12


def test_senders_at_once_get_each_number_once(database: Engine) -> None:
    def number(_: int) -> int:
        with Session(database) as tx, tx.begin():
            return next_sequence(tx, "one")

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(number, range(40))) == list(range(1, 41))
    with Session(database) as tx:
        assert next_sequence(tx, "two") == 1


# The vectors, as they arrive one after another.


def key(form: str, name: str) -> int:
    return int(VECTORS[form]["keys"][name]["d"], 16)


def arriving(form: str, why: str) -> Arrival:
    algorithm = ALGORITHMS[form]
    (case,) = (case for case in VECTORS[form]["vectors"] if case["why"] == why)
    sender = SoftwareSigner(ec_material(algorithm, key(form, "sender"))).public_key
    opener = SoftwareOpener(ec_material(algorithm, key(form, "receiver")))
    channel = Channel(VECTORS["channel"], {sender.kid: sender})
    return arrive(base64.b64decode(case["envelope"]), opener, channel, NOW)


def received(database: Engine, arrival: Arrival) -> Arrival:
    with Session(database) as tx, tx.begin():
        return receive(tx, arrival, NOW)


@both
def test_the_vectors_are_received_or_refused_in_their_order(form: str, database: Engine) -> None:
    for why, refusal in VECTORS["arrivals"]:
        arrival = received(database, arriving(form, why))
        assert (arrival.refused.code if arrival.refused else "") == refusal
        assert (arrival.opened is None) == bool(refusal)


@both
def test_every_arrival_is_in_the_journal_with_its_reason(form: str, database: Engine) -> None:
    digests = [received(database, arriving(form, why)).digest for why, _ in VECTORS["arrivals"]]
    with Session(database) as tx:
        rows = tx.execute(select(journal).order_by(journal.c.id)).all()
    assert [row.details.get("reason", "") for row in rows] == [r for _, r in VECTORS["arrivals"]]
    assert [row.details["digest"] for row in rows] == digests
    assert {row.subject for row in rows} == {VECTORS["channel"]}
    sender = VECTORS[form]["keys"]["sender"]["kid"]
    assert [row.actor for row in rows] == [sender] * 4 + ["unknown"]
    assert [row.action for row in rows] == [
        "envelope.received",
        "envelope.refused",
        "envelope.received",
        "envelope.refused",
        "envelope.refused",
    ]


@both
def test_a_refused_envelope_takes_no_number(form: str, database: Engine) -> None:
    assert received(database, arriving(form, "tampered: content")).opened is None
    assert received(database, arriving(form, "written eight days ago")).opened is None
    assert received(database, arriving(form, "good")).opened is not None
