"""Clients that register and manage themselves (RFC 7591, RFC 7592), over HTTP."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from idp import client_auth, clients, initial_access, parameters, throttle
from idp.call import Call
from idp.client_metadata import Consent
from idp.errors import OAuthError
from idp.provider import Openness
from idp.vocabulary import Realm
from keys import tables
from keys.algorithms import SM2_SM3
from tests.idp.test_client_auth import JWKS
from tests.idp.world import BODY, CALLBACK, Stage, World, heard, mounted, served

ASKED: dict[str, Any] = {"client_name": "Somebody", "redirect_uris": [CALLBACK]}


@pytest.fixture
def open_world(world: World, provider_stage: Stage) -> World:
    """A sandbox in which anybody registers clients."""
    openness = Openness(registration=True, core_clients=True)
    world.provider = replace(world.provider, openness=openness)
    provider_stage.app = mounted(world.provider)
    return world


def invited(world: World, uses: int = 1) -> str:
    with world.begin() as tx:
        made = initial_access.invite(
            tx, world.provider, "lab", uses=uses, lifetime=timedelta(days=1), by="test"
        )
    return str(made.token)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def register(world: World, token: str | None = None, **changed: Any) -> httpx2.Response:
    return httpx2.post(
        f"{world.issuer}/clients",
        json={n: v for n, v in {**ASKED, **changed}.items() if v is not None},
        headers=bearer(token) if token else {},
    )


def registered(world: World, **changed: Any) -> dict[str, Any]:
    answer = register(world, **changed)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def refusal(answer: httpx2.Response, status: int = 400) -> tuple[str, str]:
    """The error, and the member it names."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    return told["error"], told["error_description"].partition(":")[0]


def managed(world: World, method: str, told: dict[str, Any], **changed: Any) -> httpx2.Response:
    """Manage a client as its keeper, with the document it was told last."""
    hidden = {
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    }
    document = {name: value for name, value in told.items() if name not in hidden} | changed
    return httpx2.request(
        method,
        told["registration_client_uri"],
        headers=bearer(told["registration_access_token"]),
        json={n: v for n, v in document.items() if v is not None} if method == "PUT" else None,
    )


# --- who may register


def test_nobody_registers_a_client_without_being_invited(world: World) -> None:
    assert refusal(register(world), 401)[0] == "invalid_token"
    assert refusal(register(world, "no-such-token"), 401)[0] == "invalid_token"
    assert register(world).headers["www-authenticate"].startswith("Bearer")


def test_an_initial_access_token_is_good_for_so_many_clients(world: World) -> None:
    token = invited(world, uses=2)
    assert [register(world, token).status_code for _ in range(3)] == [201, 201, 401]


def test_of_many_parallel_uses_of_one_initial_access_token_one_wins(world: World) -> None:
    token = invited(world)
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: register(world, token).status_code, range(20)))
    assert Counter(answers) == {201: 1, 401: 19}
    with world.begin() as tx:
        assert len(clients.every(tx)) == 1


def test_an_initial_access_token_is_not_used_up_by_what_is_refused(world: World) -> None:
    token = invited(world)
    assert refusal(register(world, token, redirect_uris=["http://evil.example"]))
    assert register(world, token).status_code == 201


def test_an_initial_access_token_lapses(world: World) -> None:
    token = invited(world)
    world.clock.tick(days=1)
    assert register(world, token).status_code == 401


def test_a_stranger_does_not_register_clients_without_end(
    open_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(throttle.REGISTRATION_PER_ADDRESS, tries=2)
    monkeypatch.setattr(throttle, "REGISTRATION_PER_ADDRESS", few)
    answers = [register(open_world) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert refusal(answers[-1], 429)[0] == "temporarily_unavailable"
    assert int(answers[-1].headers["retry-after"]) > 0
    assert register(open_world, invited(open_world)).status_code == 201


def test_a_wrong_token_is_refused_even_where_none_is_needed(open_world: World) -> None:
    assert register(open_world).status_code == 201
    assert register(open_world, "no-such-token").status_code == 401


def test_who_registered_is_journalled_and_no_token_is(world: World) -> None:
    token = invited(world)
    with heard() as lines:
        told = register(world, token).json()
    with world.begin() as tx:
        rows = list(tx.execute(select(tables.journal.c.actor, tables.journal.c.action)))
    assert ("initial-access:lab", "client.registered") in [tuple(row) for row in rows]
    for secret in (token, told["client_secret"], told["registration_access_token"]):
        assert secret not in "\n".join(lines)


# --- what is answered


def test_a_client_that_says_little_is_what_the_specification_says(open_world: World) -> None:
    told = registered(open_world)
    assert told["client_secret_expires_at"] == 0
    assert told["client_id_issued_at"] == int(open_world.clock().timestamp())
    assert told["registration_client_uri"] == f"{open_world.issuer}/clients/{told['client_id']}"
    assert told["grant_types"] == ["authorization_code"]
    assert told["response_types"] == ["code"]
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert told["id_token_signed_response_alg"] == "RS256"
    assert told["application_type"] == "web"
    assert told["subject_type"] == "public"
    assert told["consent"] == "by-person"
    assert told["require_pkce"] is False
    assert told["scope"] == "openid profile email phone address offline_access"


def test_outside_a_sandbox_everybody_uses_pkce(world: World) -> None:
    told = register(world, invited(world)).json()
    assert told["require_pkce"] is True
    freed = register(world, invited(world), require_pkce=False)
    assert refusal(freed)[1] == "require_pkce"
    assert refusal(managed(world, "PUT", told, require_pkce=False))[1] == "require_pkce"


def test_a_keeper_repeats_that_an_operator_freed_the_client_of_pkce(world: World) -> None:
    told = register(world, invited(world)).json()
    with world.begin() as tx:
        freed = replace(clients.get(tx, told["client_id"]), require_pkce=False)
        clients.change(tx, world.provider, told["client_id"], freed, by="test")
    answer = managed(world, "PUT", told, require_pkce=False)
    assert (answer.status_code, answer.json()["require_pkce"]) == (200, False)


def test_what_an_operator_decides_meanwhile_is_not_undone_by_a_slow_keeper(world: World) -> None:
    told = register(world, invited(world)).json()
    level = "urn:yinxin:level:natural:2"

    async def decide(scope: Scope, receive: Receive, send: Send) -> None:
        with world.begin() as tx:
            decided = replace(clients.get(tx, told["client_id"]), minimum_acr=level)
            clients.change(tx, world.provider, told["client_id"], decided, by="operator")
        await JSONResponse([CALLBACK])(scope, receive, send)

    with served(decide) as url:
        late = managed(world, "PUT", told, sector_identifier_uri=f"{url}/sector")
    assert refusal(late) == ("invalid_client_metadata", "client_id")
    with world.begin() as tx:
        assert clients.get(tx, told["client_id"]).minimum_acr == level


def test_a_keeper_does_not_widen_the_claims_an_operator_allowed(world: World) -> None:
    told = register(world, invited(world)).json()
    with world.begin() as tx:
        narrowed = replace(clients.get(tx, told["client_id"]), claims=("name",))
        clients.change(tx, world.provider, told["client_id"], narrowed, by="test")
    wider = managed(world, "PUT", told, allowed_claims=["name", "phone_number"])
    assert refusal(wider)[1] == "allowed_claims"
    assert managed(world, "PUT", told).json()["allowed_claims"] == ["name"]


def test_a_client_that_registered_can_prove_itself(open_world: World) -> None:
    told = registered(open_world)
    form = {"client_id": told["client_id"], "client_secret": told["client_secret"]}
    asked = Call("POST", f"{open_world.issuer}/token", parameters.gather(form.items()))
    client = client_auth.authenticate(open_world.provider, asked)
    assert client.client_id == told["client_id"]
    assert client.consent is Consent.BY_PERSON


def test_a_client_without_a_secret_is_told_none(open_world: World) -> None:
    told = registered(open_world, token_endpoint_auth_method="none")
    assert "client_secret" not in told
    assert "client_secret_expires_at" not in told
    assert told["require_pkce"] is True


def test_members_that_nobody_knows_are_ignored(open_world: World) -> None:
    told = registered(open_world, favourite_colour="green", software_statement="a.b.c")
    assert "favourite_colour" not in told


def test_names_are_kept_in_both_languages(open_world: World) -> None:
    told = registered(
        open_world, **{"client_name#zh-CN": "示例门户", "client_name#en": "Example portal"}
    )
    assert told["client_name#zh-CN"] == "示例门户"
    with open_world.begin() as tx:
        client = clients.get(tx, told["client_id"])
    assert (client.name_zh, client.name_en) == ("示例门户", "Example portal")


# --- what is refused


@pytest.mark.parametrize(
    ("changed", "error", "member"),
    [
        ({"redirect_uris": ["http://portal.example/cb"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": ["https://a.example/#f"]}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": []}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": "https://a.example"}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": [7]}, "invalid_redirect_uri", "redirect_uris"),
        ({"logo_uri": "javascript:alert(1)"}, "invalid_client_metadata", "logo_uri"),
        ({"tos_uri": "data:text/html,x"}, "invalid_client_metadata", "tos_uri"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata", "grant_types"),
        ({"response_types": ["code id_token"]}, "invalid_client_metadata", "response_types"),
        ({"scope": "openid identity_number"}, "invalid_client_metadata", "scope"),
        ({"scope": 7}, "invalid_client_metadata", "scope"),
        ({"organisation": BODY}, "invalid_client_metadata", "organisation"),
        ({"consent": "by-policy"}, "invalid_client_metadata", "consent"),
        ({"realm": "staff"}, "invalid_client_metadata", "realm"),
        ({"resources": ["https://api.example"]}, "invalid_client_metadata", "resources"),
        (
            {"minimum_acr": "urn:yinxin:level:natural:1"},
            "invalid_client_metadata",
            "minimum_acr",
        ),
        (
            {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}},
            "invalid_client_metadata",
            "jwks",
        ),
        ({"client_name": "a\u0000b"}, "invalid_client_metadata", "client_name"),
        ({"client_name": "n" * 101}, "invalid_client_metadata", "client_name"),
        ({"default_max_age": -1}, "invalid_client_metadata", "default_max_age"),
        ({"default_max_age": True}, "invalid_client_metadata", "default_max_age"),
        ({"require_pkce": "no"}, "invalid_client_metadata", "require_pkce"),
        ({"allowed_claims": ["name"]}, "invalid_client_metadata", "allowed_claims"),
        ({"subject_type": ["public"]}, "invalid_client_metadata", "subject_type"),
        ({"subject_type": {"a": 1}}, "invalid_client_metadata", "subject_type"),
        ({"grant_types": [["authorization_code"]]}, "invalid_client_metadata", "grant_types"),
        ({"profile": []}, "invalid_client_metadata", "profile"),
        (
            {"token_endpoint_auth_method": "client_secret_jwt"},
            "invalid_client_metadata",
            "token_endpoint_auth_method",
        ),
    ],
    ids=str,
)
def test_metadata_that_is_refused_is_named(
    open_world: World, changed: dict[str, Any], error: str, member: str
) -> None:
    assert refusal(register(open_world, **changed)) == (error, member)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b'{"redirect_uris": [], "redirect_uris": []}',
        b'{"a": NaN}',
        b"\xff",
        b"[" * 20_000,
        b'{"client_name": "' + b"x" * 70_000 + b'"}',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_document_is_refused(open_world: World, body: bytes) -> None:
    answer = httpx2.post(
        f"{open_world.issuer}/clients", content=body, headers={"Content-Type": "application/json"}
    )
    assert refusal(answer)[0] == "invalid_request"


def test_an_algorithm_that_we_have_no_key_for_is_not_offered(
    open_world: World, provider_stage: Stage
) -> None:
    sm2 = {"id_token_signed_response_alg": "SGD_SM3_SM2"}
    assert register(open_world, None, **sm2).status_code == 201
    keys = open_world.provider.token_keys()
    without = {kid: key for kid, key in keys.items() if key.algorithm is not SM2_SM3}
    provider_stage.app = mounted(replace(open_world.provider, token_keys=lambda: without))
    assert refusal(register(open_world, None, **sm2))[1] == "id_token_signed_response_alg"


def test_a_form_is_no_document(open_world: World) -> None:
    answer = httpx2.post(f"{open_world.issuer}/clients", data={"client_name": "Somebody"})
    assert refusal(answer)[0] == "invalid_request"


def test_a_description_repeats_nothing_of_what_was_sent(open_world: World) -> None:
    marked = "marked-by-the-sender"
    wrong: tuple[dict[str, Any], ...] = (
        {"scope": marked},
        {"grant_types": [marked]},
        {"redirect_uris": [f"http://{marked}"]},
        {"id_token_signed_response_alg": marked},
        {f"client_name#{marked}": ""},
    )
    for changed in wrong:
        answer = register(open_world, None, **changed)
        assert answer.status_code == 400
        assert marked not in answer.text


# --- sector identifiers


@pytest.fixture
def sector(open_world: World) -> Iterator[tuple[World, dict[str, Any], str]]:
    """What a sector identifier URI answers, and where it is."""
    told: dict[str, Any] = {"answer": [CALLBACK, "https://other.example/cb"]}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse(told["answer"])(scope, receive, send)

    with served(app) as url:
        yield open_world, told, f"{url}/sector"


def test_a_sector_identifier_lists_every_redirect_uri(
    sector: tuple[World, dict[str, Any], str],
) -> None:
    world, told, uri = sector
    asked: dict[str, Any] = {
        "subject_type": "pairwise",
        "redirect_uris": [CALLBACK, "https://other.example/cb"],
    }
    assert refusal(register(world, None, **asked))[1] == "sector_identifier_uri"
    assert register(world, None, **asked, sector_identifier_uri=uri).status_code == 201
    for wrong in ([CALLBACK], {"uris": [CALLBACK]}, [CALLBACK, 7], "x" * 70_000):
        told["answer"] = wrong
        answer = register(world, None, **asked, sector_identifier_uri=uri)
        assert refusal(answer)[1] == "sector_identifier_uri"


def test_a_sector_identifier_that_cannot_be_fetched_is_refused(open_world: World) -> None:
    answer = register(open_world, sector_identifier_uri="https://127.0.0.1:9/list")
    assert refusal(answer)[1] == "sector_identifier_uri"


def test_nothing_is_fetched_for_who_may_not_register(world: World) -> None:
    fetched = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        fetched.append(scope["path"])
        await JSONResponse([CALLBACK])(scope, receive, send)

    with served(app) as url:
        assert register(world, sector_identifier_uri=f"{url}/x").status_code == 401
        assert fetched == []


# --- its keeper


def test_a_keeper_reads_changes_and_removes_its_client(open_world: World) -> None:
    told = registered(open_world, scope="openid")
    shown = managed(open_world, "GET", told).json()
    assert "client_secret" not in shown, "a secret is told once"
    assert shown["registration_access_token"] == told["registration_access_token"]
    changed = managed(open_world, "PUT", told, client_name="Other", scope="openid profile")
    assert changed.status_code == 200, changed.text
    assert (changed.json()["client_name"], changed.json()["scope"]) == ("Other", "openid profile")
    gone = managed(open_world, "DELETE", told)
    assert (gone.status_code, gone.content) == (204, b"")
    for method in ("GET", "PUT", "DELETE"):
        assert refusal(managed(open_world, method, told), 401)[0] == "invalid_token"
    with open_world.begin() as tx:
        assert clients.find(tx, told["client_id"]) is None


def test_what_is_not_repeated_is_gone(open_world: World) -> None:
    told = registered(open_world, logo_uri="https://portal-a.example/logo.png")
    assert "logo_uri" in told
    assert "logo_uri" not in managed(open_world, "PUT", told, logo_uri=None).json()


@pytest.mark.parametrize(
    ("changed", "member"),
    [
        ({"client_id": "portal-b"}, "client_id"),
        ({"client_id": None}, "client_id"),
        ({"client_secret": "a-secret-of-its-own-choice"}, "client_secret"),
        ({"client_secret": 7}, "client_secret"),
        ({"registration_access_token": "x"}, "registration_access_token"),
        ({"client_id_issued_at": 7}, "client_id_issued_at"),
        ({"consent": "by-policy"}, "consent"),
        ({"organisation": BODY}, "organisation"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris"),
    ],
    ids=str,
)
def test_a_keeper_changes_only_what_is_its_own(
    open_world: World, changed: dict[str, Any], member: str
) -> None:
    told = registered(open_world)
    assert refusal(managed(open_world, "PUT", told, **changed))[1] == member
    assert managed(open_world, "GET", told).json()["redirect_uris"] == [CALLBACK]


def test_what_an_operator_decided_outlives_the_keepers_changes(open_world: World) -> None:
    told = registered(open_world, scope="openid")
    level = "urn:yinxin:level:natural:1"
    with open_world.begin() as tx:
        client = clients.get(tx, told["client_id"])
        raised = replace(
            clients.registration(client), minimum_acr=level, scopes=("openid", "real_name")
        )
        clients.change(tx, open_world.provider, client.client_id, raised, by="test")
    shown = managed(open_world, "GET", told).json()
    assert shown["minimum_acr"] == level
    for changed in ({}, {"minimum_acr": None}):
        again = managed(open_world, "PUT", told, scope="openid real_name", **changed).json()
        assert again["minimum_acr"] == level
    lower = {"minimum_acr": "urn:yinxin:level:natural:0"}
    assert refusal(managed(open_world, "PUT", told, **lower))[1] == "minimum_acr"


def test_another_way_of_authentication_brings_or_ends_the_secret(open_world: World) -> None:
    told = registered(open_world)
    keyed = {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS, "client_secret": None}
    without = managed(open_world, "PUT", told, **keyed).json()
    assert "client_secret" not in without
    back = managed(open_world, "PUT", told, client_secret=None).json()
    assert back["client_secret"] not in (None, told["client_secret"])


def test_a_keeper_of_one_client_is_not_of_another(open_world: World) -> None:
    one, other = registered(open_world), registered(open_world)
    mixed = {**one, "registration_access_token": other["registration_access_token"]}
    assert refusal(managed(open_world, "GET", mixed), 401)[0] == "invalid_token"
    nobody = {**one, "registration_client_uri": f"{open_world.issuer}/clients/nobody"}
    assert refusal(managed(open_world, "GET", nobody), 401)[0] == "invalid_token"
    assert httpx2.get(one["registration_client_uri"]).status_code == 401


def test_a_client_of_an_operator_has_no_keeper(open_world: World) -> None:
    open_world.client()
    answer = httpx2.get(f"{open_world.issuer}/clients/portal-a", headers=bearer("x"))
    assert answer.status_code == 401


# --- profiles


def test_a_profile_sets_what_it_asks_for(open_world: World) -> None:
    told = registered(
        open_world,
        profile="fapi2_message_signing",
        token_endpoint_auth_method="private_key_jwt",
        jwks=JWKS,
        dpop_bound_access_tokens=True,
    )
    assert told["require_pushed_authorization_requests"] is True
    assert told["require_signed_request_object"] is True
    assert told["require_pkce"] is True
    assert told["id_token_signed_response_alg"] == "ES256"
    assert told["authorization_signed_response_alg"] == "ES256"
    assert told["profile"] == "fapi2_message_signing"
    assert managed(open_world, "PUT", told).status_code == 200


@pytest.mark.parametrize(
    ("changed", "member"),
    [
        ({"dpop_bound_access_tokens": False}, "dpop_bound_access_tokens"),
        ({"token_endpoint_auth_method": None}, "token_endpoint_auth_method"),
        ({"require_pkce": False}, "require_pkce"),
        ({"id_token_signed_response_alg": "RS256"}, "id_token_signed_response_alg"),
        ({"token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg"),
        ({"profile": "fapi3"}, "profile"),
    ],
    ids=str,
)
def test_a_client_that_cannot_keep_its_profile_is_refused(
    open_world: World, changed: dict[str, Any], member: str
) -> None:
    asked = {
        "profile": "fapi2_security",
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": JWKS,
        "dpop_bound_access_tokens": True,
    }
    assert refusal(register(open_world, **{**asked, **changed}))[1] == member


def test_a_removed_client_proves_itself_no_more(open_world: World) -> None:
    told = registered(open_world)
    managed(open_world, "DELETE", told)
    form = {"client_id": told["client_id"], "client_secret": told["client_secret"]}
    asked = Call("POST", f"{open_world.issuer}/token", parameters.gather(form.items()))
    with pytest.raises(OAuthError):
        client_auth.authenticate(open_world.provider, asked)


def test_what_is_told_is_what_is_kept(open_world: World) -> None:
    told = registered(open_world, contacts=["a@b.example"], default_max_age=60)
    with open_world.begin() as tx:
        client = clients.get(tx, told["client_id"])
    assert (client.realm, client.default_max_age) == (Realm.CITIZEN, 60)
    assert json.loads(json.dumps(clients.stored(client)))["contacts"] == ["a@b.example"]
