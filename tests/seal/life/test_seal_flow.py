"""A city's register rows come to its province: signed, in order, each once."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine

from keys import jose
from keys.algorithms import ES256
from keys.compact import TokenError
from keys.software_signer import SoftwareSigner, generate
from seal.life import flow, hearing, status
from seal.life.errors import RegisterNewsWrong, SealUnknown
from seal.life.flow import Page
from seal.seal_states import SealState
from tests.seal.life.life_world import World, world_on
from tests.seal.life.test_seal_remaking import bring_into_use, remake

CITY = "https://city.example.cn"
SIGNER = SoftwareSigner(generate(ES256))
KEYS = {SIGNER.public_key.kid: SIGNER.public_key}
NOTHING = Page(0, None, (), 0)


@pytest.fixture
def province(clone: Any, desk_template: str) -> Iterator[World]:
    with clone(desk_template) as url:
        engine = create_engine(url)
        yield world_on(engine, 5000)
        engine.dispose()


@pytest.fixture(scope="module")
def seal(world: World) -> UUID:
    """A seal of the city that went all the way, with others on the way."""
    world.seal_in(SealState.SUBMITTED)
    seal = world.seal_in(SealState.IN_USE)
    bring_into_use(world, remake(world, seal))
    world.seal_in(SealState.DRAFT)
    return seal


def page_of(world: World, after: int = 0) -> Page:
    with world.begin() as tx:
        return flow.page_after(tx, after)


def told(world: World, page: Page) -> Page:
    """Return the page as the province reads it from the city's token."""
    token = flow.sign_page(page, CITY, SIGNER, world.clock())
    return flow.read_page(token, CITY, KEYS, world.clock())


def apply(province: World, page: Page, origin: str = CITY) -> int:
    with province.begin() as tx:
        return hearing.apply(tx, province.desk, origin, page)


def test_the_province_answers_for_the_seals_of_its_city(
    world: World, province: World, seal: UUID
) -> None:
    page = told(world, page_of(world))
    assert apply(province, page) == len(page.changes)
    esid = world.row(seal).esid or ""
    with world.begin() as tx:
        own = status.status_by_esid(tx, esid, world.clock())
    with province.begin() as tx:
        theirs = status.status_by_esid(tx, esid, world.clock())
    assert theirs.seal.replaced_by
    assert theirs == replace(own, seal=replace(own.seal, origin=CITY))


def test_nothing_is_told_of_applications_and_nobody_is_named(world: World, seal: UUID) -> None:
    states = {change.state for change in page_of(world).changes}
    assert states <= status.PUBLIC
    row = world.row(seal)
    for person in (row.keeper, row.applied_by, "first, second"):
        assert person not in repr(page_of(world))


def test_a_page_that_comes_twice_changes_nothing(world: World, province: World, seal: UUID) -> None:
    page = told(world, page_of(world))
    assert apply(province, page) > 0
    assert apply(province, page) == 0


def test_pages_follow_one_another_and_a_missing_one_is_noticed(
    world: World, province: World, seal: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "PAGE", 3)
    first = page_of(world)
    second = page_of(world, first.changes[-1].number)
    with pytest.raises(RegisterNewsWrong) as refused:
        apply(province, told(world, second))
    assert refused.value.parameters == {"reason": "gap"}
    for page in (first, second):
        assert apply(province, told(world, page)) == 3
    with province.begin() as tx:
        last = hearing.last_heard(tx, CITY)
    assert last == second.changes[-1].number
    assert page_of(world, 10_000).changes == ()


def test_a_page_that_overlaps_adds_what_is_new(world: World, province: World, seal: UUID) -> None:
    page = page_of(world)
    apply(province, replace(page, changes=page.changes[:4]))
    assert apply(province, page) == len(page.changes) - 4


@pytest.mark.parametrize("told", ["another", "nothing"])
def test_a_node_that_counts_anew_is_noticed_until_it_is_heard_from_the_beginning(
    world: World, province: World, seal: UUID, told: str
) -> None:
    page = page_of(world)
    apply(province, page)
    onward = page_of(world, page.newest)
    assert onward.before == page.changes[-1]
    before = onward.before if told == "another" else None
    restored = replace(
        onward, before=before and replace(before, at=before.at + timedelta(seconds=1))
    )
    for _ in range(2):
        with pytest.raises(RegisterNewsWrong) as refused:
            apply(province, restored)
        assert refused.value.parameters == {"reason": "rewritten"}
    with province.begin() as tx:
        seals = {change.seal.esid for change in page.changes}
        assert hearing.forget(tx, province.desk, CITY, "operator") == len(seals)
        assert hearing.last_heard(tx, CITY) == 0
    assert apply(province, page) == len(page.changes)
    assert apply(province, onward) == 0


@pytest.mark.parametrize("same", ["esid", "digest"])
def test_a_seal_that_another_node_told_first_stays_that_nodes(
    world: World, province: World, seal: UUID, same: str
) -> None:
    page = page_of(world)
    apply(province, page)
    change = page.changes[0]
    claimed = (
        replace(change.seal, digest=bytes(32))
        if same == "esid"
        else replace(change.seal, esid="99019900000001")
    )
    claim = replace(page, changes=(replace(change, seal=claimed),))
    with pytest.raises(RegisterNewsWrong) as refused:
        apply(province, claim, "https://other.example.cn")
    assert refused.value.parameters == {"reason": "taken"}
    with province.begin() as tx:
        assert status.status_by_esid(tx, change.seal.esid, world.clock()).seal.origin == CITY
        assert hearing.last_heard(tx, "https://other.example.cn") == 0


def test_no_node_tells_of_our_own_seals(world: World, seal: UUID) -> None:
    with pytest.raises(RegisterNewsWrong):
        apply(world, page_of(world))


def test_before_anything_is_heard_nothing_is_known(province: World) -> None:
    with province.begin() as tx:
        assert hearing.last_heard(tx, CITY) == 0
        with pytest.raises(SealUnknown):
            status.status_by_esid(tx, "99010000000001", province.clock())


# --- What is not believed ---


def claims_of(world: World) -> dict[str, Any]:
    token = flow.sign_page(page_of(world), CITY, SIGNER, world.clock())
    return jose.verify(
        token,
        KEYS,
        flow.TOKEN_TYPE,
        issuer=CITY,
        audience=None,
        now=world.clock(),
        largest=jose.LARGEST_DOCUMENT,
    )


def _first(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(claims: dict[str, Any]) -> None:
        claims["changes"][0][name] = value

    return change


def _swap(claims: dict[str, Any]) -> None:
    claims["changes"][:2] = claims["changes"][1::-1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda claims: claims.pop("after"), "form"),
        (lambda claims: claims.update(after=True), "form"),
        (lambda claims: claims.update(changes={}), "form"),
        (lambda claims: claims.update(changes=claims["changes"] * 100), "form"),
        (lambda claims: claims.update(after=2**31), "form"),
        (lambda claims: claims.pop("newest"), "form"),
        (lambda claims: claims.update(changes=["x"]), "change"),
        (_first("state", "draft"), "change"),
        (_first("state", "royal"), "change"),
        (_first("number", "1"), "change"),
        (_first("number", True), "change"),
        (_first("number", 2**31), "change"),
        (_first("digest", "zz" * 32), "change"),
        (_first("digest", ""), "change"),
        (_first("esid", ""), "change"),
        (_first("owner_name", "局" * 501), "change"),
        (_first("name", "\0"), "change"),
        (_first("name", "\ud800"), "change"),
        (_first("since", 1e30), "change"),
        (_first("at", None), "change"),
        (_swap, "order"),
        (_first("number", 0), "order"),
        (lambda claims: claims.pop("before"), "change"),
        (lambda claims: claims.update(before="x"), "change"),
        (lambda claims: claims.update(before=claims["changes"][0]), "order"),
    ],
    ids=range(25),
)
def test_a_page_that_is_malformed_is_refused_as_a_whole(
    world: World, seal: UUID, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    claims = claims_of(world)
    change(claims)
    # Escaped, as others may write JSON: half of a surrogate pair has no other form.
    payload = json.dumps(claims).encode()
    token = jose._sign(payload, SIGNER, {"typ": flow.TOKEN_TYPE})
    with pytest.raises(RegisterNewsWrong) as refused:
        flow.read_page(token, CITY, KEYS, world.clock())
    assert refused.value.parameters == {"reason": reason}


@pytest.mark.parametrize("late", [timedelta(minutes=11), timedelta(minutes=-11)])
def test_a_page_is_believed_for_ten_minutes(world: World, late: timedelta) -> None:
    token = flow.sign_page(NOTHING, CITY, SIGNER, world.clock())
    with pytest.raises(TokenError):
        flow.read_page(token, CITY, KEYS, world.clock() + late)


def test_a_page_of_another_node_or_key_is_not_believed(world: World) -> None:
    token = flow.sign_page(NOTHING, CITY, SIGNER, world.clock())
    with pytest.raises(TokenError):
        flow.read_page(token, "https://other.example.cn", KEYS, world.clock())
    with pytest.raises(TokenError):
        flow.read_page(token, CITY, {}, world.clock())
