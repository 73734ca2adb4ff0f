"""What a person takes away: everything kept about them, nobody else's."""

import json

import pytest

from idp import export
from idp.errors import AccountUnknown
from tests.idp.approvals import access_token, approval, portal
from tests.idp.world import PEOPLE, World


def exported(world: World, subject: str) -> dict[str, object]:
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
