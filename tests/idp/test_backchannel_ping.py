"""Ping: a client on a real server is told that the person has decided, once it can be reached."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select
from starlette.types import Receive, Scope, Send

from idp import deciding
from idp.vocabulary import Delivery
from keys.tables import journal
from tests.idp.approvals import Form, told
from tests.idp.away import asked, ciba_poll, clinic, decide, signed_on, waiting
from tests.idp.world import World, heard, served

TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"


@dataclass
class Endpoint:
    """A client's notification endpoint; it answers what `says` holds, the last for ever."""

    says: list[int] = field(default_factory=lambda: [204])
    url: str = ""
    calls: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.calls.append((scope["method"], scope["path"], headers, json.loads(body)))
        status = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        away = [(b"location", f"{self.url}/elsewhere".encode())]
        await send({"type": "http.response.start", "status": status, "headers": away})
        await send({"type": "http.response.body", "body": b"anything"})


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    listening = Endpoint()
    with served(listening) as listening.url:
        yield listening


def pinged(world: World, url: str, **changed: Any) -> Form:
    """Register a client that is told at `url`."""
    return clinic(
        world,
        backchannel_token_delivery_mode=Delivery.PING,
        backchannel_client_notification_endpoint=url,
        **changed,
    )


def decided(world: World, proof: Form, how: Any = deciding.approve) -> str:
    """Ask for the person, who decides; return the handle."""
    subject = world.register()
    answer = asked(world, proof, client_notification_token=TOKEN)
    assert answer.status_code == 200, answer.text
    session = signed_on(world, subject)
    decide(world, how, waiting(world, session)[0].uid, session)
    return str(answer.json()["auth_req_id"])


def outcomes(world: World) -> list[tuple[str, Any]]:
    with world.begin() as tx:
        rows = tx.execute(select(journal).where(journal.c.action.like("ciba.%"))).all()
    return [(row.action, row.details) for row in rows]


def test_a_client_is_told_which_request_was_decided_and_nothing_more(
    world: World, endpoint: Endpoint
) -> None:
    proof = pinged(world, f"{endpoint.url}/ciba")
    handle = decided(world, proof)
    assert endpoint.calls == [], "no person waits for a client"
    world.run_jobs()
    ((method, path, headers, body),) = endpoint.calls
    assert (method, path) == ("POST", "/ciba")
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["content-type"] == "application/json"
    assert body == {"auth_req_id": handle}
    assert outcomes(world) == [("ciba.pinged", {"outcome": "told"})]
    assert ciba_poll(world, proof, handle).status_code == 200


def test_a_refusal_is_told_alike(world: World, endpoint: Endpoint) -> None:
    proof = pinged(world, endpoint.url)
    handle = decided(world, proof, deciding.deny)
    world.run_jobs()
    assert [body for *_, body in endpoint.calls] == [{"auth_req_id": handle}]
    told(ciba_poll(world, proof, handle), 400, "access_denied")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302, 307])
def test_a_client_that_refuses_is_not_told_again_and_no_redirect_is_followed(
    world: World, endpoint: Endpoint, status: int
) -> None:
    endpoint.says = [status]
    decided(world, pinged(world, endpoint.url))
    world.run_jobs()
    world.run_jobs()
    assert len(endpoint.calls) == 1
    assert outcomes(world) == [("ciba.not_pinged", {"outcome": f"status {status}"})]


def test_a_client_that_is_down_is_told_when_it_is_back(world: World, endpoint: Endpoint) -> None:
    endpoint.says = [503, 500, 200]
    decided(world, pinged(world, endpoint.url))
    for _ in range(4):
        world.run_jobs()
    assert len(endpoint.calls) == 3
    assert outcomes(world) == [("ciba.pinged", {"outcome": "told"})]


def test_nobody_is_told_of_what_has_lapsed(world: World) -> None:
    decided(world, pinged(world, "http://127.0.0.1:9/gone"))
    world.run_jobs()
    assert world.line.waiting, "it could not be reached, and is tried again"
    world.clock.tick(minutes=10)
    world.run_jobs()
    assert world.line.waiting == []
    assert outcomes(world) == [("ciba.not_pinged", {"outcome": "late"})]


def test_the_clients_token_lies_open_nowhere(world: World, endpoint: Endpoint) -> None:
    with heard() as lines:
        handle = decided(world, pinged(world, endpoint.url))
        redis = world.provider.redis
        strings = [key for key in redis.scan_iter() if redis.type(key) == b"string"]
        kept = [redis.get(key) or b"" for key in strings]
        arguments = str(world.line.waiting)
        world.run_jobs()
    for secret in (TOKEN, handle):
        assert not any(secret.encode() in one for one in kept)
        assert secret not in arguments
        assert not any(secret in line for line in lines)


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 21, "with space" * 4, "印" * 30, "x" * 1025, "x" * 30 + "==="]
)
def test_a_client_that_is_pinged_must_say_how(world: World, token: str) -> None:
    world.register()
    proof = pinged(world, "https://clinic.example/ciba")
    told(asked(world, proof, client_notification_token=token), 400, "invalid_request")


def test_a_client_that_polls_is_not_told(world: World) -> None:
    decided(world, clinic(world))
    assert world.line.waiting == []
