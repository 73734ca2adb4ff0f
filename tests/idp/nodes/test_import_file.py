"""The file of a city's existing users is signed, and taken whole or not at all."""

import io
from collections.abc import Callable

import pytest

from idp.node_errors import ImportFileFromFuture, ImportFileWrong, ImportNotSigned
from idp.nodes import import_file
from idp.nodes.import_file import LONGEST_ROW, Line
from tests.idp.nodes.city_users import OTHER_CITY, STRANGERS_KEY, CityUsers, user
from tests.idp.world import World


@pytest.fixture
def city(world: World) -> CityUsers:
    return CityUsers(world).join()


def test_a_signed_file_says_whose_it_is_and_is_read_from_its_first_row(city: CityUsers) -> None:
    file = io.BytesIO(city.file([user(1), user(2)]))
    manifest = import_file.read(city.world.provider, file)
    assert (manifest.city.issuer, manifest.rows) == (city.issuer, 2)
    assert [line.place for line in import_file.lines(file)] == [1, 2]


Tampering = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "tamper",
    [
        lambda content: content.replace("钱三强".encode(), "钱三弱".encode(), 1),
        lambda content: content[:-20],
        lambda content: content + content.splitlines(keepends=True)[1],
        lambda content: content.replace(b"\n", b"\r\n"),
        lambda content: content[: content.rindex(b"{")],
    ],
    ids=["a name changed", "cut short", "a row added", "line ends changed", "a row taken out"],
)
def test_a_file_changed_after_it_was_signed_leaves_nothing_behind(
    city: CityUsers, tamper: Tampering
) -> None:
    with pytest.raises(ImportFileWrong):
        city.hand_over(tamper(city.file([user(1), user(2)])))


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"{}\n", b"a.b.c\n", b"e30.e30.e30\n", b"\xff\xfe\n", b"x" * 20000],
    ids=[
        "nothing",
        "an empty line",
        "no signature",
        "no token",
        "no claims",
        "no text",
        "too long",
    ],
)
def test_a_file_without_a_signature_is_refused(city: CityUsers, content: bytes) -> None:
    with pytest.raises(ImportNotSigned):
        city.hand_over(content)


def test_a_file_signed_by_a_strangers_key_is_refused(city: CityUsers) -> None:
    with pytest.raises(ImportNotSigned):
        city.hand_over(city.file([user(1)], by=STRANGERS_KEY))


def test_a_file_of_a_city_that_nobody_added_is_refused(city: CityUsers) -> None:
    with pytest.raises(ImportNotSigned):
        city.hand_over(city.file([user(1)], city=OTHER_CITY))


def test_a_file_for_another_province_is_refused(city: CityUsers) -> None:
    with pytest.raises(ImportNotSigned):
        city.hand_over(city.file([user(1)], province="https://other-province.example/oidc"))


def test_a_clock_may_be_a_minute_ahead_and_no_more(city: CityUsers) -> None:
    made = city.file([user(1)])
    city.world.clock.tick(seconds=-60)
    assert len(city.hand_over(made)) == 1
    city.world.clock.tick(seconds=-1)
    with pytest.raises(ImportFileFromFuture):
        city.hand_over(made)


def test_a_row_that_is_too_long_is_passed_over_and_the_next_is_whole() -> None:
    file = io.BytesIO(b"{}\n" + b"x" * (3 * LONGEST_ROW) + b"\n\n" + b'{"a":1}\n')
    assert list(import_file.lines(file)) == [
        Line(1, b"{}"),
        Line(2, None),
        Line(4, b'{"a":1}'),
    ]
