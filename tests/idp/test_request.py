"""Every check of the authorization request, one by one, over plain values."""

import inspect
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import request
from idp.clients import Client, Consent
from idp.errors import (
    ClientMissing,
    ClientUnknown,
    DisplayedError,
    RedirectedError,
    RedirectUriMissing,
    RedirectUriUnregistered,
)
from idp.parameters import Parameters, gather
from idp.vocabulary import AuthMethod, GrantType, Prompt, Realm

CALLBACK = "https://portal.example/callback"
GOOD = {
    "client_id": "portal",
    "redirect_uri": CALLBACK,
    "response_type": "code",
    "scope": "openid profile",
    "state": "s-1",
    "nonce": "n-1",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


def client(**changed: object) -> Client:
    known: dict[str, object] = {
        "client_id": "portal",
        "name_zh": "门户",
        "name_en": "Portal",
        "auth_method": AuthMethod.BASIC,
        "secret_fingerprint": b"",
        "realm": Realm.CITIZEN,
        "redirect_uris": (CALLBACK, "https://portal.example/other?x=1"),
        "grant_types": (GrantType.AUTHORIZATION_CODE,),
        "scopes": ("openid", "profile"),
        "resources": ("https://api.example/licences",),
        "organisation": None,
        "consent": Consent.BY_POLICY,
    }
    return Client(**(known | changed))  # type: ignore[arg-type]


def sent(**changed: str | None) -> Parameters:
    pairs = GOOD | changed
    return gather((name, value) for name, value in pairs.items() if value is not None)


def twice(name: str) -> Parameters:
    return gather([*GOOD.items(), (name, "again")])


def test_a_good_request_is_read_whole() -> None:
    asked = request.read(sent(prompt="login", max_age="60", ui_locales="en zh-CN"), client())
    assert asked.scopes == ("openid", "profile")
    assert asked.prompts == (Prompt.LOGIN,)
    assert asked.max_age == 60
    assert asked.ui_locales == ("en", "zh-CN")
    assert (asked.state, asked.nonce) == ("s-1", "n-1")


def test_nonce_and_state_are_optional() -> None:
    asked = request.read(sent(state=None, nonce=None), client())
    assert (asked.state, asked.nonce) == (None, None)


def test_unknown_parameters_and_scopes_are_ignored_even_when_repeated() -> None:
    strangers = gather([*sent(scope="openid stranger").single.items(), ("x", "1"), ("x", "2")])
    assert request.read(strangers, client()).scopes == ("openid",)


DISPLAYED: list[tuple[str, Parameters, Client | None, type[DisplayedError]]] = [
    ("client_id_is_given", sent(client_id=None), None, ClientMissing),
    ("client_id_is_given", sent(client_id="door\x00"), None, ClientMissing),
    ("client_id_is_given", twice("client_id"), client(), ClientMissing),
    ("client_is_known", sent(client_id="stranger"), None, ClientUnknown),
    ("redirect_uri_is_given", sent(redirect_uri=None), client(), RedirectUriMissing),
    ("redirect_uri_is_given", twice("redirect_uri"), client(), RedirectUriMissing),
] + [
    ("redirect_uri_is_registered", sent(redirect_uri=uri), client(), RedirectUriUnregistered)
    for uri in (
        f"{CALLBACK}/",
        f"{CALLBACK}?x=1",
        "https://portal.example/CALLBACK",
        "https://portal.example:443/callback",
        "https://portal.example/x/../callback",
        "https://portal.example.evil.example/callback",
        "http://portal.example/callback",
    )
]

REDIRECTED: list[tuple[str, Parameters, Client, str]] = [
    ("no_parameter_is_repeated", twice("scope"), client(), "invalid_request"),
    ("no_parameter_is_repeated", twice("state"), client(), "invalid_request"),
    ("no_parameter_is_repeated", twice("nonce"), client(), "invalid_request"),
    ("no_parameter_is_over_long", sent(nonce="n" * 2049), client(), "invalid_request"),
    ("no_request_object", sent(request="e30.e30."), client(), "request_not_supported"),
    ("no_request_object", sent(request_uri="urn:x"), client(), "request_uri_not_supported"),
    ("no_request_object", sent(registration="{}"), client(), "registration_not_supported"),
    ("response_mode_is_query", sent(response_mode="fragment"), client(), "invalid_request"),
    ("response_type_is_code", sent(response_type=None), client(), "invalid_request"),
    ("response_type_is_code", sent(response_type="token"), client(), "unsupported_response_type"),
    (
        "response_type_is_code",
        sent(response_type="code id_token"),
        client(),
        "unsupported_response_type",
    ),
    (
        "client_may_sign_people_in",
        sent(),
        client(grant_types=(GrantType.CLIENT_CREDENTIALS,)),
        "unauthorized_client",
    ),
    ("client_may_sign_people_in", sent(), client(realm=None), "unauthorized_client"),
    ("scope_asks_for_openid", sent(scope=None), client(), "invalid_scope"),
    ("scope_asks_for_openid", sent(scope="profile"), client(), "invalid_scope"),
    ("scopes_are_allowed", sent(scope="openid licence.issue"), client(), "invalid_scope"),
    ("resources_are_allowed", sent(resource="https://other.example"), client(), "invalid_target"),
    ("challenge_is_s256", sent(code_challenge=None), client(), "invalid_request"),
    ("challenge_is_s256", sent(code_challenge_method=None), client(), "invalid_request"),
    ("challenge_is_s256", sent(code_challenge_method="plain"), client(), "invalid_request"),
    ("challenge_is_s256", sent(code_challenge="short"), client(), "invalid_request"),
    ("prompt_makes_sense", sent(prompt="none login"), client(), "invalid_request"),
    ("prompt_makes_sense", sent(prompt="sing"), client(), "invalid_request"),
    ("max_age_is_seconds", sent(max_age="-1"), client(), "invalid_request"),
    ("max_age_is_seconds", sent(max_age="soon"), client(), "invalid_request"),
    ("max_age_is_seconds", sent(max_age="９"), client(), "invalid_request"),
]


@pytest.mark.parametrize(("check", "sent", "client", "error"), DISPLAYED)
def test_what_is_wrong_before_the_redirect_uri_is_trusted_is_displayed(
    check: str, sent: Parameters, client: Client | None, error: type[DisplayedError]
) -> None:
    with pytest.raises(DisplayedError) as refused:
        request.read(sent, client)
    assert type(refused.value) is error
    with pytest.raises(error):
        getattr(request, check)(sent, client)


@pytest.mark.parametrize(("check", "sent", "client", "error"), REDIRECTED)
def test_what_is_wrong_after_it_is_told_to_the_client(
    check: str, sent: Parameters, client: Client, error: str
) -> None:
    with pytest.raises(RedirectedError) as refused:
        request.read(sent, client)
    assert refused.value.error == error
    with pytest.raises(RedirectedError):
        getattr(request, check)(sent, client)


def test_every_check_of_the_tables_has_a_case_here() -> None:
    tables = request.DISPLAYED_CHECKS + request.REDIRECTED_CHECKS
    tried = {check for check, *_ in DISPLAYED} | {check for check, *_ in REDIRECTED}
    assert {check.__name__ for check in tables} == tried
    assert all(inspect.getdoc(check) for check in tables)


def test_an_answer_keeps_the_clients_own_query() -> None:
    url = request.answer_url("https://i", "https://p/c?x=1", "a b&c", {"code": "k"})
    assert url == "https://p/c?x=1&code=k&state=a+b%26c&iss=https%3A%2F%2Fi"


@given(
    st.lists(
        st.tuples(st.sampled_from([*sorted(GOOD), "prompt", "max_age", "resource"]), st.text())
    )
)
def test_no_request_breaks_the_reader(pairs: list[tuple[str, str]]) -> None:
    try:
        asked = request.read(gather([*GOOD.items(), *pairs]), client())
    except (DisplayedError, RedirectedError):
        return
    assert asked.redirect_uri == CALLBACK


@given(st.text())
def test_a_refusal_is_described_in_the_characters_oauth_allows(text: str) -> None:
    """RFC 6749 §4.1.2.1: visible ASCII and spaces, no quote, no backslash."""
    with pytest.raises(RedirectedError) as refused:
        request.read(sent(prompt=f"x{text}"), client())
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", refused.value.description)
