"""Messages about mandates: to the other side, once, and to nobody's phone without end."""

import httpx2
import pytest

from idp import closing
from idp.counter import Document
from idp.entities import giving, mandates, notices
from idp.entities.giving import Witness
from idp.people_errors import SourceUnavailable
from tests.idp.companies import (
    AGENT,
    BUILDER,
    BUILDERS_HEAD,
    FOODS_HEAD,
    WINDOW,
    agent,
    change,
    found,
    gift,
    head,
    serving,
    signed_in,
)
from tests.idp.world import PEOPLE, World

HEADS_PHONE, AGENTS_PHONE, CITIZENS_PHONE = "13800000009", "13800000001", "13800000002"


def told(world: World, phone: str) -> list[str]:
    """What a phone was told of mandates, after the jobs in line have run."""
    world.run_jobs()
    found: list[dict[str, str]] = _inbox(world, phone)
    return [one["text"] for one in found if one["template"].startswith("mandate-")]


def _inbox(world: World, phone: str) -> list[dict[str, str]]:
    answer: httpx2.Response = world.sources.get("/sms-gateway/messages", params={"phone": phone})
    messages: list[dict[str, str]] = answer.json()
    return messages


def test_an_agent_is_told_of_the_beginning_and_the_end_and_the_giver_of_neither(
    world: World,
) -> None:
    chief, _ = head(world), world.register(AGENT)
    given = agent(world, signed_in(world, chief), found(world, chief))
    with world.begin() as tx:
        mandates.revoke(tx, world.provider, given.id, by=chief)
    first, last = told(world, AGENTS_PHONE)
    assert BUILDER.name in first
    assert "已授权您" in first
    assert "已结束" in last
    assert told(world, HEADS_PHONE) == []


def test_a_representative_is_told_when_an_agent_gives_a_mandate_back(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    given = agent(world, signed_in(world, chief), found(world, chief))
    with world.begin() as tx:
        mandates.revoke(tx, world.provider, given.id, by=clerk)
    (message,) = told(world, HEADS_PHONE)
    assert AGENT in message
    assert BUILDER.name in message


def test_a_citizen_learns_that_a_clerk_recorded_their_consent(world: World) -> None:
    world.register("李㛃", CITIZENS_PHONE)
    world.register(AGENT)
    witness = Witness(serving(world), WINDOW.code, Document.RESIDENT_ID)
    with world.begin() as tx:
        both = gift(world, "李㛃"), gift(world)
        giving.to_helper_at_counter(tx, world.provider, *both, witness)
    (message,) = told(world, CITIZENS_PHONE)
    assert AGENT in message
    (other,) = told(world, AGENTS_PHONE)
    assert "李㛃" in other
    assert PEOPLE["李㛃"].number not in message + other


def test_a_former_representative_learns_that_another_came(world: World) -> None:
    found(world, head(world))
    change(world, "entity", uscc=BUILDER.uscc, representative_number=PEOPLE[FOODS_HEAD].number)
    found(world, head(world, FOODS_HEAD, "13800000010"))
    (message,) = told(world, HEADS_PHONE)
    assert BUILDER.name in message
    assert told(world, "13800000010") == []


def test_a_gateway_that_is_down_is_asked_again(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    given = agent(world, signed_in(world, chief), found(world, chief))
    world.outage("sms-gateway")
    with pytest.raises(SourceUnavailable):
        notices.tell(world.provider, given.id, clerk, mandates.Notice.GIVEN)
    world.outage("sms-gateway", down=False)
    assert len(told(world, AGENTS_PHONE)) == 1


def test_nobodys_phone_is_rung_without_end(world: World) -> None:
    chief, _ = head(world), world.register(AGENT)
    company, opened = found(world, chief), signed_in(world, chief)
    for _ in range(8):
        given = agent(world, opened, company)
        with world.begin() as tx:
            mandates.revoke(tx, world.provider, given.id, by=chief)
    assert len(told(world, AGENTS_PHONE)) == notices.PER_PERSON.tries


def test_a_closed_account_is_told_nothing_and_its_helper_is(world: World) -> None:
    citizen = world.register("李㛃", CITIZENS_PHONE)
    world.register(AGENT)
    own = signed_in(world, citizen).session
    with world.begin() as tx:
        giving.to_helper(tx, world.provider, own, gift(world))
    assert len(told(world, AGENTS_PHONE)) == 1
    with world.begin() as tx:
        closing.close(tx, world.provider, own)
    _, last = told(world, AGENTS_PHONE)
    assert "已注销的账号" in last
    assert told(world, CITIZENS_PHONE) == []
    assert BUILDERS_HEAD not in last
