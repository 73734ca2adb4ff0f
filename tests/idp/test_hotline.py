"""A caller proves themselves to a hotline by a code from the app: no password over the telephone."""

from typing import Any

import httpx2
import pytest

from idp import consents, sessions
from idp.client_errors import ClientMetadataWrong
from idp.client_metadata import Consent
from idp.method import Method
from idp.methods import hotline_codes
from idp.sessions import Ending, SignOn
from idp.sign_in_errors import HotlineNeedsLevel, HotlineUnknown
from idp.vocabulary import AuthMethod, GrantType, Realm
from tests.idp.test_sign_in import claims_of
from tests.idp.world import World

GRANT = GrantType.HOTLINE


def hotline(world: World, client_id: str = "12345", **changed: Any) -> tuple[str, str]:
    """Register a hotline; return how it proves itself."""
    asked = {
        "client_id": client_id,
        "name_zh": "12345 政务服务便民热线",
        "grant_types": (GRANT,),
        "redirect_uris": (),
        "scopes": ("openid", "profile"),
        "consent": Consent.BY_PERSON,
    }
    registered = world.client(**(asked | changed))
    return registered.client_id, str(registered.client_secret)


@pytest.fixture
def caller(world: World) -> SignOn:
    with world.begin() as tx:
        subject = world.register()
        opened = sessions.open_session(
            tx, world.provider, Realm.CITIZEN, subject, (Method.PASSWORD,), level=1
        )
    return opened.session


def code(world: World, own: SignOn, client_id: str = "12345") -> str:
    with world.begin() as tx:
        return hotline_codes.agree(tx, world.provider, own, client_id)


def tell(world: World, auth: tuple[str, str], told: str | None) -> httpx2.Response:
    form = {"grant_type": str(GRANT)} | ({} if told is None else {"hotline_code": told})
    return httpx2.post(f"{world.issuer}/token", data=form, auth=auth)


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["error"])


def test_the_hotline_learns_who_calls_at_the_level_of_the_app(world: World, caller: SignOn) -> None:
    auth = hotline(world)
    answer = tell(world, auth, code(world, caller))
    assert answer.status_code == 200, answer.text
    told = claims_of(world, answer.json()["id_token"])
    assert told["acr"] == "urn:yinxin:level:natural:1"
    assert told["amr"] == ["pwd"]
    assert "refresh_token" not in answer.json()


def test_what_the_person_agreed_to_is_remembered(world: World, caller: SignOn) -> None:
    hotline(world)
    code(world, caller)
    with world.begin() as tx:
        (given,) = consents.given(tx, caller.subject)
    assert (given.client_id, given.items) == ("12345", ("profile",))


def test_a_code_is_told_once(world: World, caller: SignOn) -> None:
    auth = hotline(world)
    said = code(world, caller)
    assert tell(world, auth, said).status_code == 200
    assert refusal(tell(world, auth, said)) == (400, "invalid_grant")


def test_a_code_is_of_one_hotline_and_another_cannot_use_it_up(
    world: World, caller: SignOn
) -> None:
    auth, impostor = hotline(world), hotline(world, "another")
    said = code(world, caller)
    assert refusal(tell(world, impostor, said)) == (400, "invalid_grant")
    assert tell(world, auth, said).status_code == 200


def test_a_code_lasts_three_minutes(world: World, caller: SignOn) -> None:
    auth = hotline(world)
    said = code(world, caller)
    world.clock.tick(minutes=3)
    assert refusal(tell(world, auth, said)) == (400, "invalid_grant")


def test_a_code_of_a_session_that_ended_is_worth_nothing(world: World, caller: SignOn) -> None:
    auth = hotline(world)
    said = code(world, caller)
    with world.begin() as tx:
        sessions.end(tx, world.provider, caller.sid, by="test", why=Ending.SIGNED_OUT)
    assert refusal(tell(world, auth, said)) == (400, "invalid_grant")


@pytest.mark.parametrize(("told", "error"), [(None, "invalid_request"), ("x", "invalid_grant")])
def test_without_a_good_code_there_is_nothing(world: World, told: str | None, error: str) -> None:
    assert refusal(tell(world, hotline(world), told)) == (400, error)


def test_a_hotline_that_guesses_is_stopped(world: World) -> None:
    auth = hotline(world)
    for _ in range(60):
        tell(world, auth, "00000000")
    assert tell(world, auth, "00000000").status_code == 429


def test_a_client_that_is_no_hotline_gets_nothing_by_a_code(world: World, caller: SignOn) -> None:
    registered = world.client()
    auth = (registered.client_id, str(registered.client_secret))
    assert refusal(tell(world, auth, "00000000")) == (400, "unauthorized_client")
    with pytest.raises(HotlineUnknown):
        code(world, caller, registered.client_id)


def test_a_hotline_may_ask_for_more_than_the_app_has_shown(world: World, caller: SignOn) -> None:
    hotline(world, minimum_acr="urn:yinxin:level:natural:2")
    with pytest.raises(HotlineNeedsLevel):
        code(world, caller)


def test_a_hotline_proves_itself(world: World) -> None:
    with pytest.raises(ClientMetadataWrong):
        hotline(world, auth_method=AuthMethod.NONE)
