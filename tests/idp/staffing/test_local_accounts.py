"""Applications that take staff as they are, by accounts of their own, or not at all."""

import json
from typing import Any

import httpx2
import pytest

from idp import interaction
from idp.client_errors import ClientMetadataWrong, ClientNotFound
from idp.client_metadata import StaffAccounts
from idp.people_errors import AccountUnknown
from idp.staff_errors import LocalAccountWrong
from idp.staffing import local_accounts
from idp.staffing.local_accounts import Account
from idp.vocabulary import Realm
from keys import base64url
from tests.idp.world import Browser, Portal, World, answered

USERNAME = "zhou.yuan"


def desk(world: World, mode: StaffAccounts) -> Portal:
    registered = world.client(
        client_id="desk",
        realm=Realm.STAFF,
        scopes=("openid", "profile", "offline_access"),
        staff_accounts=mode,
    )
    return world.portal(registered, "openid profile")


def link(world: World, subject: str, *local_ids: str) -> None:
    with world.begin() as tx:
        for local_id in local_ids:
            account = Account(local_id, f"账号 {local_id}")
            local_accounts.link(tx, world.provider, "desk", subject, account, by="tester")


def unlink(world: World, subject: str, local_id: str) -> bool:
    with world.begin() as tx:
        return local_accounts.unlink(tx, world.provider, "desk", subject, local_id, by="tester")


def claims(token: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(base64url.decode(str(token).split(".")[1]))
    return told


def chosen(world: World, browser: Browser, location: str, local_id: str) -> str:
    """Choose on the page at `location`, and return where the browser rests then."""
    uid = browser.entry(location).interaction
    assert uid is not None
    with world.begin():
        cookie = browser.cookie(interaction.BROWSER_COOKIE)
        interaction.go_in_by(world.provider, uid, cookie, local_id)
    resumed = browser.get(interaction.resume_url(world.provider, uid))
    return str(resumed.headers["location"])


def test_a_unified_application_is_told_no_account(world: World) -> None:
    world.clerk()
    portal = desk(world, StaffAccounts.UNIFIED)
    token = portal.token(world.browser().authorize(portal.url(), USERNAME))
    assert "local_account" not in claims(token["id_token"])


def test_a_mapped_application_is_told_its_own_account_everywhere(world: World) -> None:
    subject = world.clerk()
    portal = desk(world, StaffAccounts.MAPPED)
    link(world, subject, "A-17")
    token = portal.token(world.browser().authorize(portal.url(), USERNAME))
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    told = httpx2.get(f"{world.issuer}/userinfo", headers=headers).json()
    everywhere = [told, claims(token["id_token"]), claims(token["access_token"])]
    assert [each["local_account"] for each in everywhere] == ["A-17"] * 3


def test_of_several_the_person_chooses_one(world: World) -> None:
    subject = world.clerk()
    portal = desk(world, StaffAccounts.MAPPED)
    link(world, subject, "A-17", "B-3")
    browser = world.browser()
    location = browser.authorize(portal.url(), USERNAME)
    assert "/login/local-account?" in location
    token = portal.token(chosen(world, browser, location, "B-3"))
    assert claims(token["id_token"])["local_account"] == "B-3"


def test_an_account_of_somebody_else_is_not_chosen(world: World) -> None:
    subject, other = world.clerk(), world.clerk("other")
    portal = desk(world, StaffAccounts.MAPPED)
    link(world, subject, "A-17", "B-3")
    link(world, other, "C-1")
    browser = world.browser()
    location = browser.authorize(portal.url(), USERNAME)
    assert "/login/local-account?" in chosen(world, browser, location, "C-1")


def test_whoever_has_none_is_told_so_and_the_application_too(world: World) -> None:
    world.clerk()
    portal = desk(world, StaffAccounts.MAPPED)
    browser = world.browser()
    assert "/login/local-account?" in browser.authorize(portal.url(), USERNAME)
    silent = answered(browser.get(portal.url(prompt="none")).headers["location"])
    assert silent["error"] == "access_denied"
    assert "no account" in silent["error_description"]


def test_several_accounts_cannot_be_chosen_from_in_silence(world: World) -> None:
    subject = world.clerk()
    portal = desk(world, StaffAccounts.MAPPED)
    browser = world.browser()
    link(world, subject, "A-17", "B-3")
    browser.authorize(portal.url(), USERNAME)
    silent = answered(browser.get(portal.url(prompt="none")).headers["location"])
    assert silent["error"] == "interaction_required"


def test_an_application_that_has_not_joined_signs_nobody_in_here(world: World) -> None:
    world.clerk()
    portal = desk(world, StaffAccounts.NONE)
    told = answered(world.browser().get(portal.url()).headers["location"])
    assert told["error"] == "unauthorized_client"


def test_an_account_that_is_unlinked_is_good_for_nothing_more(world: World) -> None:
    subject = world.clerk()
    portal = desk(world, StaffAccounts.MAPPED)
    link(world, subject, "A-17")
    token = portal.token(world.browser().authorize(portal.url(), USERNAME))
    assert unlink(world, subject, "A-17")
    assert not unlink(world, subject, "A-17")
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert httpx2.get(f"{world.issuer}/userinfo", headers=headers).status_code == 401


def test_linking_twice_is_as_good_as_once(world: World) -> None:
    subject = world.clerk()
    desk(world, StaffAccounts.MAPPED)
    link(world, subject, "A-17", "A-17")
    with world.begin() as tx:
        assert local_accounts.of(tx, "desk", subject) == [Account("A-17", "账号 A-17")]


def test_what_cannot_be_linked_is_refused(world: World) -> None:
    subject = world.clerk()
    desk(world, StaffAccounts.MAPPED)
    wrong = [
        ("nobodys-client", subject, Account("A", "A"), ClientNotFound),
        ("desk", "nobody", Account("A", "A"), AccountUnknown),
        ("desk", subject, Account("", "A"), LocalAccountWrong),
        ("desk", subject, Account("A", "\n"), LocalAccountWrong),
    ]
    for client_id, whose, account, error in wrong:
        with world.begin() as tx, pytest.raises(error):
            local_accounts.link(tx, world.provider, client_id, whose, account, by="tester")


def test_only_applications_of_staff_say_how_they_call_staff(world: World) -> None:
    with pytest.raises(ClientMetadataWrong):
        world.client(staff_accounts=StaffAccounts.MAPPED)
