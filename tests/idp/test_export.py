"""What a person takes away: everything kept about them, nobody else's."""

import json
from typing import Any

import pytest

from idp import export
from idp.entities import giving, mandates
from idp.levels import LEGAL
from idp.methods import totp
from idp.people_errors import AccountUnknown
from idp.vocabulary import Realm
from tests.idp.approvals import access_token, approval, portal
from tests.idp.companies import AGENT, BUILDER, BUILDERS_HEAD, agent, found, gift, head, signed_in
from tests.idp.standing import HASH
from tests.idp.test_live_checks import at_live_page, begun, land_office, own, settle
from tests.idp.world import CLERK_TOTP, PEOPLE, World


def exported(world: World, subject: str) -> dict[str, Any]:
    with world.begin() as tx:
        return export.exported(tx, world.provider, subject)


def test_the_document_holds_the_person_the_level_and_its_evidence(world: World) -> None:
    subject = world.register()
    document = exported(world, subject)
    person, level = document["person"], document["level"]
    assert isinstance(person, dict)
    assert isinstance(level, dict)
    assert (person["number"], person["phone"]) == (PEOPLE["张䶮"].number, "13800000001")
    assert level["acr"] == "urn:yinxin:level:natural:1"
    evidence = document["evidence"]
    assert isinstance(evidence, list)
    assert level["because"] == [piece["id"] for piece in evidence]


def test_every_section_is_json_and_holds_nothing_of_anybody_else(world: World) -> None:
    subject = world.register()
    world.register("李㛃", "13800000002")
    access_token(world, to := portal(world), approval(world, to, subject))
    text = json.dumps(exported(world, subject), ensure_ascii=False)
    assert json.loads(text).keys() >= export.SECTIONS.keys()
    assert "李㛃" not in text
    assert "13800000002" not in text
    assert "argon2" not in text


def test_nobody_is_exported_who_has_no_open_account(world: World) -> None:
    with pytest.raises(AccountUnknown):
        exported(world, "nobody")


def test_what_was_given_held_and_done_for_the_person_is_there_and_only_theirs(world: World) -> None:
    chief, clerk = head(world), world.register(AGENT)
    company, opened = found(world, chief), signed_in(world, chief)
    to_agent = agent(world, opened, company)
    with world.begin() as tx:
        to_helper = giving.to_helper(tx, world.provider, opened.session, gift(world))
        mandates.used(tx, world.provider, to_helper.id, "portal-a", "g-1")
        mandates.revoke(tx, world.provider, to_agent.id, by=chief)
        totp.keep(tx, world.provider, Realm.CITIZEN, chief, CLERK_TOTP)
    document = exported(world, chief)
    (mine,) = document["entities"]
    assert (mine["uscc"], mine["acr"]) == (BUILDER.uscc, LEGAL[1].acr)
    told = document["mandates"]
    assert [one["kind"] for one in told["held"]] == ["representative"]
    given = {one["id"]: one for one in told["given"]}
    assert given.keys() == {to_agent.id, to_helper.id}
    assert given[to_agent.id]["principal"] == BUILDER.name
    assert (given[to_helper.id]["principal"], given[to_helper.id]["holder"]) == (
        BUILDERS_HEAD,
        AGENT,
    )
    assert given[to_agent.id]["ended_at"] is not None
    assert [use["client"] for use in told["used_for_me"]] == ["portal-a"]
    assert document["methods"]["totp"] is True
    theirs = exported(world, clerk)
    assert {one["id"] for one in theirs["mandates"]["held"]} == given.keys()
    assert theirs["mandates"]["used_for_me"] == theirs["entities"] == []
    assert PEOPLE[BUILDERS_HEAD].number not in json.dumps(theirs, ensure_ascii=False)
    assert CLERK_TOTP not in json.dumps(document)


def test_the_checks_by_which_a_person_was_seen_live_are_there(world: World) -> None:
    portal = land_office(world)
    browser, page = at_live_page(world, portal)
    settle(world, begun(browser, page))
    document = exported(world, own(browser).subject)
    (check,) = document["live_checks"]
    assert (check["outcome"], check["transaction"]["hash"]) == ("passed", HASH)
