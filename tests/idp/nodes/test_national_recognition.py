"""Recognition between two systems by a keyed hash: same on both sides, worthless to a third."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.nodes import national_recognition
from idp.recognition_partner import Partner
from tests.idp.world import PEOPLE, World

NATION = Partner("nation", b"n" * 32)
PERSON = PEOPLE["张䶮"]
TEXTS = st.text(max_size=30)


def test_both_sides_make_the_same_handle() -> None:
    theirs = Partner("province", b"n" * 32)
    handle = NATION.handle(PERSON.number, PERSON.name)
    assert theirs.handle(PERSON.number, PERSON.name) == handle
    assert len(handle) == 32
    assert PERSON.number.encode() not in handle


def test_a_third_cannot_compare() -> None:
    third = replace(NATION, key=b"t" * 32)
    assert third.handle(PERSON.number, PERSON.name) != NATION.handle(PERSON.number, PERSON.name)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_only_the_same_number_and_name_have_the_same_handle(
    number: str, name: str, other_number: str, other_name: str
) -> None:
    same = (number, unicodedata.normalize("NFC", name)) == (
        other_number,
        unicodedata.normalize("NFC", other_name),
    )
    assert (NATION.handle(number, name) == NATION.handle(other_number, other_name)) is same


def test_a_name_counts_however_its_accents_were_typed() -> None:
    composed, apart = "ANDRÉ", "ANDRE\u0301"
    assert NATION.handle("1", composed) == NATION.handle("1", apart)


def test_a_short_key_is_none() -> None:
    with pytest.raises(ValueError, match="nation"):
        Partner("nation", b"short")
    assert "nnn" not in repr(NATION)


def test_a_partners_handle_finds_the_person_and_nobody_elses_does(world: World) -> None:
    subject = world.register("张䶮")
    other = world.register("李㛃", "13800000002")
    with world.begin() as tx:
        assert national_recognition.enrol(tx, world.provider, NATION, most=9) == 2
        assert national_recognition.enrol(tx, world.provider, NATION, most=9) == 0
    told = NATION.handle(PERSON.number, PERSON.name)
    third = Partner("third", b"t" * 32)
    with world.begin() as tx:
        assert national_recognition.recognised(tx, NATION, told) == subject
        assert national_recognition.recognised(tx, third, told) is None
        assert national_recognition.recognised(tx, NATION, bytes(32)) is None
        assert national_recognition.handle_of(tx, world.provider, NATION, subject) == told
        assert national_recognition.handle_of(tx, world.provider, NATION, other) != told
        assert national_recognition.handle_of(tx, world.provider, NATION, "nobody") is None


def test_people_are_enrolled_a_few_at_a_time(world: World) -> None:
    for n, name in enumerate(("张䶮", "李㛃", "王𬭎")):
        world.register(name, f"1380000000{n}")
    made: list[int] = []
    while not made or made[-1]:
        with world.begin() as tx:
            made.append(national_recognition.enrol(tx, world.provider, NATION, most=2))
    assert made == [2, 1, 0]
