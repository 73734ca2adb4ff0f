"""Signed backchannel requests: what CIBA Core 1.0 §7.1.1 and the FAPI CIBA profile ask, one by one."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import backchannel_request
from idp.clients import Client
from idp.errors import OAuthError
from idp.parameters import gather
from idp.vocabulary import BACKCHANNEL_PARAMETERS, CLIENT_PARAMETERS, GrantType
from tests.idp.approvals import Form, post, told
from tests.idp.away import PHONE, ciba_poll, clinic, signed_on, waiting
from tests.idp.signing_client import HOUR, STRANGERS_KEYS, SigningClient
from tests.idp.world import World

GONE: Any = object()
CLIENT = Client(
    name_zh="甲医院",
    name_en="Clinic A",
    client_id="clinic",
    secret_fingerprint=None,
    registered_at=datetime(2026, 11, 1, tzinfo=UTC),
    grant_types=(GrantType.CIBA,),
    scopes=("openid", "profile"),
)
PARAMETERS = st.sampled_from(sorted(BACKCHANNEL_PARAMETERS.keys() - CLIENT_PARAMETERS.keys()))


class Bank:
    """A client that signs what it asks."""

    def __init__(self, world: World, alg: str = "ES256", **changed: Any) -> None:
        self.world = world
        self.alg = alg
        self.signer = SigningClient(world, "clinic")
        self.proof: Form = clinic(
            world,
            jwks=self.signer.jwks,
            backchannel_authentication_request_signing_alg=alg,
            **changed,
        )

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = int(self.world.clock().timestamp())
        good = {
            "iss": "clinic",
            "aud": self.world.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_hex(8),
            "scope": "openid profile",
            "login_hint": PHONE,
            "binding_message": "1234",
        }
        return {name: value for name, value in (good | changed).items() if value is not GONE}

    def request(self, alg: str | None = None, **changed: Any) -> str:
        return self.signer.signed(self.claims(**changed), alg or self.alg)

    def ask(self, request: str, **beside: Any) -> httpx2.Response:
        return post(self.world, "/bc-authorize", {"request": request, **self.proof, **beside})


@pytest.fixture
def bank(world: World) -> Bank:
    world.register()
    return Bank(world)


def refused(answer: httpx2.Response) -> None:
    told(answer, 400, "invalid_request")


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_a_signed_request_is_taken(world: World, alg: str) -> None:
    subject = world.register()
    bank = Bank(world, alg)
    answer = bank.ask(bank.request())
    assert answer.status_code == 200, answer.text
    (question,) = waiting(world, signed_on(world, subject))
    assert (question.binding_message, question.items) == ("1234", ("profile",))
    handle = answer.json()["auth_req_id"]
    told(ciba_poll(world, bank.proof, handle), 400, "authorization_pending")


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "JWT", "application/oauth-authz-req+jwt"])
def test_the_type_may_be_told(bank: Bank, typ: str) -> None:
    token = bank.signer.signed(bank.claims(), typ=typ)
    assert bank.ask(token).status_code == 200


@pytest.mark.parametrize("expiry", [30, "30"])
def test_an_expiry_may_be_a_number_or_a_text(bank: Bank, expiry: int | str) -> None:
    assert bank.ask(bank.request(requested_expiry=expiry)).json()["expires_in"] == 30


def test_details_may_stand_as_json(world: World) -> None:
    subject = world.register()
    bank = Bank(world, authorization_details_types=("licence_lookup",))
    detail = {"type": "licence_lookup", "licence_type": "food", "matter": "开办"}
    asked = bank.request(authorization_details=[detail], binding_message=GONE)
    assert bank.ask(asked).status_code == 200
    (question,) = waiting(world, signed_on(world, subject))
    assert question.authorization_details == (detail,)


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "nbf", "jti"])
@pytest.mark.parametrize("value", [GONE, None, True, [], {}, "", "x", 10**400])
def test_a_claim_that_is_missing_or_wrong_is_refused(bank: Bank, name: str, value: Any) -> None:
    if (name, value) == ("jti", "x"):
        return
    refused(bank.ask(bank.request(**{name: value})))


@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("exp", -1),
        ("exp", 0),
        ("exp", 70 * 60),
        ("nbf", 10 * 60),
        ("nbf", -70 * 60),
        ("iat", 10 * 60),
        ("exp", float("1e300")),
    ],
)
def test_a_moment_out_of_bounds_is_refused(bank: Bank, name: str, after: float) -> None:
    moments: dict[str, Any] = {name: bank.world.clock().timestamp() + after}
    refused(bank.ask(bank.request(**moments)))


@pytest.mark.parametrize(("name", "after"), [("nbf", 8), ("iat", 8), ("nbf", -HOUR + 300)])
def test_clocks_may_differ_a_little(bank: Bank, name: str, after: int) -> None:
    moments: dict[str, Any] = {name: int(bank.world.clock().timestamp()) + after}
    assert bank.ask(bank.request(**moments)).status_code == 200


def test_aud_may_be_a_list_with_us_in_it(bank: Bank) -> None:
    both = ["https://other.example", bank.world.issuer]
    assert bank.ask(bank.request(aud=both)).status_code == 200
    refused(bank.ask(bank.request(aud=both[:1])))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_a_signature_of_another_algorithm_key_or_client_is_refused(bank: Bank) -> None:
    for alg in ("RS256", "PS256", "EdDSA"):
        refused(bank.ask(bank.request(alg)))
    stranger = SigningClient(bank.world, "clinic", STRANGERS_KEYS)
    refused(bank.ask(stranger.signed(bank.claims())))
    good = bank.request()
    head, payload, _ = good.split(".")
    for broken in (f"{head}.{payload}.", f"{head}.{payload}.AAAA", payload, "x.y.z", "x" * 15_000):
        refused(bank.ask(broken))
    unsigned = "eyJhbGciOiJub25lIn0"
    refused(bank.ask(f"{unsigned}.{payload}."))


def test_a_request_is_used_once(bank: Bank) -> None:
    request = bank.request()
    assert bank.ask(request).status_code == 200
    refused(bank.ask(request))


def test_of_many_parallel_uses_of_one_request_exactly_one_wins(bank: Bank) -> None:
    request = bank.request()
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: bank.ask(request).status_code, range(40)))
    assert sorted(answers) == [200] + [400] * 39


def test_a_request_that_is_refused_is_not_used_up_by_a_stranger(bank: Bank) -> None:
    claims = bank.claims()
    stranger = SigningClient(bank.world, "clinic", STRANGERS_KEYS)
    refused(bank.ask(stranger.signed(claims)))
    assert bank.ask(bank.signer.signed(claims)).status_code == 200


def test_a_client_that_signs_must_sign(bank: Bank) -> None:
    plain = {"scope": "openid", "login_hint": PHONE, "binding_message": "1", **bank.proof}
    refused(post(bank.world, "/bc-authorize", plain))


@pytest.mark.parametrize(
    "beside", [{"login_hint": PHONE}, {"scope": "openid"}, {"resource": "https://x.example/"}]
)
def test_nothing_stands_beside_a_signed_request(bank: Bank, beside: Form) -> None:
    refused(bank.ask(bank.request(), **beside))


def test_several_hints_and_none_are_refused(bank: Bank) -> None:
    refused(bank.ask(bank.request(login_hint_token="x")))
    refused(bank.ask(bank.request(login_hint=GONE)))


@pytest.mark.parametrize("value", [1, 1.5, True, None, ["a"], {"a": "x"}])
def test_a_claim_that_is_no_parameter_is_refused(bank: Bank, value: Any) -> None:
    refused(bank.ask(bank.request(binding_message=value)))


@pytest.mark.parametrize("value", [1.5, True, [30], "soon"])
def test_an_expiry_that_is_no_number_of_seconds_is_refused(bank: Bank, value: Any) -> None:
    refused(bank.ask(bank.request(requested_expiry=value)))


def test_a_person_must_be_able_to_tell_the_request_from_others(bank: Bank) -> None:
    refused(bank.ask(bank.request(binding_message=GONE)))


def test_a_bad_binding_message_is_told_as_such(bank: Bank) -> None:
    told(bank.ask(bank.request(binding_message="x" * 129)), 400, "invalid_binding_message")


def test_nobody_signs_who_did_not_register_to(world: World) -> None:
    signer = SigningClient(world, "clinic")
    proof = clinic(world, jwks=signer.jwks)
    token = signer.signed({"iss": "clinic"})
    refused(post(world, "/bc-authorize", {"request": token, **proof}))


@given(st.dictionaries(PARAMETERS, st.text(max_size=200)))
def test_whatever_is_sent_is_read_or_refused(sent: dict[str, str]) -> None:
    parameters = gather((name, value) for name, value in sent.items() if value)
    with suppress(OAuthError):
        read = backchannel_request.read(parameters, CLIENT)
        assert 0 < read.lifetime.total_seconds() <= 600
        assert "openid" in read.wishes.scopes
