"""Every check of the authorization request, one by one, over plain values."""

import inspect
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import request, request_checks
from idp.clients import Client, Consent
from idp.errors import (
    ClientMissing,
    ClientUnknown,
    DisplayedError,
    RedirectedError,
    RedirectUriMissing,
    RedirectUriUnregistered,
)
from idp.id_token_hint import HintRefused
from idp.parameters import gather
from idp.submission import Submission
from idp.vocabulary import (
    AUTHORIZE_PARAMETERS,
    AuthMethod,
    GrantType,
    Prompt,
    Realm,
    ResponseMode,
)

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
        "registered_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Client(**(known | changed))  # type: ignore[arg-type]


def hinted(token: str) -> str:
    """Whom the tokens of this file are about."""
    if token not in ("about-zhang", "about-li"):
        raise HintRefused
    return token.removeprefix("about-")


def known(sub: str) -> str | None:
    """Whom this client calls so."""
    return sub.removeprefix("sub-") if sub.startswith("sub-") else None


def submission(pairs: Iterable[tuple[str, str]], **how: Any) -> Submission:
    return Submission(gather(pairs), subject_of=hinted, known_as=known, **how)


def sent(**changed: str | None) -> Submission:
    pairs = GOOD | changed
    return submission((name, value) for name, value in pairs.items() if value is not None)


def twice(name: str) -> Submission:
    return submission([*GOOD.items(), (name, "again")])


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
    asked = sent(scope="openid stranger").parameters.single.items()
    strangers = submission([*asked, ("x", "1"), ("x", "2")])
    assert request.read(strangers, client()).scopes == ("openid",)


DISPLAYED: list[tuple[str, Submission, Client | None, type[DisplayedError]]] = [
    ("client_id_is_given", sent(client_id=None), None, ClientMissing),
    ("client_id_is_given", sent(client_id="door\x00"), None, ClientMissing),
    ("client_id_is_given", twice("client_id"), client(), ClientMissing),
    ("client_is_known", sent(client_id="stranger"), None, ClientUnknown),
    ("redirect_uri_is_given", sent(redirect_uri=None), client(), RedirectUriMissing),
    ("redirect_uri_is_given", twice("redirect_uri"), client(), RedirectUriMissing),
] + [
    ("redirect_uri_is_registered", sent(redirect_uri=uri), client(), RedirectUriUnregistered)
    for uri in (
        "http://127.0.0.1:51004/callback",
        f"{CALLBACK}/",
        f"{CALLBACK}?x=1",
        "https://portal.example/CALLBACK",
        "https://portal.example:443/callback",
        "https://portal.example/x/../callback",
        "https://portal.example.evil.example/callback",
        "http://portal.example/callback",
    )
]

REDIRECTED: list[tuple[str, Submission, Client, str]] = [
    ("no_parameter_is_repeated", twice("scope"), client(), "invalid_request"),
    ("no_parameter_is_repeated", twice("state"), client(), "invalid_request"),
    ("no_parameter_is_repeated", twice("nonce"), client(), "invalid_request"),
    ("no_parameter_is_over_long", sent(nonce="n" * 2049), client(), "invalid_request"),
    ("no_parameter_is_over_long", sent(claims=" " * 8193), client(), "invalid_request"),
    (
        "request_is_pushed_if_it_must_be",
        sent(),
        client(require_pushed_authorization_requests=True),
        "invalid_request",
    ),
    (
        "request_is_signed_if_it_must_be",
        sent(),
        client(require_signed_request_object=True),
        "invalid_request",
    ),
    (
        "registration_is_not_sent",
        sent(registration="{}"),
        client(),
        "registration_not_supported",
    ),
    ("response_mode_is_known", sent(response_mode="fragment"), client(), "invalid_request"),
    ("response_mode_is_known", sent(response_mode="fragment.jwt"), client(), "invalid_request"),
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
    (
        "challenge_is_s256",
        sent(code_challenge=None, code_challenge_method=None),
        client(require_pkce=False, auth_method=AuthMethod.NONE),
        "invalid_request",
    ),
    ("challenge_is_s256", sent(code_challenge=None), client(require_pkce=False), "invalid_request"),
    (
        "challenge_is_s256",
        sent(code_challenge_method="plain"),
        client(require_pkce=False),
        "invalid_request",
    ),
    ("dpop_jkt_is_a_thumbprint", sent(dpop_jkt="short"), client(), "invalid_request"),
    ("prompt_makes_sense", sent(prompt="none login"), client(), "invalid_request"),
    ("prompt_makes_sense", sent(prompt="sing"), client(), "invalid_request"),
    ("max_age_is_seconds", sent(max_age="-1"), client(), "invalid_request"),
    ("max_age_is_seconds", sent(max_age="soon"), client(), "invalid_request"),
    ("max_age_is_seconds", sent(max_age="９"), client(), "invalid_request"),
    ("display_is_known", sent(display="hologram"), client(), "invalid_request"),
    ("claims_can_be_read", sent(claims="{"), client(), "invalid_request"),
    ("claims_can_be_read", sent(claims='{"userinfo": []}'), client(), "invalid_request"),
    (
        "authorization_details_are_allowed",
        sent(authorization_details='[{"type": "licence_share"}]'),
        client(),
        "invalid_authorization_details",
    ),
    ("hint_is_ours", sent(id_token_hint="by.somebody.else"), client(), "invalid_request"),
    (
        "one_person_is_meant",
        sent(id_token_hint="about-li", claims='{"id_token": {"sub": {"value": "sub-zhang"}}}'),
        client(),
        "invalid_request",
    ),
    (
        "one_person_is_meant",
        sent(claims='{"id_token": {"sub": {"value": "a stranger"}}}'),
        client(),
        "login_required",
    ),
]


@pytest.mark.parametrize(("check", "sent", "client", "error"), DISPLAYED)
def test_what_is_wrong_before_the_redirect_uri_is_trusted_is_displayed(
    check: str, sent: Submission, client: Client | None, error: type[DisplayedError]
) -> None:
    with pytest.raises(DisplayedError) as refused:
        request.read(sent, client)
    assert type(refused.value) is error
    with pytest.raises(error):
        getattr(request_checks, check)(sent, client)


@pytest.mark.parametrize(("check", "sent", "client", "error"), REDIRECTED)
def test_what_is_wrong_after_it_is_told_to_the_client(
    check: str, sent: Submission, client: Client, error: str
) -> None:
    with pytest.raises(RedirectedError) as refused:
        request.read(sent, client)
    assert refused.value.error == error
    with pytest.raises(RedirectedError):
        getattr(request_checks, check)(sent, client)


def test_every_check_of_the_tables_has_a_case_here() -> None:
    tables = request_checks.DISPLAYED_CHECKS + request_checks.REDIRECTED_CHECKS
    tried = {check for check, *_ in DISPLAYED} | {check for check, *_ in REDIRECTED}
    assert {check.__name__ for check in tables} == tried
    assert all(inspect.getdoc(check) for check in tables)


def test_a_client_registered_without_pkce_may_leave_the_challenge_out() -> None:
    without = sent(code_challenge=None, code_challenge_method=None)
    assert request.read(without, client(require_pkce=False)).code_challenge is None
    given = request.read(sent(), client(require_pkce=False))
    assert given.code_challenge == GOOD["code_challenge"]


@pytest.mark.parametrize("mode", list(ResponseMode))
def test_every_response_mode_is_taken(mode: ResponseMode) -> None:
    assert request.read(sent(response_mode=mode), client()).response_mode is mode


def test_an_answer_goes_by_the_query_unless_asked_otherwise() -> None:
    assert request.read(sent(), client()).response_mode is ResponseMode.QUERY


@pytest.mark.parametrize("display", ["page", "popup", "touch", "wap"])
def test_every_display_is_taken(display: str) -> None:
    assert request.read(sent(display=display), client()).client_id == "portal"


@pytest.mark.parametrize(
    ("registered", "asked"),
    [
        ("http://127.0.0.1/callback", "http://127.0.0.1:51004/callback"),
        ("http://127.0.0.1:1/callback", "http://127.0.0.1/callback"),
        ("http://[::1]/callback?a=b", "http://[::1]:51004/callback?a=b"),
    ],
)
def test_a_native_app_listens_on_whatever_loopback_port_is_free(
    registered: str, asked: str
) -> None:
    native = client(application_type="native", redirect_uris=(registered,))
    assert request.read(sent(redirect_uri=asked), native).redirect_uri == asked
    web = client(redirect_uris=(registered,))
    with pytest.raises(RedirectUriUnregistered):
        request.read(sent(redirect_uri=asked), web)


@pytest.mark.parametrize(
    "asked",
    [
        "http://127.0.0.1:51004/other",
        "http://127.0.0.1:51004@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://[::1]:51004/callback",
        "https://127.0.0.1:51004/callback",
        "http://127.0.0.1:51004/callback#",
        "http://127.0.0.1:51004/callback?x=1",
        "http://127.0.0.2:51004/callback",
        "http://localhost:51004/callback",
    ],
)
def test_only_the_port_of_a_loopback_address_is_free(asked: str) -> None:
    native = client(application_type="native", redirect_uris=("http://127.0.0.1/callback",))
    with pytest.raises(RedirectUriUnregistered):
        request.read(sent(redirect_uri=asked), native)


OFFLINE_SCOPES = {"scopes": ("openid", "offline_access")}
REFRESHES = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)


@pytest.mark.parametrize(
    ("consent", "prompt", "grants", "stays"),
    [
        (Consent.BY_POLICY, None, REFRESHES, True),
        (Consent.BY_PERSON, "consent", REFRESHES, True),
        (Consent.BY_PERSON, "login", REFRESHES, False),
        (Consent.BY_PERSON, None, REFRESHES, False),
        (Consent.BY_POLICY, None, (GrantType.AUTHORIZATION_CODE,), False),
    ],
)
def test_offline_access_is_ignored_unless_the_person_is_asked_for_it(
    consent: Consent, prompt: str | None, grants: tuple[GrantType, ...], stays: bool
) -> None:
    asking = client(consent=consent, grant_types=grants, **OFFLINE_SCOPES)
    asked = request.read(sent(scope="openid offline_access", prompt=prompt), asking)
    assert ("offline_access" in asked.scopes) is stays


def test_a_clients_own_max_age_counts_unless_the_request_names_one() -> None:
    assert request.read(sent(), client(default_max_age=600)).max_age == 600
    assert request.read(sent(max_age="0"), client(default_max_age=600)).max_age == 0


def test_a_hint_and_a_sub_asked_for_tell_who_is_meant() -> None:
    by_sub = json.dumps({"userinfo": {"sub": {"value": "sub-zhang"}}})
    assert request.read(sent(id_token_hint="about-zhang"), client()).hinted_subject == "zhang"
    assert request.read(sent(claims=by_sub), client()).hinted_subject == "zhang"
    both = sent(claims=by_sub, id_token_hint="about-zhang")
    assert request.read(both, client()).hinted_subject == "zhang"
    assert request.read(sent(), client()).hinted_subject is None


def test_a_request_pushed_and_signed_satisfies_a_client_that_must() -> None:
    strict = client(require_pushed_authorization_requests=True, require_signed_request_object=True)
    came = submission(GOOD.items(), signed=True, pushed="urn:ietf:params:oauth:request_uri:x")
    assert request.read(came, strict).pushed == "urn:ietf:params:oauth:request_uri:x"


@given(
    st.lists(st.tuples(st.sampled_from(sorted({*AUTHORIZE_PARAMETERS, "registration"})), st.text()))
)
def test_no_request_breaks_the_reader(pairs: list[tuple[str, str]]) -> None:
    try:
        asked = request.read(submission([*GOOD.items(), *pairs]), client())
    except (DisplayedError, RedirectedError):
        return
    assert asked.redirect_uri == CALLBACK


@given(st.text())
def test_a_refusal_is_described_in_the_characters_oauth_allows(text: str) -> None:
    """RFC 6749 §4.1.2.1: visible ASCII and spaces, no quote, no backslash."""
    with pytest.raises(RedirectedError) as refused:
        request.read(sent(prompt=f"x{text}"), client())
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", refused.value.description)
