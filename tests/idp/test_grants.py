"""The phases every grant goes through, in their order, and what they share."""

import base64

import httpx2
import pytest

from idp.vocabulary import AuthMethod, GrantType
from tests.idp.approvals import LICENCES, SECRET, TAX, Form, portal, post, proof, told
from tests.idp.test_sign_in import claims_of
from tests.idp.world import CALLBACK, PEOPLE, World, answered
from tests.proving import Prover

NUMBER = PEOPLE["张䶮"].number
FORM = "application/x-www-form-urlencoded"
BOTH = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)


@pytest.fixture
def prover(world: World) -> Prover:
    return Prover(world.clock)


def shown(world: World, prover: Prover) -> dict[str, str]:
    return {"DPoP": prover.proof("POST", f"{world.issuer}/token")}


def redemption(world: World, asked: Form | None = None, **changed: object) -> Form:
    """Sign a person in at a portal and return the form that redeems the code."""
    world.register()
    known: dict[str, object] = {
        "client_secret": SECRET,
        "auth_method": AuthMethod.POST,
        "grant_types": BOTH,
    }
    if changed.get("auth_method") is AuthMethod.NONE:
        known["client_secret"] = None
    to = world.portal(world.client(**(known | changed)))
    url = to.url(**(asked or {}))
    answer = answered(world.browser().authorize(url, NUMBER))
    secret: Form = {} if known["client_secret"] is None else {"client_secret": SECRET}
    return {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": to.verifier,
        "client_id": "portal-a",
        **secret,
    }


def refreshing(form: Form, answer: httpx2.Response) -> Form:
    """The same client's form that uses the refresh token it was just given."""
    assert answer.status_code == 200, answer.text
    use = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
    return use | {name: form[name] for name in ("client_id", "client_secret") if name in form}


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        (
            "grant_type=x&grant_type=y&client_id=portal-a&client_secret=wrong",
            400,
            "invalid_request",
        ),
        ("grant_type=x&client_id=portal-a&client_secret=wrong", 401, "invalid_client"),
        ("grant_type=x&{proof}", 400, "unsupported_grant_type"),
        ("{proof}", 400, "invalid_request"),
        ("grant_type=client_credentials&{proof}", 400, "unauthorized_client"),
        ("grant_type=refresh_token&refresh_token=x&{proof}", 400, "invalid_dpop_proof"),
    ],
)
def test_the_first_phase_that_fails_is_told(
    world: World, sent: str, status: int, error: str
) -> None:
    portal(world)
    right = f"client_id=portal-a&client_secret={SECRET}"
    answer = httpx2.post(
        f"{world.issuer}/token",
        content=sent.format(proof=right),
        headers={"Content-Type": FORM, "DPoP": "no proof"},
    )
    told(answer, status, error)


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", ""])
def test_errors_are_json_whatever_is_accepted(world: World, accept: str) -> None:
    refused = post(world, "/token", {"grant_type": "x"}, headers={"Accept": accept})
    told(refused, 401, "invalid_client")


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", ""]
)
def test_another_content_type_is_refused(world: World, kind: str) -> None:
    body = f"grant_type=client_credentials&client_id=portal-a&client_secret={SECRET}"
    answer = httpx2.post(
        f"{world.issuer}/token", content=body, headers={"Content-Type": kind} if kind else {}
    )
    told(answer, 400, "invalid_request")


@pytest.mark.parametrize("body", [b"grant_type=%FF", b"a=" + b"x" * 20_000, b"a&" * 200, b"\xff"])
def test_what_cannot_be_read_is_refused(world: World, body: bytes) -> None:
    answer = httpx2.post(f"{world.issuer}/token", content=body, headers={"Content-Type": FORM})
    assert answer.status_code in (400, 401)
    assert answer.headers["content-type"] == "application/json"


def test_the_query_is_no_form(world: World) -> None:
    """RFC 6749 §2.3.1: credentials are never part of the request URI."""
    to = portal(world)
    form = {"grant_type": "client_credentials", **proof(to)}
    told(httpx2.post(f"{world.issuer}/token", params=form), 401, "invalid_client")
    assert httpx2.get(f"{world.issuer}/token", params=form).status_code == 405


def test_a_code_begins_a_family_for_those_registered_for_it(world: World) -> None:
    form = redemption(world)
    answer = post(world, "/token", form)
    assert post(world, "/token", refreshing(form, answer)).status_code == 200


def test_others_get_no_refresh_token(world: World) -> None:
    form = redemption(world, grant_types=(GrantType.AUTHORIZATION_CODE,))
    assert "refresh_token" not in post(world, "/token", form).json()


def test_a_code_presented_again_ends_its_family(world: World) -> None:
    form = redemption(world)
    answer = post(world, "/token", form)
    told(post(world, "/token", form), 400, "invalid_grant")
    told(post(world, "/token", refreshing(form, answer)), 400, "invalid_grant")


def test_a_code_of_another_client_is_refused(world: World) -> None:
    form = redemption(world)
    portal(world, "portal-b")
    told(post(world, "/token", form | {"client_id": "portal-b"}), 400, "invalid_grant")


def test_a_code_may_be_redeemed_for_fewer_resources(world: World) -> None:
    """RFC 8707 §2.2: this access token is for those, the refresh token for all."""
    form = redemption(world, resources=(LICENCES, TAX))
    answer = post(world, "/token", form | {"resource": TAX})
    claims_of(world, answer.json()["access_token"], aud=[TAX, world.issuer])
    again = post(world, "/token", refreshing(form, answer) | {"resource": LICENCES})
    claims_of(world, again.json()["access_token"], aud=[LICENCES, world.issuer])


def test_a_resource_beyond_the_code_is_refused(world: World) -> None:
    form = redemption(world, {"resource": LICENCES}, resources=(LICENCES, TAX))
    told(post(world, "/token", form | {"resource": TAX}), 400, "invalid_target")


def test_a_code_agreed_on_with_a_key_needs_that_key(world: World, prover: Prover) -> None:
    """RFC 9449 §10."""
    form = redemption(world, {"dpop_jkt": prover.jkt})
    stranger = shown(world, Prover(world.clock))
    told(post(world, "/token", form, headers=stranger), 400, "invalid_grant")


def test_a_confidential_client_refreshes_with_any_key(world: World, prover: Prover) -> None:
    """RFC 9449 §5: its refresh tokens are bound by its authentication; its access tokens to the key."""
    form = redemption(world, {"dpop_jkt": prover.jkt})
    answer = post(world, "/token", form, headers=shown(world, prover))
    assert answer.json()["token_type"] == "DPoP"
    other = Prover(world.clock)
    again = post(world, "/token", refreshing(form, answer), headers=shown(world, other))
    claims_of(world, again.json()["access_token"], cnf={"jkt": other.jkt})
    plain = post(world, "/token", refreshing(form, again))
    assert "cnf" not in claims_of(world, plain.json()["access_token"])


def test_a_public_client_refreshes_with_its_key_alone(world: World, prover: Prover) -> None:
    """RFC 9449 §5."""
    form = redemption(world, auth_method=AuthMethod.NONE)
    answer = post(world, "/token", form, headers=shown(world, prover))
    use = refreshing(form, answer)
    told(post(world, "/token", use), 400, "invalid_grant")
    told(
        post(world, "/token", use, headers=shown(world, Prover(world.clock))), 400, "invalid_grant"
    )
    again = post(world, "/token", use, headers=shown(world, prover))
    claims_of(world, again.json()["access_token"], cnf={"jkt": prover.jkt})
    third = post(world, "/token", refreshing(form, again))
    told(third, 400, "invalid_grant")


def test_basic_credentials_are_as_good_as_those_in_the_form(world: World) -> None:
    form = redemption(world)
    pair = base64.b64encode(f"portal-a:{form.pop('client_secret')}".encode()).decode()
    answer = post(world, "/token", form, headers={"Authorization": f"Basic {pair}"})
    assert answer.status_code == 200
