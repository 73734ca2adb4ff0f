"""What a client is told of a person: never more than its registration, the scopes and its wishes allow."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from idp import accounts, claims_release
from idp.accounts import Particulars
from idp.claims_release import Asked
from idp.claims_table import CLAIMS
from idp.client_metadata import Metadata
from idp.levels import NATURAL, Evidence, EvidenceKind, Standing
from idp.schemas import UserInfo
from idp.vocabulary import IDENTITY_SCOPES, Realm
from keys.tables import journal
from tests.idp.minting import approve, mint, told
from tests.idp.world import PEOPLE, World

STANDARD = {
    "profile": "name family_name given_name middle_name nickname preferred_username profile picture "
    "website gender birthdate zoneinfo locale updated_at",
    "email": "email email_verified",
    "address": "address",
    "phone": "phone_number phone_number_verified",
}
"""Core §5.4."""

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CONFIRMED = Evidence(
    EvidenceKind.POPULATION_REGISTER,
    "population-register",
    "r-1",
    ("number", "name", "ethnicity", "sex"),
    NOON,
)
PERSON = Particulars(
    subject="00ff",
    username="citizen",
    name="顾平",
    number="330105188603040660",
    phone="13900000099",
    sex="2",
    profile={
        "email": "citizen@people.example",
        "nickname": "",
        "address": {"locality": "示例市"},
        "picture": None,
    },
    registered_at=NOON,
    standing=Standing(NATURAL[1], (CONFIRMED,)),
    phone_proven=True,
)
PORTAL = Metadata(name_zh="门户", name_en="Portal", scopes=IDENTITY_SCOPES)

NAMES = st.sampled_from(sorted(CLAIMS))
SCOPES = st.frozensets(st.sampled_from(IDENTITY_SCOPES))
CONDITIONS = st.one_of(
    st.none(),
    st.fixed_dictionaries({"essential": st.booleans()}),
    st.fixed_dictionaries({"value": st.sampled_from(["顾平", "male", "female", "", 7])}),
    st.fixed_dictionaries({"values": st.lists(st.sampled_from(["female", "顾平", "x"]))}),
    st.text(),
    st.integers(),
)
REQUESTS = st.dictionaries(st.one_of(NAMES, st.text(max_size=12)), CONDITIONS)


def chosen(client: Metadata, scopes: Any = (), claims: Any = None) -> dict[str, Any]:
    asked = Asked(Realm.CITIZEN, PERSON.subject, scopes, claims or {})
    return claims_release.chosen(claims_release.conditions(client, asked), PERSON)


@given(SCOPES, REQUESTS, SCOPES, st.one_of(st.none(), st.lists(NAMES).map(tuple)))
def test_nothing_is_told_that_was_not_asked_for_and_allowed(
    scopes: frozenset[str],
    claims: dict[str, Any],
    registered: frozenset[str],
    allowed: tuple[str, ...] | None,
) -> None:
    client = replace(PORTAL, scopes=tuple(registered), claims=allowed)
    for name, value in chosen(client, scopes, claims).items():
        asked = set(CLAIMS[name].scopes) & scopes or any(
            wanted.partition("#")[0] == name for wanted in claims
        )
        assert asked
        if allowed is None:
            assert set(CLAIMS[name].scopes) & registered
        else:
            assert name in allowed
        assert value not in (None, "", {})


@given(SCOPES, SCOPES, REQUESTS)
def test_asking_for_more_never_loses_anything(
    scopes: frozenset[str], more: frozenset[str], claims: dict[str, Any]
) -> None:
    fewer = chosen(PORTAL, scopes, claims)
    assert fewer.items() <= chosen(PORTAL, scopes | more, claims).items()


@given(NAMES, CONDITIONS)
def test_a_claim_is_told_as_it_is_wanted_or_not_at_all(name: str, condition: Any) -> None:
    value = chosen(PORTAL, claims={name: condition}).get(name)
    if value is not None and isinstance(condition, dict):
        assert condition.get("value", value) == value
        assert value in condition.get("values", [value])


@pytest.mark.parametrize("scope", sorted(STANDARD))
def test_a_standard_scope_releases_the_claims_of_the_specification(scope: str) -> None:
    released = {name for name, claim in CLAIMS.items() if scope in claim.scopes}
    assert released == set(STANDARD[scope].split())


def test_userinfo_is_described_with_every_claim_of_the_table() -> None:
    assert set(UserInfo.model_fields) == {"sub", "verified_claims", "local_account", *CLAIMS}


def test_what_a_person_has_is_told_in_the_form_of_the_specification() -> None:
    assert chosen(PORTAL, IDENTITY_SCOPES) == {
        "name": "顾平",
        "preferred_username": "citizen",
        "gender": "female",
        "birthdate": "1886-03-04",
        "updated_at": int(NOON.timestamp()),
        "email": "citizen@people.example",
        "email_verified": False,
        "phone_number": "+8613900000099",
        "phone_number_verified": True,
        "address": {"locality": "示例市"},
        "real_name": {
            "name": "顾平",
            "level": "urn:yinxin:level:natural:1",
            "confirmed_at": "2026-11-20T12:00:00Z",
        },
        "identity_document": {"type": "resident_id", "number": "330105188603040660"},
    }


def test_who_stands_on_no_level_has_no_confirmed_name() -> None:
    nobody = replace(PERSON, standing=Standing(NATURAL[0], ()))
    assert CLAIMS["real_name"].of(nobody) is None


def test_an_unknown_sex_tells_no_gender_and_no_email_no_verification() -> None:
    person = replace(PERSON, sex="9", profile={})
    assert CLAIMS["gender"].of(person) is None
    assert CLAIMS["email_verified"].of(person) is None


def test_a_claim_in_another_language_is_told_in_the_one_there_is() -> None:
    assert chosen(PORTAL, claims={"name#zh-CN": None, "name#en": {"essential": True}}) == {
        "name": "顾平"
    }


def test_the_allow_list_of_a_client_opens_claims_beyond_its_scopes_and_closes_others() -> None:
    client = replace(PORTAL, scopes=("openid", "profile"), claims=("name", "email"))
    assert chosen(client, ("profile",), {"email": None, "gender": None}) == {
        "name": "顾平",
        "email": "citizen@people.example",
    }


def test_the_id_token_gets_nothing_by_scope(world: World) -> None:
    world.client(scopes=IDENTITY_SCOPES)
    approval = approve(world, world.register(), scopes=IDENTITY_SCOPES)
    assert claims_release.in_id_token(approval) == Asked(Realm.CITIZEN, approval.subject, (), {})


def test_each_place_gets_what_was_asked_for_there(world: World) -> None:
    world.client(scopes=("openid", "profile", "phone"))
    subject = world.register()
    asked = approve(world, subject, id_token={"gender": None}, userinfo={"phone_number": None})
    assert told(world, asked) == {"sub": subject, "phone_number": "+8613800000001"}


def test_what_was_asked_for_at_userinfo_is_forgotten_with_the_last_token(world: World) -> None:
    world.client()
    mint(world, approve(world, world.register(), userinfo={"name": None}))
    (key,) = world.provider.redis.scan_iter("yinxin:idp:userinfo-claims:*")
    assert 0 < world.provider.redis.ttl(key) <= 600


def released(world: World) -> list[tuple[str, str, dict[str, str]]]:
    query = select(journal.c.actor, journal.c.subject, journal.c.details)
    with world.begin() as tx:
        chosen = query.where(journal.c.action == "claims.released").order_by(journal.c.id)
        found = tx.execute(chosen).all()
    return [(row.actor, row.subject, row.details) for row in found]


def test_every_release_is_one_event_that_names_claims_and_no_values(world: World) -> None:
    world.client(scopes=("openid", "profile", "identity_number"))
    subject = world.register()
    approval = approve(
        world, subject, scopes=("openid", "identity_number"), id_token={"name": None}
    )
    told(world, approval)
    by_token, by_userinfo = released(world)
    assert by_token == (
        "portal-a",
        subject,
        {"claims": "name", "place": "id_token", "grant": approval.grant_id},
    )
    assert by_userinfo[2]["claims"] == "identity_document"
    everything = str(released(world))
    assert PEOPLE["张䶮"].number not in everything
    assert "张䶮" not in everything


def test_telling_the_subject_alone_is_no_event(world: World) -> None:
    world.client()
    told(world, approve(world, world.register()))
    assert released(world) == []


def test_what_a_person_says_of_themselves_is_told_as_they_said_it(world: World) -> None:
    world.client(scopes=("openid", "profile", "email"))
    subject = world.register()
    profile = {"nickname": "小张", "email": "zhang@people.example", "email_verified": True}
    with world.begin() as tx:
        accounts.describe(tx, world.provider, subject, username="zhang.yan", profile=profile)
    claims = told(world, approve(world, subject, scopes=("openid", "profile", "email")))
    assert claims.items() >= (profile | {"preferred_username": "zhang.yan"}).items()


def test_an_account_without_a_phone_tells_none() -> None:
    without = replace(PERSON, phone="", phone_proven=False)
    assert CLAIMS["phone_number"].of(without) is None
    assert CLAIMS["phone_number_verified"].of(without) is None


def test_a_phone_that_nobody_proved_is_not_told_as_verified() -> None:
    imported = replace(PERSON, phone_proven=False)
    assert CLAIMS["phone_number"].of(imported) == "+8613900000099"
    assert CLAIMS["phone_number_verified"].of(imported) is False
