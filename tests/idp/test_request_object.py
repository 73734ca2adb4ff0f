"""Signed requests: by value and by reference, good and bad."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from idp.vocabulary import AuthMethod
from keys.algorithms import ES256
from keys.jwk import encryption_jwk
from keys.software_opener import SoftwareOpener
from keys.software_signer import generate
from tests.idp.signing_client import HOUR, STRANGERS_KEYS, SigningClient
from tests.idp.world import CALLBACK, World, answered, mounted, served


@pytest.fixture
def signer(world: World) -> SigningClient:
    return SigningClient(world)


def register(world: World, signer: SigningClient, **changed: object) -> None:
    world.client(**({"jwks": signer.jwks} | changed))


def ask(world: World, request: str = "", **changed: str) -> httpx2.Response:
    """Bring a request object, and beside it what everybody could write into the address."""
    outside = {"client_id": "portal-a", "redirect_uri": CALLBACK, "state": "s-outside"}
    brought = {"request": request} if request else {}
    return httpx2.get(f"{world.issuer}/authorize", params=outside | brought | changed)


def error(response: httpx2.Response) -> tuple[str, str | None]:
    assert response.status_code == 303, response.text
    told = answered(response.headers["location"])
    return told["error"], told.get("state")


def goes_on(response: httpx2.Response) -> bool:
    return "/login?interaction=" in response.headers.get("location", "")


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "RS256"])
def test_a_request_signed_by_its_client_is_taken(
    world: World, signer: SigningClient, alg: str
) -> None:
    register(world, signer)
    assert goes_on(ask(world, signer.object(alg)))


def test_only_what_stands_in_the_object_counts(world: World, signer: SigningClient) -> None:
    register(world, signer)
    inside = signer.object(response_type="token", state=None)
    assert error(ask(world, inside, scope="openid", state="s-outside")) == (
        "unsupported_response_type",
        None,
    )
    assert goes_on(ask(world, signer.object(), prompt="none", code_challenge="weak"))


def test_numbers_and_json_may_stand_as_they_are(world: World, signer: SigningClient) -> None:
    register(world, signer, resources=("https://api.example",))
    asked = signer.object(
        max_age=0,
        claims={"userinfo": {"name": None}},
        resource=["https://api.example"],
        favourite={"colour": "vermilion"},
    )
    assert goes_on(ask(world, asked))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "portal-b"},
        {"aud": "https://other.example"},
        {"aud": ["https://other.example"]},
        {"exp": -300},
        {"nbf": 300},
        {"exp": "soon"},
        {"nbf": True},
        {"nbf": 10**400},
        {"client_id": "portal-b"},
        {"request": "e30.e30.e30"},
        {"request_uri": "https://portal-a.example/object"},
        {"prompt": True},
        {"scope": "openid \u0000"},
        {"max_age": 1.5},
    ],
)
def test_an_object_that_says_something_wrong_is_refused(
    world: World, signer: SigningClient, changed: dict[str, Any]
) -> None:
    now = int(world.clock().timestamp())
    for name in ("exp", "nbf"):
        if type(changed.get(name)) is int:
            changed = {name: now + changed[name]}
    register(world, signer)
    assert error(ask(world, signer.object(**changed))) == ("invalid_request_object", "s-outside")


def unsigned(claims: dict[str, Any]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}."


def forgeries(signer: SigningClient) -> Iterator[str]:
    """Objects that nobody may take for the client's."""
    good = signer.object()
    head, payload, signature = good.split(".")
    yield unsigned(signer.claims())
    yield f"{head}.{payload}."
    yield f"{head}.{payload}.{signature[::-1]}"
    yield good[:-4]
    yield f"{good}.x"
    yield SigningClient(signer.world, keys=STRANGERS_KEYS).object()
    yield signer.signed(signer.claims(), kid="unknown")
    yield signer.signed(signer.claims(), typ="at+jwt")
    yield signer.signed(signer.claims(), jwk=signer.jwks["keys"][0])
    yield signer.signed(signer.claims(), jku="https://evil.example/jwks")
    yield "e30.e30.e30"
    yield "a.b.c.d.e"
    yield "電"


def test_an_object_not_signed_by_the_client_is_refused(world: World, signer: SigningClient) -> None:
    register(world, signer)
    for forged in forgeries(signer):
        assert error(ask(world, forged))[0] == "invalid_request_object", forged


def test_an_unknown_critical_header_is_refused(world: World, signer: SigningClient) -> None:
    register(world, signer)
    good = signer.object().split(".")
    header = json.loads(base64.urlsafe_b64decode(good[0] + "=="))
    header |= {"crit": ["x"], "x": 1}
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    assert error(ask(world, ".".join([head, *good[1:]])))[0] == "invalid_request_object"


def test_a_request_larger_than_any_is_not_read_at_all(world: World, signer: SigningClient) -> None:
    register(world, signer)
    refused = ask(world, signer.object(padding="x" * 13_000))
    assert refused.json()["error_description"] == "authorize.unreadable"


def test_an_object_is_no_way_to_an_address_that_is_not_registered(
    world: World, signer: SigningClient
) -> None:
    register(world, signer)
    inside = ask(world, signer.object(redirect_uri="https://evil.example/"))
    assert inside.json()["error_description"] == "authorize.redirect_uri_unregistered"
    beside = ask(world, "e30.e30.e30", redirect_uri="https://evil.example/")
    assert beside.json()["error_description"] == "authorize.request_object"
    assert beside.status_code == 400


def test_a_client_that_registered_one_algorithm_signs_with_no_other(
    world: World, signer: SigningClient
) -> None:
    register(world, signer, request_object_signing_alg="PS256")
    assert goes_on(ask(world, signer.object("PS256")))
    assert error(ask(world, signer.object("ES256")))[0] == "invalid_request_object"


def test_what_stands_outside_too_must_be_the_same(world: World, signer: SigningClient) -> None:
    register(world, signer)
    assert goes_on(ask(world, signer.object(), response_type="code"))
    refused = ask(world, signer.object(), response_type="token")
    assert error(refused)[0] == "invalid_request_object"


def test_a_client_that_must_sign_may_do_nothing_else(world: World, signer: SigningClient) -> None:
    register(world, signer, require_signed_request_object=True)
    assert goes_on(ask(world, signer.object()))
    plain = ask(world, **signer.parameters())
    assert error(plain)[0] == "invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None},
        {"nbf": None},
        {"iss": None},
        {"aud": None},
        {"nbf": -HOUR - 60},
        {"exp": HOUR + 600},
    ],
)
def test_message_signing_asks_for_more_of_an_object(
    world: World, signer: SigningClient, changed: dict[str, Any]
) -> None:
    now = int(world.clock().timestamp())
    moved: dict[str, Any] = {n: v if v is None else now + v for n, v in changed.items()}
    register(world, signer, require_signed_request_object=True)
    assert error(ask(world, signer.object(**moved)))[0] == "invalid_request_object"


def test_a_clients_clock_may_be_a_little_ahead(world: World, signer: SigningClient) -> None:
    register(world, signer, require_signed_request_object=True)
    now = int(world.clock().timestamp())
    assert goes_on(ask(world, signer.object(nbf=now + 8)))
    assert error(ask(world, signer.object(nbf=now + 300)))[0] == "invalid_request_object"


def test_an_object_may_be_encrypted_to_us(world: World, signer: SigningClient) -> None:
    register(world, signer)
    opener = SoftwareOpener(generate(ES256))
    ours: dict[str, Any] = dict(encryption_jwk(opener.public_key))
    openers = {opener.public_key.kid: opener}
    provider = replace(world.provider, opener=openers.get)
    good = signer.encrypted(signer.object(), ours)
    head, *rest = good.split(".")
    with served(mounted(provider)) as url:

        def ask_it(request: str) -> httpx2.Response:
            outside = {"client_id": "portal-a", "redirect_uri": CALLBACK, "request": request}
            return httpx2.get(f"{url}/oidc/authorize", params=outside)

        assert goes_on(ask_it(good))
        for wrong in (
            ".".join([head, *rest[:-1], rest[-1][::-1]]),
            signer.encrypted(signer.object(), ours | {"kid": "unknown"}),
            signer.encrypted("not a signed object", ours),
            signer.encrypted(unsigned(signer.claims()), ours),
        ):
            assert error(ask_it(wrong))[0] == "invalid_request_object"


def library(objects: dict[str, Response]) -> Starlette:
    """A client's own site, with its request objects."""

    async def answer(request: Request) -> Response:
        return objects[request.url.path]

    return Starlette(routes=[Route("/{name}", answer)])


def test_an_object_is_fetched_only_from_where_the_client_registered(
    world: World, signer: SigningClient
) -> None:
    objects: dict[str, Response] = {}
    with served(library(objects)) as url:
        names = ("good", "bad", "huge", "gone", "away")
        register(world, signer, request_uris=tuple(f"{url}/{name}" for name in names))
        objects["/good"] = PlainTextResponse(signer.object())
        objects["/bad"] = PlainTextResponse("nothing")
        objects["/huge"] = PlainTextResponse("x" * 100_000)
        objects["/gone"] = PlainTextResponse("", 404)
        objects["/away"] = RedirectResponse(f"{url}/good")
        objects["/other"] = objects["/good"]
        assert goes_on(ask(world, request_uri=f"{url}/good"))
        assert error(ask(world, request_uri=f"{url}/bad"))[0] == "invalid_request_object"
        for name in ("huge", "gone", "away", "other"):
            refused = ask(world, request_uri=f"{url}/{name}")
            assert error(refused)[0] == "invalid_request_uri", name


def test_a_reference_that_leads_nowhere_is_displayed_without_a_trusted_address(
    world: World, signer: SigningClient
) -> None:
    register(world, signer)
    refused = ask(
        world, request_uri="https://portal-a.example/x", redirect_uri="https://evil.example"
    )
    assert refused.status_code == 400
    assert refused.json()["error_description"] == "authorize.request_uri"


def test_a_client_without_keys_signs_nothing(world: World, signer: SigningClient) -> None:
    world.client(auth_method=AuthMethod.NONE)
    assert error(ask(world, signer.object()))[0] == "invalid_request_object"
