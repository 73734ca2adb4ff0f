"""Sign-in from a portal to its tokens, with a client nobody here wrote."""

import json
import re

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp import interaction, passwords
from idp.errors import InteractionGone, TooManyTries
from idp.methods import password_sign_in
from idp.methods.password_sign_in import Typed
from idp.methods.sign_in import Entry
from idp.sign_in_errors import SignInRefused
from idp.tables import PersonRow
from idp.vocabulary import AuthMethod, Realm
from tests.idp.world import CALLBACK, PASSWORD, PEOPLE, World, answered, signed_in
from tests.rig import Rig

NUMBER = PEOPLE["张䶮"].number
PHONE = "13800000001"


def claims_of(world: World, token: object, **checks: object) -> dict[str, object]:
    """The claims of a token, verified by another library from the published keys."""
    keys = KeySet.import_key_set(httpx2.get(f"{world.issuer}/jwks").json())
    decoded = jwt.decode(str(token), keys, algorithms=["ES256"])
    assert decoded.claims["iss"] == world.issuer
    for name, value in checks.items():
        assert decoded.claims[name] == value
    return dict(decoded.claims)


def test_a_citizen_signs_in_and_the_portal_gets_a_basic_level_id_token(world: World) -> None:
    subject = world.register()
    portal = world.portal(world.client())
    answer = world.browser().authorize(portal.url(nonce="n-1"), NUMBER)
    token = portal.token(answer)
    claims_of(
        world,
        token["id_token"],
        sub=subject,
        aud="portal-a",
        nonce="n-1",
        acr="urn:yinxin:level:natural:1",
        amr=["pwd"],
        auth_time=int(world.clock().timestamp()),
    )


def test_the_phone_number_and_a_small_x_open_the_same_account(world: World) -> None:
    subject = world.register("欧阳静姝", "13800000002")
    portal = world.portal(world.client())
    for username in ("13800000002", PEOPLE["欧阳静姝"].number.lower()):
        token = portal.token(world.browser().authorize(portal.url(), username))
        claims_of(world, token["id_token"], sub=subject)


def test_a_second_portal_signs_the_person_in_without_asking(world: World) -> None:
    world.register()
    first = world.portal(world.client())
    second = world.portal(world.client(client_id="portal-b"))
    browser = world.browser()
    told = claims_of(world, first.token(browser.authorize(first.url(), NUMBER))["id_token"])
    world.clock.tick(minutes=5)
    location = browser.get(second.url()).headers["location"]
    assert location.startswith(CALLBACK)
    claims_of(
        world,
        second.token(location)["id_token"],
        sub=told["sub"],
        auth_time=told["auth_time"],
        aud="portal-b",
    )


def test_a_public_client_needs_no_secret_but_its_verifier(world: World) -> None:
    world.register()
    portal = world.portal(world.client(client_id="app", auth_method=AuthMethod.NONE))
    token = portal.token(world.browser().authorize(portal.url(), NUMBER))
    claims_of(world, token["id_token"], aud="app")


def test_the_authorization_request_may_come_by_post(world: World) -> None:
    portal = world.portal(world.client())
    url, _, query = portal.url().partition("?")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    browser = world.browser()
    response = browser.http.post(url, content=query, headers=form)
    assert response.status_code == 303
    fetched = browser.get(response.headers["location"])
    assert "/login?interaction=" in fetched.headers["location"]


def test_prompt_none_never_shows_a_page(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    refused = answered(browser.get(portal.url(prompt="none")).headers["location"])
    assert refused["error"] == "login_required"
    assert refused["state"] == portal.state
    assert refused["iss"] == world.issuer
    browser.authorize(portal.url(), NUMBER)
    silent = browser.get(portal.url(prompt="none")).headers["location"]
    assert "code" in answered(silent)


@pytest.mark.parametrize("prompt", ["login", "select_account"])
def test_prompt_login_asks_again_and_moves_auth_time(world: World, prompt: str) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    browser.authorize(portal.url(), NUMBER)
    world.clock.tick(minutes=1)
    location = browser.get(portal.url(prompt=prompt)).headers["location"]
    assert "/login?" in location
    resumed = browser.get(location.replace("/login?interaction=", "/oidc/authorize/"))
    assert "/login?" in resumed.headers["location"], "coming back without signing in is not enough"
    answer = browser.get(browser.sign_in(location, NUMBER)).headers["location"]
    now = int(world.clock().timestamp())
    claims_of(world, portal.token(answer)["id_token"], auth_time=now)


def test_max_age_asks_again_only_when_the_sign_in_is_too_old(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    browser.authorize(portal.url(), NUMBER)
    world.clock.tick(seconds=90)
    assert "code" in answered(browser.get(portal.url(max_age="100")).headers["location"])
    assert "/login?" in browser.get(portal.url(max_age="90")).headers["location"]
    silent = browser.get(portal.url(max_age="60", prompt="none")).headers["location"]
    assert answered(silent)["error"] == "login_required"
    fresh = browser.authorize(portal.url(max_age="0"), NUMBER)
    assert "code" in answered(fresh), "a sign-in made for the request is never too old for it"


def test_a_session_ends_after_its_lifetime(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    browser.authorize(portal.url(), NUMBER)
    world.clock.tick(hours=8)
    assert "/login?" in browser.get(portal.url()).headers["location"]


def test_a_citizen_is_not_signed_in_at_a_staff_desk(world: World) -> None:
    world.register()
    world.clerk()
    portal = world.portal(world.client())
    desk = world.portal(world.staff_client(), "openid licence.issue")
    browser = world.browser()
    browser.authorize(portal.url(), NUMBER)
    location = browser.get(desk.url()).headers["location"]
    assert "/login?" in location
    with pytest.raises(SignInRefused):
        browser.sign_in(location, NUMBER)
    answer = browser.get(browser.sign_in(location, "zhou.yuan")).headers["location"]
    assert "code" in answered(answer)


def test_an_interaction_belongs_to_the_browser_that_began_it(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    attacker, victim = world.browser(), world.browser()
    planted = attacker.get(portal.url()).headers["location"]
    victim.get(portal.url())
    with pytest.raises(InteractionGone):
        victim.sign_in(planted, NUMBER)
    assert victim.get(planted.replace("/login?interaction=", "/oidc/authorize/")).status_code == 400


def test_an_interaction_is_answered_once(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    resume = browser.sign_in(browser.get(portal.url()).headers["location"], NUMBER)
    assert browser.get(resume).status_code == 303
    again = browser.get(resume)
    assert again.status_code == 400
    assert again.json()["error_description"] == "interaction.gone"


def test_an_interaction_lapses(world: World) -> None:
    portal = world.portal(world.client())
    browser = world.browser()
    location = browser.get(portal.url()).headers["location"]
    for key in world.provider.redis.scan_iter("yinxin:idp:interaction:*"):
        assert 0 < world.provider.redis.ttl(key) <= 30 * 60
        world.provider.redis.delete(key)
    with pytest.raises(InteractionGone):
        browser.sign_in(location, NUMBER)


def test_a_sign_in_makes_a_new_cookie_and_ends_the_old_session(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    browser.sign_in(None, NUMBER)
    before = browser.cookie("yinxin_session")
    browser.sign_in(None, NUMBER)
    assert browser.cookie("yinxin_session") != before
    thief = world.browser()
    thief.http.cookies.set("yinxin_session", str(before), domain="127.0.0.1", path="/")
    assert "/login?" in thief.get(portal.url()).headers["location"]


def test_the_browser_cookie_is_kept_from_scripts_and_other_sites(world: World) -> None:
    portal = world.portal(world.client())
    cookie = world.browser().get(portal.url()).headers["set-cookie"].lower()
    assert cookie.startswith("yinxin_browser=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie, "the test issuer is plain http"


def test_the_sign_in_page_learns_what_to_show(world: World) -> None:
    portal = world.portal(world.client())
    browser = world.browser()
    url = portal.url(login_hint="someone", ui_locales="en zh-CN")
    uid = answered(browser.get(url).headers["location"])["interaction"]
    with world.begin() as tx:
        shown = interaction.details(
            tx, world.provider, uid, browser.cookie(interaction.BROWSER_COOKIE)
        )
    assert shown.realm is Realm.CITIZEN
    assert shown.client_name_zh == "示例市政务服务网"
    assert shown.login_hint == "someone"
    assert shown.ui_locales == ("en", "zh-CN")


def test_a_hint_that_is_a_number_lies_open_nowhere(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser, redis = world.browser(), world.provider.redis
    location = browser.get(portal.url(login_hint=PHONE)).headers["location"]
    while_waiting = [redis.get(key) for key in redis.scan_iter("yinxin:idp:interaction:*")]
    with world.begin() as tx:
        uid, cookie = answered(location)["interaction"], browser.cookie(interaction.BROWSER_COOKIE)
        shown = interaction.details(tx, world.provider, uid, cookie)
    browser.get(browser.sign_in(location, NUMBER))
    # With a sign-on already there, the request goes straight to its code.
    browser.get(portal.url(login_hint=PHONE))
    with_code = [redis.get(key) for key in redis.scan_iter("yinxin:idp:code:*")]
    assert while_waiting
    assert len(with_code) == 2
    assert not [body for body in (*while_waiting, *with_code) if PHONE.encode() in (body or b"")]
    assert shown.login_hint == PHONE
    assert PHONE not in repr(shown), "what may be logged by accident"


@pytest.mark.parametrize("username", [NUMBER, PEOPLE["李㛃"].number, "nobody", "a\x00b", ""])
def test_a_wrong_password_and_an_unknown_name_are_refused_alike(
    world: World, username: str
) -> None:
    world.register()
    with pytest.raises(SignInRefused) as refused:
        world.browser().sign_in(None, username, "a wrong password")
    assert refused.value.parameters == {}


@pytest.mark.parametrize("name", [NUMBER, PHONE])
def test_a_password_cannot_be_guessed_at_length(world: World, name: str) -> None:
    world.register()
    for attempt in range(8):
        with pytest.raises(SignInRefused):
            world.browser().sign_in(None, name, f"guess {attempt}", address=f"192.0.2.{attempt}")
    with pytest.raises(TooManyTries) as refused:
        world.browser().sign_in(None, name, PASSWORD)
    assert 0 < int(refused.value.parameters["seconds"]) <= 900


@pytest.mark.parametrize("registered", [True, False])
def test_the_limit_on_guesses_does_not_tell_who_has_an_account(
    world: World, registered: bool
) -> None:
    """Neither how a name is written nor a second name of the same person may show a difference."""
    number = PEOPLE["欧阳静姝"].number
    if registered:
        world.register("欧阳静姝", "13800000002")
    for attempt in range(8):
        name = (number, number.lower(), f" {number} ")[attempt % 3]
        with pytest.raises(SignInRefused):
            world.browser().sign_in(None, name, "a wrong password", address=f"192.0.2.{attempt}")
    for name in (number, number.lower()):
        with pytest.raises(TooManyTries):
            world.browser().sign_in(None, name, "a wrong password")
    with pytest.raises(SignInRefused):
        world.browser().sign_in(None, "13800000002", "a wrong password")


def test_a_good_sign_in_forgives_the_bad_ones_before(world: World) -> None:
    world.register()
    for _ in range(2):
        for _ in range(7):
            with pytest.raises(SignInRefused):
                world.browser().sign_in(None, NUMBER, "a wrong password")
        world.browser().sign_in(None, NUMBER)


@pytest.mark.parametrize("changed", ["closed", "password"])
def test_what_changed_while_the_password_was_checked_opens_no_session(
    world: World, changed: str
) -> None:
    provider, subject = world.provider, world.register()
    asked = Typed(Realm.CITIZEN, NUMBER, PASSWORD, Entry("192.0.2.7"))
    with world.begin() as tx:
        claimed = password_sign_in.claim(tx, provider, asked)
    proven = password_sign_in.prove(provider, claimed)
    with world.begin() as tx:
        person = tx.get_one(PersonRow, subject)
        if changed == "closed":
            person.closed_at = world.clock()
        else:
            person.password_hash = passwords.protect(provider, "another good password")
    with world.begin() as tx, pytest.raises(SignInRefused):
        password_sign_in.enter(tx, provider, proven)


def test_no_transaction_is_open_while_the_sign_in_page_checks_a_password(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen, checked = rig.person(), passwords.is_right
    open_connections: list[int] = []

    def watched(typed: str, stored: str | None) -> bool:
        open_connections.append(rig.world.engine.pool.checkedout())  # type: ignore[attr-defined]
        return checked(typed, stored)

    monkeypatch.setattr(passwords, "is_right", watched)
    http = rig.browser().http
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', http.get("/login").text)
    assert found
    typed = {"csrf": found[1], "username": citizen.phone, "password": citizen.password}
    assert http.post("/login", data=typed).headers["Location"] == "/my/licences"
    assert open_connections == [0]


def test_one_address_cannot_try_many_accounts(world: World) -> None:
    provider = world.provider
    for attempt in range(61):
        asked = Typed(Realm.STAFF, f"name-{attempt}", "x" * 200, Entry("198.51.100.9"))
        expected = SignInRefused if attempt < 60 else TooManyTries
        with pytest.raises(expected):
            signed_in(provider, asked)


def test_a_clerks_token_names_the_organisation_and_only_the_roles_scopes(world: World) -> None:
    subject = world.clerk()
    desk = world.portal(world.staff_client(), "openid licence.issue licence.revoke")
    token = desk.token(world.browser().authorize(desk.url(), "zhou.yuan"))
    assert token["scope"] == "openid licence.issue"
    claims = claims_of(
        world,
        token["access_token"],
        sub=subject,
        organisation="11990100MBXX90018M",
        scope="openid licence.issue",
        client_id="desk",
    )
    assert claims["aud"] == [f"{world.provider.public_url}/api/licences", world.issuer]
    header = json.loads(jwt_header(str(token["access_token"])))
    assert header["typ"] == "at+jwt"


def jwt_header(token: str) -> bytes:
    import base64

    part = token.split(".")[0]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
