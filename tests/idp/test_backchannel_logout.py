"""Back-channel logout: portals on real servers are told, again and again if need be, each time afresh."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import parse_qsl

import httpx2
import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import select
from starlette.types import Receive, Scope, Send

from idp import backchannel_logout, clients, sessions
from idp.backchannel_logout import MOST_ATTEMPTS, Notice
from idp.sessions import COOKIE, Ending, SignOn
from idp.vocabulary import Realm, SubjectType
from keys.tables import journal
from tests.idp.world import PEOPLE, World, served

NUMBER = PEOPLE["张䶮"].number
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Listener:
    """A portal's logout address; it answers what `says` holds, the last for ever."""

    says: list[int] = field(default_factory=lambda: [200])
    slow: float = 0
    url: str = ""
    heard: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        time.sleep(self.slow)
        self.paths.append(f"{scope['method']} {scope['path']}")
        self.heard.append(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        status = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        headers = [(b"location", f"{self.url}/elsewhere".encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    @property
    def tokens(self) -> list[str]:
        return [form["logout_token"] for form in self.heard]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    with served(listening) as listening.url:
        yield listening


def signed_in(world: World, *portals: str, **client: object) -> tuple[SignOn, str]:
    """Sign a person in to portals; return the session and the last portal's `sub` of the person."""
    subject = world.register()
    browser = world.browser()
    id_token = ""
    for portal_id, uri in (portal.split("=", 1) for portal in portals):
        portal = world.portal(
            world.client(client_id=portal_id, backchannel_logout_uri=uri, **client)
        )
        id_token = str(portal.token(browser.authorize(portal.url(), NUMBER))["id_token"])
    with world.begin() as tx:
        session = sessions.find(tx, world.provider, browser.cookie(COOKIE))
    if session is None:
        with world.begin() as tx:
            realm = Realm.CITIZEN
            opened = sessions.open_session(tx, world.provider, realm, subject, ("pwd",))
        return opened.session, subject
    return session, str(decoded(world, id_token)["sub"])


def decoded(world: World, token: str) -> dict[str, object]:
    keys = KeySet.import_key_set(httpx2.get(f"{world.issuer}/jwks").json())
    return dict(jwt.decode(token, keys, algorithms=["ES256", "RS256"]).claims)


def ended(world: World, session: SignOn) -> None:
    with world.begin() as tx:
        sessions.end(tx, world.provider, session.sid, by=session.subject, why=Ending.SIGNED_OUT)


def notices(world: World, session: SignOn) -> list[tuple[str, str, int]]:
    with world.begin() as tx:
        told = backchannel_logout.notices(tx, session.sid)
    return [(notice.client_id, notice.outcome, notice.attempts) for notice in told]


def test_a_portal_is_told_of_a_logout(world: World, listener: Listener) -> None:
    session, sub = signed_in(world, f"portal-a={listener.url}/bye")
    ended(world, session)
    assert notices(world, session) == [("portal-a", "waiting", 0)]
    assert listener.heard == [], "nobody waits for a portal while signing out"
    world.run_jobs()
    assert listener.paths == ["POST /bye"]
    (form,) = listener.heard
    assert set(form) == {"logout_token"}
    claims = decoded(world, form["logout_token"])
    now = int(world.clock().timestamp())
    assert claims.pop("jti")
    assert claims == {
        "iss": world.issuer,
        "aud": "portal-a",
        "sub": sub,
        "sid": session.sid,
        "iat": now,
        "exp": now + 120,
        "events": {EVENT: {}},
    }
    assert notices(world, session) == [("portal-a", "told", 1)]


def test_the_token_is_typed_and_signed_as_the_clients_id_tokens_are(
    world: World, listener: Listener
) -> None:
    session, _ = signed_in(
        world,
        f"portal-a={listener.url}",
        id_token_signed_response_alg="RS256",
    )
    ended(world, session)
    world.run_jobs()
    keys = KeySet.import_key_set(httpx2.get(f"{world.issuer}/jwks").json())
    header = jwt.decode(listener.tokens[0], keys, algorithms=["RS256"]).header
    assert header["typ"] == "logout+jwt"


def test_the_token_is_encrypted_to_those_whose_id_tokens_are(
    world: World, listener: Listener
) -> None:
    key = ECKey.generate_key("P-256", {"kid": "enc", "use": "enc", "alg": "ECDH-ES"})
    session, _ = signed_in(world)
    world.client(
        backchannel_logout_uri=listener.url,
        jwks={"keys": [key.as_dict(private=False)]},
        id_token_encrypted_response_alg="ECDH-ES",
        id_token_encrypted_response_enc="A256GCM",
    )
    tell_at_the_end(world, session, "portal-a")
    world.run_jobs()
    inner = jwe.decrypt_compact(listener.tokens[0], key).plaintext
    assert inner
    assert decoded(world, inner.decode())["aud"] == "portal-a"


def test_a_portal_whose_keys_cannot_be_had_is_told_later(world: World, listener: Listener) -> None:
    session, _ = signed_in(world)
    world.client(
        backchannel_logout_uri=listener.url,
        jwks_uri="https://127.0.0.1:1/jwks",
        id_token_encrypted_response_alg="ECDH-ES",
        id_token_encrypted_response_enc="A256GCM",
    )
    tell_at_the_end(world, session, "portal-a")
    world.run_jobs()
    assert notices(world, session) == [("portal-a", "keys", 1)]
    assert len(world.line.waiting) == 1


def tell_at_the_end(world: World, session: SignOn, client_id: str) -> None:
    """Let a client be told of a session, and end that."""
    with world.begin() as tx:
        client = clients.find(tx, client_id)
        assert client
        sessions.seen_by(tx, world.provider, session.sid, client, session.subject)
    ended(world, session)


def test_a_pairwise_portal_is_told_the_sub_it_knows(world: World, listener: Listener) -> None:
    session, sub = signed_in(world, f"portal-a={listener.url}", subject_type=SubjectType.PAIRWISE)
    ended(world, session)
    world.run_jobs()
    assert decoded(world, listener.tokens[0])["sub"] == sub != session.subject


@pytest.mark.parametrize("refusal", [500, 503, 400, 302, 307])
def test_a_portal_that_refuses_is_told_again_with_a_fresh_token(
    world: World, listener: Listener, refusal: int
) -> None:
    session, _ = signed_in(world, f"portal-a={listener.url}/bye")
    listener.says = [refusal, refusal, 204]
    ended(world, session)
    for attempt in (1, 2):
        world.run_jobs()
        assert notices(world, session) == [("portal-a", f"status {refusal}", attempt)]
        world.clock.tick(minutes=5)
    world.run_jobs()
    assert notices(world, session) == [("portal-a", "told", 3)]
    assert world.line.waiting == []
    assert listener.paths == ["POST /bye"] * 3, "no redirect is followed"
    tokens = [decoded(world, token) for token in listener.tokens]
    assert len({str(claims["jti"]) for claims in tokens}) == 3
    assert tokens[2]["iat"] == int(world.clock().timestamp())


def test_a_portal_that_is_down_is_told_when_it_is_back(world: World, listener: Listener) -> None:
    session, _ = signed_in(world, "portal-a=http://127.0.0.1:1/bye")
    ended(world, session)
    world.run_jobs()
    assert notices(world, session) == [("portal-a", "unreachable", 1)]
    with world.begin() as tx:
        clients.remove(tx, world.provider, "portal-a", by="tester")
    world.client(backchannel_logout_uri=listener.url)
    world.run_jobs()
    assert notices(world, session) == [("portal-a", "told", 2)]


def test_three_portals_share_one_sign_on_and_each_is_told_of_its_end(
    world: World, listener: Listener
) -> None:
    names = ("portal-a", "portal-b", "portal-c")
    session, _ = signed_in(world, *(f"{name}={listener.url}/{name}" for name in names))
    ended(world, session)
    world.run_jobs()
    assert sorted(listener.paths) == [f"POST /{name}" for name in names]
    told = [decoded(world, token) for token in listener.tokens]
    assert {(claims["aud"], claims["sid"]) for claims in told} == {
        (name, session.sid) for name in names
    }
    assert notices(world, session) == [(name, "told", 1) for name in names]


def test_a_portal_that_hangs_holds_up_no_other(world: World, listener: Listener) -> None:
    impatient = replace(world.provider.outgoing, seconds=0.3)
    world.provider = replace(world.provider, outgoing=impatient)
    listener.slow = 0.6
    quick = Listener()
    with served(quick) as quick.url:
        session, _ = signed_in(world, f"portal-a={listener.url}", f"portal-b={quick.url}")
        ended(world, session)
        world.run_jobs()
    assert notices(world, session) == [("portal-a", "timeout", 1), ("portal-b", "told", 1)]


def test_it_gives_up_in_the_end_and_says_so(world: World, listener: Listener) -> None:
    session, _ = signed_in(world, f"portal-a={listener.url}")
    listener.says = [500]
    ended(world, session)
    for _ in range(MOST_ATTEMPTS + 3):
        world.run_jobs()
    assert len(listener.heard) == MOST_ATTEMPTS
    assert notices(world, session) == [("portal-a", "status 500", MOST_ATTEMPTS)]
    with world.begin() as tx:
        row = tx.execute(select(journal).where(journal.c.action == "logout.given_up")).one()
    assert row.details == {"client_id": "portal-a", "outcome": "status 500"}


def test_a_portal_that_is_gone_or_wants_nothing_any_more_is_left_alone(world: World) -> None:
    session, _ = signed_in(world, "portal-a=http://127.0.0.1:1", "portal-b=http://127.0.0.1:1")
    ended(world, session)
    with world.begin() as tx:
        clients.remove(tx, world.provider, "portal-a", by="tester")
        clients.remove(tx, world.provider, "portal-b", by="tester")
    world.client(client_id="portal-b")
    world.run_jobs()
    assert world.line.waiting == []
    assert notices(world, session) == [("portal-a", "withdrawn", 1), ("portal-b", "withdrawn", 1)]


def test_a_portal_without_an_address_and_one_that_was_not_told_get_nothing(
    world: World, listener: Listener
) -> None:
    world.client(client_id="stranger", backchannel_logout_uri=listener.url)
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    portal.token(browser.authorize(portal.url(), NUMBER))
    with world.begin() as tx:
        session = sessions.find(tx, world.provider, browser.cookie(COOKIE))
    assert session
    ended(world, session)
    assert world.line.waiting == []
    assert notices(world, session) == []


def test_a_job_that_runs_twice_tells_once_more_at_most(world: World, listener: Listener) -> None:
    session, _ = signed_in(world, f"portal-a={listener.url}")
    ended(world, session)
    ((_, arguments),) = world.line.waiting
    world.run_jobs()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: backchannel_logout.tell(world.provider, **arguments), range(4)))
    assert len(listener.heard) == 1
    backchannel_logout.tell(world.provider, "4711")


def test_an_end_that_is_rolled_back_tells_nobody(world: World, listener: Listener) -> None:
    session, _ = signed_in(world, f"portal-a={listener.url}")
    with world.begin() as tx:
        sessions.end(tx, world.provider, session.sid, by="x", why=Ending.SIGNED_OUT)
        tx.rollback()
    assert world.line.waiting == []
    assert notices(world, session) == []


def test_a_notice_says_when_it_was_tried(world: World, listener: Listener) -> None:
    session, _ = signed_in(world, f"portal-a={listener.url}")
    ended(world, session)
    asked: datetime = world.clock()
    world.clock.tick(seconds=7)
    world.run_jobs()
    with world.begin() as tx:
        (notice,) = backchannel_logout.notices(tx, session.sid)
    assert notice == Notice("portal-a", "told", 1, asked, world.clock())
