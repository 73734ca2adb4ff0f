"""What clients learn by themselves: it is all there, it is all so, and it costs nothing to tell."""

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from joserfc.jwk import KeySet
from redis import Redis
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

import idp.http
from idp import algorithms_offered, discovery, grants
from idp.claims_table import CLAIMS
from idp.description import document
from idp.endpoints import ENDPOINTS
from idp.schemas import Discovery
from keys import jwe
from keys.algorithms import ES256, RS256
from keys.signer import PublicKey
from keys.software_opener import SoftwareOpener
from keys.software_signer import generate
from tests.idp.world import World, mounted

KNOWN = "/.well-known/openid-configuration"


def metadata(world: World) -> dict[str, Any]:
    found: dict[str, Any] = httpx2.get(f"{world.issuer}{KNOWN}").json()
    return found


def test_it_is_found_by_all_three_ways(world: World) -> None:
    origin = world.issuer.removesuffix("/oidc")
    ways = (
        f"{world.issuer}{KNOWN}",
        f"{origin}/.well-known/oauth-authorization-server/oidc",
        f"{origin}{KNOWN}/oidc",
    )
    answers = [httpx2.get(way) for way in ways]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["issuer"] == world.issuer


def test_an_issuer_without_a_path_has_no_second_route_to_the_same(world: World) -> None:
    bare = replace(world.provider, issuer="https://id.example")
    paths = [route.path for route in idp.http.well_known_routes(bare)]
    assert paths == ["/.well-known/oauth-authorization-server"]


def test_every_endpoint_that_is_named_is_there(world: World) -> None:
    found = metadata(world)
    named = [value for name, value in found.items() if name.endswith(("_endpoint", "jwks_uri"))]
    assert len(named) == 11
    for url in named:
        assert httpx2.get(url).status_code != 404
    served = {f"{world.issuer}{of.path}" for of in ENDPOINTS}
    assert set(named) <= served


def test_what_is_said_is_what_the_tables_say(world: World) -> None:
    found = metadata(world)
    assert found["response_types_supported"] == ["code"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["grant_types_supported"] == [str(grant) for grant in grants.GRANTS]
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert set(CLAIMS) <= set(found["claims_supported"])
    assert "urn:yinxin:level:natural:1" in found["acr_values_supported"]
    assert "urn:yinxin:level:natural:0" not in found["acr_values_supported"]
    for name in ("claims", "request", "request_uri"):
        assert found[f"{name}_parameter_supported"] is True
    for way in ("front", "back"):
        assert found[f"{way}channel_logout_session_supported"] is True
    for name, value in found.items():
        if "signing_alg" in name:
            assert "none" not in value
            assert not any(alg.startswith("HS") for alg in value)


def test_nothing_is_null_or_empty_or_said_twice(world: World) -> None:
    for name, value in metadata(world).items():
        assert value not in (None, "", [], {}), name
        if isinstance(value, list):
            assert Counter(value).most_common(1)[0][1] == 1, name


def test_an_algorithm_without_a_key_is_not_offered(world: World) -> None:
    keys = world.provider.token_keys()
    without = {kid: key for kid, key in keys.items() if key.algorithm is not RS256}
    told = discovery.metadata(replace(world.provider, token_keys=lambda: without))
    assert "RS256" not in told.id_token_signing_alg_values_supported
    with_all = discovery.metadata(world.provider)
    assert with_all.id_token_signing_alg_values_supported == list(algorithms_offered.BY_US)


def test_where_there_is_mutual_tls_the_endpoints_have_an_alias(world: World) -> None:
    assert "mtls_endpoint_aliases" not in metadata(world)
    beside = replace(world.provider, mtls_url="https://mtls.example/oidc")
    aliases = discovery.metadata(beside).mtls_endpoint_aliases
    assert aliases is not None
    assert aliases["token_endpoint"] == "https://mtls.example/oidc/token"
    assert "authorization_endpoint" not in aliases


@pytest.mark.parametrize("path", [KNOWN, "/jwks", "/jwks/gm"])
def test_it_may_be_kept_for_a_while_and_asked_for_again_in_a_few_bytes(
    world: World, path: str
) -> None:
    url = f"{world.issuer}{path}"
    first = httpx2.get(url)
    assert first.headers["cache-control"] == "public, max-age=300"
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for known in (tag, f'"other", {tag}', f"W/{tag}"):
        again = httpx2.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert httpx2.get(url, headers={"If-None-Match": '"other"'}).content == first.content
    assert httpx2.head(url).headers["content-length"] == str(len(first.content))


@pytest.mark.parametrize("path", [KNOWN, "/jwks", "/jwks/gm", "/token", "/revoke", "/par"])
def test_pages_of_other_origins_may_use_what_clients_use(world: World, path: str) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    allowed = httpx2.options(f"{world.issuer}{path}", headers=asked)
    assert (allowed.status_code, allowed.content) == (204, b"")
    assert allowed.headers["access-control-allow-origin"] == "*"


def test_the_key_set_is_public_and_every_key_says_what_it_is_for(world: World) -> None:
    found = httpx2.get(f"{world.issuer}/jwks").json()
    keys = found["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256", "PS256", "EdDSA"}
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
    KeySet.import_key_set(found)


def test_a_key_to_encrypt_to_is_told_beside_them_and_what_may_be_done_with_it(world: World) -> None:
    assert "request_object_encryption_alg_values_supported" not in metadata(world)
    ours = SoftwareOpener(generate(ES256)).public_key
    opening = replace(world.provider, encryption_key=lambda: ours)
    found = TestClient(mounted(opening)).get("/oidc/jwks").json()
    (key,) = (key for key in found["keys"] if key["use"] == "enc")
    told = discovery.metadata(opening)
    (alg,) = (a for a in told.request_object_encryption_alg_values_supported or [] if "+" not in a)
    assert jwe.encrypt("{}", key, alg, "A256GCM", None).count(".") == 4
    KeySet.import_key_set(found)


def test_sm2_keys_are_in_a_set_of_their_own(world: World) -> None:
    # A client that gives up on a set with a curve it does not know is none the worse.
    (key,) = httpx2.get(f"{world.issuer}/jwks/gm").json()["keys"]
    assert (key["kty"], key["crv"], key["alg"]) == ("EC", "SM2-P-256", "SGD_SM3_SM2")


class Counting:
    """Token keys that count how often they are asked for, and may be out of reach."""

    def __init__(self, world: World) -> None:
        self.keys = dict(world.provider.token_keys())
        self.asked = 0
        self.down = False

    def __call__(self) -> dict[str, PublicKey]:
        self.asked += 1
        if self.down:
            raise OperationalError("select", {}, Exception("gone"))
        return self.keys


def alone(world: World) -> tuple[TestClient, Counting]:
    """The provider without a database or a cache in reach, and its keys."""
    keys = Counting(world)
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock")
    provider = replace(world.provider, token_keys=keys, redis=nowhere)
    return TestClient(mounted(provider)), keys


def test_a_thousand_requests_cost_no_more_than_one(world: World) -> None:
    http, keys = alone(world)
    for _ in range(50):
        assert http.get("/oidc/jwks").status_code == 200
        assert http.get(f"/oidc{KNOWN}").status_code == 200
    assert keys.asked == 2


def test_a_new_key_is_told_within_seconds_and_under_another_tag(world: World) -> None:
    http, keys = alone(world)
    first = http.get("/oidc/jwks")
    gone = next(kid for kid, key in keys.keys.items() if key.algorithm is RS256)
    del keys.keys[gone]
    world.clock.tick(seconds=10)
    second = http.get("/oidc/jwks", headers={"If-None-Match": first.headers["etag"]})
    assert second.status_code == 200
    assert gone not in {key["kid"] for key in second.json()["keys"]}
    assert "RS256" not in http.get(f"/oidc{KNOWN}").json()["id_token_signing_alg_values_supported"]


def test_with_the_database_gone_the_last_keys_are_told(world: World) -> None:
    http, keys = alone(world)
    first = http.get("/oidc/jwks")
    keys.down = True
    world.clock.tick(hours=1)
    assert http.get("/oidc/jwks").content == first.content
    assert http.get("/oidc/jwks").content == first.content
    assert keys.asked == 2, "and the store that is gone is not asked each time"
    keys.down = False
    world.clock.tick(seconds=10)
    assert http.get("/oidc/jwks").status_code == 200


def test_with_the_database_gone_from_the_start_it_is_come_back_later(world: World) -> None:
    http, keys = alone(world)
    keys.down = True
    refused = http.get("/oidc/jwks")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]
    keys.down = False
    assert http.get("/oidc/jwks").status_code == 200


def test_a_clock_set_back_keeps_nothing_for_longer(world: World) -> None:
    http, keys = alone(world)
    http.get("/oidc/jwks")
    world.clock.tick(minutes=-5)
    http.get("/oidc/jwks")
    assert keys.asked == 2


def test_the_description_of_the_document_has_no_member_too_many(world: World) -> None:
    schema = document(world.issuer)["components"]["schemas"]["Discovery"]
    assert set(schema["properties"]) == set(Discovery.model_fields)
    said = set(metadata(world)) | {"mtls_endpoint_aliases"}
    said |= {f"request_object_encryption_{what}_values_supported" for what in ("alg", "enc")}
    assert said == set(Discovery.model_fields)
    assert json.loads(json.dumps(schema))
