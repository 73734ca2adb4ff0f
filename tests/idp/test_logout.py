"""RP-initiated logout: whose wish is taken, who is asked, and where nobody is ever sent."""

import base64
import json
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from redis import Redis
from redis.exceptions import RedisError

from idp import logout, sessions
from idp.logout import NOBODY_ASKED, Asked
from idp.sessions import COOKIE, SignOn
from idp.vocabulary import SubjectType
from keys import jose
from keys.algorithms import ES256, Purpose
from keys.software_signer import SoftwareSigner, generate
from tests.idp.world import PEOPLE, World

NUMBER = PEOPLE["张䶮"].number
BACK = "https://portal-a.example/signed-out"


class Signed:
    """A person signed in to a portal."""

    def __init__(self, world: World, **client: object) -> None:
        world.register()
        self.portal = world.portal(world.client(post_logout_redirect_uris=(BACK,), **client))
        self.browser = world.browser()
        token = self.portal.token(self.browser.authorize(self.portal.url(), NUMBER))
        self.id_token = str(token["id_token"])

    def session(self, world: World) -> SignOn | None:
        with world.begin() as tx:
            return sessions.find(tx, world.provider, self.browser.cookie(COOKIE))


@pytest.fixture
def signed(world: World) -> Signed:
    return Signed(world)


def asked_for(world: World, **sent: str) -> httpx2.Response:
    return httpx2.get(f"{world.issuer}/end_session", params=sent, follow_redirects=False)


def waiting(world: World, answer: httpx2.Response) -> Asked:
    """The logout that waits for the page an answer leads to."""
    location = urlsplit(answer.headers["location"])
    assert location.path == "/logout"
    found = logout.waiting(world.provider, dict(parse_qsl(location.query))["waiting"])
    assert found
    return found


def must_ask(world: World, asked: Asked, session: SignOn) -> bool:
    with world.begin() as tx:
        return logout.must_ask(tx, world.provider, asked, session)


def refusal(answer: httpx2.Response) -> str:
    assert answer.status_code == 400
    assert "location" not in answer.headers
    return str(answer.json()["error_description"])


def test_a_hint_of_this_very_sign_on_needs_no_question(world: World, signed: Signed) -> None:
    session = signed.session(world)
    assert session
    asked = waiting(world, asked_for(world, id_token_hint=signed.id_token))
    assert not must_ask(world, asked, session)


def test_an_expired_hint_is_as_good(world: World, signed: Signed) -> None:
    world.clock.tick(hours=1)
    session = signed.session(world)
    assert session
    asked = waiting(world, asked_for(world, id_token_hint=signed.id_token))
    assert not must_ask(world, asked, session)


def test_a_pairwise_subject_is_recognised(world: World) -> None:
    signed = Signed(world, subject_type=SubjectType.PAIRWISE)
    session = signed.session(world)
    assert session
    asked = waiting(world, asked_for(world, id_token_hint=signed.id_token))
    assert asked.sub != session.subject
    assert not must_ask(world, asked, session)


@pytest.mark.parametrize("sent", [{}, {"state": "s"}, {"client_id": "portal-a"}])
def test_without_a_hint_the_person_is_asked(
    world: World, signed: Signed, sent: dict[str, str]
) -> None:
    session = signed.session(world)
    assert session
    assert must_ask(world, waiting(world, asked_for(world, **sent)), session)
    assert must_ask(world, NOBODY_ASKED, session)


def test_a_hint_of_an_earlier_sign_on_or_another_person_is_asked_about(
    world: World, signed: Signed
) -> None:
    asked = waiting(world, asked_for(world, id_token_hint=signed.id_token))
    world.register("欧阳静姝", "13800000002")
    browser = world.browser()
    for number in (NUMBER, PEOPLE["欧阳静姝"].number):
        browser.authorize(signed.portal.url(prompt="login"), number)
        with world.begin() as tx:
            session = sessions.find(tx, world.provider, browser.cookie(COOKIE))
        assert session
        assert must_ask(world, asked, session)


def test_the_way_back_has_the_state_and_nothing_else(world: World, signed: Signed) -> None:
    state = "s" * 128 + " &=#"
    sent = {"id_token_hint": signed.id_token, "post_logout_redirect_uri": BACK}
    asked = waiting(world, asked_for(world, **sent, state=state))
    location = logout.sign_out(world.provider, signed.session(world), asked)
    assert location.startswith(f"{BACK}?state=")
    assert parse_qsl(urlsplit(location).query) == [("state", state)]
    assert signed.session(world) is None
    assert waiting(world, asked_for(world, **sent)).return_to == BACK


def test_the_session_ends_for_every_portal(world: World, signed: Signed) -> None:
    logout.sign_out(world.provider, signed.session(world), NOBODY_ASKED)
    silent = signed.browser.get(signed.portal.url(prompt="none")).headers["location"]
    assert dict(parse_qsl(urlsplit(silent).query))["error"] == "login_required"


def test_the_request_may_come_by_post_and_says_the_language(world: World, signed: Signed) -> None:
    form = {"id_token_hint": signed.id_token, "ui_locales": "en zh-CN"}
    answer = httpx2.post(f"{world.issuer}/end_session", data=form)
    assert answer.status_code == 303
    assert dict(parse_qsl(urlsplit(answer.headers["location"]).query))["ui_locales"] == "en zh-CN"


@pytest.mark.parametrize(
    "address",
    [
        "https://portal-a.example/elsewhere",
        f"{BACK}?foo=bar",
        f"{BACK}/",
        BACK.upper(),
        "//evil.example",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_is_not_registered_to_the_letter_is_never_followed(
    world: World, signed: Signed, address: str
) -> None:
    sent = {"id_token_hint": signed.id_token, "post_logout_redirect_uri": address}
    assert refusal(asked_for(world, **sent)) == "logout.address_unregistered"
    assert signed.session(world), "and nothing was ended"


def test_an_address_of_nobodys_is_never_followed(world: World, signed: Signed) -> None:
    assert refusal(asked_for(world, post_logout_redirect_uri=BACK)) == "logout.address_unregistered"


def test_the_client_of_the_request_must_be_the_hints(world: World, signed: Signed) -> None:
    world.client(client_id="portal-b")
    sent = {"id_token_hint": signed.id_token}
    assert refusal(asked_for(world, **sent, client_id="portal-b")) == "logout.hint_wrong"
    assert refusal(asked_for(world, **sent, client_id="nobody")) == "logout.client_unknown"
    assert waiting(world, asked_for(world, **sent, client_id="portal-a")).client_id == "portal-a"


def changed(token: str) -> Iterator[str]:
    """An ID Token, tampered with in every way there is."""
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    yield f"{head}.{part(claims | {'sub': 'somebody else'})}.{signature}"
    yield f"{part({'alg': 'none', 'typ': 'JWT'})}.{payload}."
    yield f"{head}.{payload}."
    yield f"{head}.{payload}.{signature[:-4]}AAAA"
    yield jose.sign(claims, SoftwareSigner(generate(ES256)), "JWT")
    yield "rubbish"
    yield "a" * 9000


def test_a_hint_that_is_not_ours_is_told_on_a_page(world: World, signed: Signed) -> None:
    for forged in changed(signed.id_token):
        sent = {"id_token_hint": forged, "post_logout_redirect_uri": BACK}
        assert refusal(asked_for(world, **sent)) == "logout.hint_wrong"
    assert signed.session(world)


def test_another_kind_of_token_of_ours_is_no_hint(world: World, signed: Signed) -> None:
    claims = {"iss": world.issuer, "aud": "portal-a", "sub": "s", "iat": 1, "exp": 2}
    signer = world.provider.signer(Purpose.ID_TOKEN, ES256)
    for typ, claim in (("logout+jwt", "events"), ("at+jwt", "scope")):
        token = jose.sign(claims | {claim: {}}, signer, typ)
        assert refusal(asked_for(world, id_token_hint=token)) == "logout.hint_wrong"


def test_a_repeated_or_over_long_parameter_is_refused(world: World) -> None:
    repeated = httpx2.get(f"{world.issuer}/end_session?state=a&state=b")
    assert refusal(repeated) == "logout.refused"
    assert refusal(asked_for(world, state="s" * 3000)) == "logout.refused"


def test_unknown_parameters_are_ignored(world: World) -> None:
    assert waiting(world, asked_for(world, extra="foobar", logout_hint="x")) == NOBODY_ASKED


def test_signing_out_twice_is_signing_out_once(world: World, signed: Signed) -> None:
    session = signed.session(world)
    for _ in range(2):
        location = logout.sign_out(world.provider, session, NOBODY_ASKED)
        assert location == f"{world.provider.public_url}/signed-out"


def test_without_redis_nothing_is_half_done(
    world: World, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = signed.session(world)
    nowhere = Redis(port=1, socket_connect_timeout=0.2)
    monkeypatch.setitem(world.provider.__dict__, "redis", nowhere)
    away = asked_for(world, id_token_hint=signed.id_token)
    assert away.status_code == 503
    assert away.headers["retry-after"]
    with pytest.raises(RedisError):
        logout.sign_out(world.provider, session, NOBODY_ASKED, uid="some")
    monkeypatch.undo()
    assert signed.session(world), "the person is still signed in and may try again"
