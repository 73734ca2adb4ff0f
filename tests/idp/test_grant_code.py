"""Authorization codes: given once, taken once, bound to whom and what they were given for."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import select

from idp import sessions
from idp.sessions import Ending
from idp.tables import SessionRow
from idp.vocabulary import AuthMethod, GrantType
from tests.idp.test_sign_in import claims_of
from tests.idp.world import CALLBACK, PEOPLE, World, answered, heard, mounted, served
from tests.proving import Prover

NUMBER = PEOPLE["张䶮"].number
SECRET = "a-secret-told-only-this-once"
REFRESHING = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)


@dataclass
class Redemption:
    """A code and all that belongs to it."""

    world: World
    form: dict[str, str]

    def post(self, **changed: Any) -> httpx2.Response:
        headers = changed.pop("headers", {})
        form = {n: v for n, v in (self.form | changed).items() if v is not None}
        return httpx2.post(f"{self.world.issuer}/token", data=form, headers=headers, timeout=60)


def redemption(world: World, asked: dict[str, str] | None = None, **client: object) -> Redemption:
    """Sign a person in at a portal; the code is not redeemed yet."""
    world.register()
    known = {"client_secret": SECRET, "auth_method": AuthMethod.POST}
    portal = world.portal(world.client(**(known | client)))
    answer = answered(world.browser().authorize(portal.url(**(asked or {})), NUMBER))
    return Redemption(
        world,
        {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": CALLBACK,
            "code_verifier": portal.verifier,
            "client_id": "portal-a",
            "client_secret": SECRET,
        },
    )


def error(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]


def userinfo(world: World, token: str) -> int:
    header = {"Authorization": f"Bearer {token}"}
    return httpx2.get(f"{world.issuer}/userinfo", headers=header).status_code


def test_of_200_uses_of_one_code_at_once_exactly_one_wins(world: World) -> None:
    found = redemption(world)
    with ThreadPoolExecutor(40) as crowd:
        answers = list(crowd.map(lambda _: found.post(), range(200)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 199}
    lost = {answer.json()["error"] for answer in answers if answer.status_code == 400}
    assert lost == {"invalid_grant"}
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert userinfo(world, won["access_token"]) == 401, "the code was in two hands"


@pytest.mark.parametrize("later", [1, 31, 300])
def test_a_code_that_comes_again_ends_all_that_it_gave(world: World, later: int) -> None:
    found = redemption(world, grant_types=REFRESHING)
    given = found.post().json()
    assert userinfo(world, given["access_token"]) == 200
    world.clock.tick(seconds=later)
    with heard() as lines:
        assert error(found.post()) == (400, "invalid_grant")
    assert userinfo(world, given["access_token"]) == 401
    refreshed = found.post(
        grant_type="refresh_token",
        refresh_token=given["refresh_token"],
        code=None,
        redirect_uri=None,
        code_verifier=None,
    )
    assert error(refreshed) == (400, "invalid_grant")
    told = [line for line in lines if "code.presented_again" in line]
    assert len(told) == 1
    assert found.form["code"] not in told[0]


def test_a_code_is_remembered_longer_than_what_it_gave_lives(world: World) -> None:
    found = redemption(world)
    redis = world.provider.redis
    (note,) = redis.scan_iter("yinxin:idp:code-grant:*")
    (code,) = redis.scan_iter("yinxin:idp:code:*")
    assert 0 < redis.ttl(code) <= 60
    assert 600 < redis.ttl(note) <= 900
    assert found.form["code"].encode() not in code + note


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "unknown"},
        {"code": "\x00"},
        {"code": "x" * 5000},
        {"redirect_uri": f"{CALLBACK}/other"},
        {"redirect_uri": None},
        {"code_verifier": None},
        {"code_verifier": "x" * 43},
        {"code_verifier": "short"},
        {"code_verifier": "é" * 43},
    ],
)
def test_a_code_is_bound_to_its_request(world: World, changed: dict[str, Any]) -> None:
    assert error(redemption(world).post(**changed)) == (400, "invalid_grant")


def test_a_code_asked_for_without_a_challenge_needs_no_verifier_and_takes_none(
    world: World,
) -> None:
    world.register()
    registered = world.client(require_pkce=False, client_secret=SECRET, auth_method=AuthMethod.POST)
    browser = world.browser()
    browser.sign_in(None, NUMBER)
    plain = {
        "client_id": registered.client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
    }

    def code() -> Redemption:
        url = httpx2.URL(f"{world.issuer}/authorize", params=plain)
        form = {
            "grant_type": "authorization_code",
            "code": answered(browser.get(str(url)).headers["location"])["code"],
            "redirect_uri": CALLBACK,
            "client_id": "portal-a",
            "client_secret": SECRET,
        }
        return Redemption(world, form)

    assert code().post().status_code == 200
    assert error(code().post(code_verifier="x" * 43)) == (400, "invalid_grant")


def test_a_code_of_one_client_is_worth_nothing_to_another(world: World) -> None:
    found = redemption(world)
    world.client(client_id="portal-b", client_secret=SECRET, auth_method=AuthMethod.POST)
    assert error(found.post(client_id="portal-b")) == (400, "invalid_grant")
    assert error(found.post()) == (400, "invalid_grant"), "and it is spent"


def test_whoever_finds_a_used_code_of_anothers_ends_nothing(world: World) -> None:
    found = redemption(world)
    given = found.post().json()
    world.client(client_id="portal-b", client_secret=SECRET, auth_method=AuthMethod.POST)
    assert error(found.post(client_id="portal-b")) == (400, "invalid_grant")
    assert userinfo(world, given["access_token"]) == 200


def test_a_code_of_a_sign_on_that_ended_gives_nothing(world: World) -> None:
    found = redemption(world)
    with world.begin() as tx:
        for sid in tx.scalars(select(SessionRow.sid)):
            sessions.end(tx, world.provider, sid, by="person", why=Ending.SIGNED_OUT)
    assert error(found.post()) == (400, "invalid_grant")


def test_the_client_is_noted_with_the_sign_on_it_was_told_of(world: World) -> None:
    given = redemption(world).post().json()
    sid = str(claims_of(world, given["id_token"])["sid"])
    with world.begin() as tx:
        told = sessions.told_to(tx, sid)
    assert [client.client_id for client in told] == ["portal-a"]


def test_dpop_jkt_binds_the_code_to_a_key(world: World) -> None:
    prover = Prover(world.clock)
    found = redemption(world, {"dpop_jkt": prover.jkt})
    given = found.post(headers={"DPoP": prover.proof("POST", f"{world.issuer}/token")})
    assert given.json()["token_type"] == "DPoP"


@pytest.mark.parametrize("shown", ["nothing", "another key"])
def test_without_that_key_the_code_is_worth_nothing(world: World, shown: str) -> None:
    prover, other = Prover(world.clock), Prover(world.clock)
    found = redemption(world, {"dpop_jkt": prover.jkt})
    headers = {}
    if shown != "nothing":
        headers = {"DPoP": other.proof("POST", f"{world.issuer}/token")}
    assert error(found.post(headers=headers)) == (400, "invalid_grant")


def test_a_lost_store_is_told_as_temporary_and_spends_nothing(world: World) -> None:
    found = redemption(world)
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock", retry=Retry(NoBackoff(), 0))
    with served(mounted(replace(world.provider, redis=nowhere))) as url:
        refused = httpx2.post(f"{url}/oidc/token", data=found.form)
    assert error(refused) == (503, "temporarily_unavailable")
    assert found.post().status_code == 200
