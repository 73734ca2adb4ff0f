"""What `keys.der` writes, read back by asn1crypto: one value, one encoding."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from keys.der import (
    bits,
    enumerated,
    explicit,
    generalized_time,
    integer,
    octets,
    oid,
    sequence,
    set_of,
)


@given(st.integers(-(2**300), 2**300))
def test_integers_are_written_as_asn1crypto_writes_them(value: int) -> None:
    assert integer(value) == core.Integer(value).dump()


@given(st.binary(max_size=70_000))
def test_strings_of_every_length_are_written_as_asn1crypto_writes_them(content: bytes) -> None:
    assert octets(content) == core.OctetString(content).dump()
    assert bits(content) == core.OctetBitString(content).dump()


_arcs = st.one_of(st.integers(0, 300), st.integers(0, 2**128))


@given(first=st.integers(0, 2), second=st.integers(0, 39), rest=st.lists(_arcs, max_size=6))
def test_object_identifiers_are_written_as_asn1crypto_writes_them(
    first: int, second: int, rest: list[int]
) -> None:
    dotted = ".".join(map(str, (first, second, *rest)))
    assert oid(dotted) == core.ObjectIdentifier(dotted).dump()


@given(st.lists(st.binary(max_size=300).map(octets), max_size=6))
def test_a_set_is_in_the_order_of_its_encodings_and_a_sequence_in_the_order_given(
    parts: list[bytes],
) -> None:
    members = core.SetOf.load(set_of(*parts), strict=True, spec=core.OctetString)
    assert [member.dump() for member in members] == sorted(parts)
    items = core.SequenceOf.load(sequence(*parts), strict=True, spec=core.OctetString)
    assert [item.dump() for item in items] == parts


@given(st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_moment_is_told_in_whole_seconds_of_utc(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert core.GeneralizedTime.load(generalized_time(moment)).native == whole
    china = moment.astimezone(timezone(timedelta(hours=8)))
    assert generalized_time(china) == generalized_time(moment)


@pytest.mark.parametrize("number", [0, 1, 4])
def test_a_context_tag_holds_what_it_is_given(number: int) -> None:
    assert explicit(number, integer(5)) == core.Integer(5, explicit=number).dump()


def test_an_enumerated_is_one_octet() -> None:
    assert enumerated(6) == b"\x0a\x01\x06"
