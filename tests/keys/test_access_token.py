from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from keys import jose
from keys.access_token import LEEWAY, Caller, ScopeMissing, check, require
from keys.software_signer import SoftwareSigner

ISSUER, AUDIENCE = "https://id.example.cn", "https://licences.example.cn"
Check = Callable[..., Caller]


@pytest.fixture
def caller(signer: SoftwareSigner, now: datetime) -> Check:
    def made(typ: str = "at+jwt", **changes: Any) -> Caller:
        start = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": start,
            "exp": start + 300,
            "sub": "f3a1",
            "client_id": "portal-a",
            "jti": "1",
            "scope": "licence.issue licence.read",
            "organisation": "11330100MBXX00027W",
            "acr": "urn:yinxin:level:natural:2",
        } | changes
        token = jose.sign({k: v for k, v in claims.items() if v is not None}, signer, typ)
        keys = {signer.public_key.kid: signer.public_key}
        return check(token, keys, issuer=ISSUER, audience=AUDIENCE, now=now)

    return made


def test_a_token_names_its_caller(caller: Check) -> None:
    told = caller()
    assert (told.subject, told.client_id, told.level) == ("f3a1", "portal-a", 2)
    assert told.organisation == "11330100MBXX00027W"
    assert told.scopes == {"licence.issue", "licence.read"}
    assert told.claims["jti"] == "1"


def test_a_token_without_level_organisation_or_scope_gives_none(caller: Check) -> None:
    told = caller(acr=None, organisation=None, scope=None)
    assert (told.level, told.organisation, told.scopes) == (0, "", frozenset())


@pytest.mark.parametrize(
    "acr",
    [
        "urn:yinxin:level:natural:",
        "urn:yinxin:level:natural:-1",
        "urn:yinxin:level:natural:²",
        "urn:yinxin:level:staff:1",
        "urn:other:3",
        "high",
        "",
    ],
)
def test_an_acr_that_is_no_natural_persons_level_is_level_nought(acr: str, caller: Check) -> None:
    assert caller(acr=acr).level == 0


@pytest.mark.parametrize(
    "change",
    [
        {"sub": None},
        {"sub": ""},
        {"client_id": None},
        {"jti": None},
        {"jti": 1},
        {"scope": ["a"]},
        {"organisation": 1},
        {"acr": 3},
        {"auth_time": "1"},
        {"auth_time": True},
        {"auth_time": 1.5},
        {"auth_time": -1},
        {"auth_time": 10**12},
        {"cnf": "jkt"},
        {"cnf": {}},
        {"cnf": {"jkt": ""}},
        {"cnf": {"jkt": 1}},
        {"cnf": {"jwk": {"kty": "EC"}}},
        {"cnf": {"jkt": "a", "kid": "b"}},
    ],
)
def test_a_token_that_lacks_what_rfc_9068_requires_is_refused(
    change: dict[str, Any], caller: Check
) -> None:
    with pytest.raises(jose.TokenMalformed):
        caller(**change)


@pytest.mark.parametrize("typ", ["JWT", "application/at+jwt", "statuslist+jwt"])
def test_an_id_token_is_no_access_token(typ: str, caller: Check) -> None:
    with pytest.raises(jose.TokenWrongType):
        caller(typ)


def test_a_bearer_token_is_bound_to_nothing_and_tells_no_sign_in(caller: Check) -> None:
    told = caller()
    assert (told.confirmation, told.signed_in_at) == ({}, None)
    assert told.acr == "urn:yinxin:level:natural:2"


@pytest.mark.parametrize("name", ["jkt", "x5t#S256"])
def test_a_bound_token_tells_what_its_caller_must_show(name: str, caller: Check) -> None:
    told = caller(cnf={name: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})
    assert told.confirmation == {name: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
    assert told.claims["cnf"] == told.confirmation


def test_when_the_person_signed_in_is_told_as_a_moment(caller: Check, now: datetime) -> None:
    assert caller(auth_time=int(now.timestamp()) - 60).signed_in_at == now - timedelta(seconds=60)


def test_who_acts_and_for_which_transaction_is_handed_on_untouched(caller: Check) -> None:
    claims = {"act": {"sub": "clerk"}, "authorization_details": [{"type": "payment", "sum": 1}]}
    told = caller(**claims).claims
    assert {name: told[name] for name in claims} == claims


def test_a_token_of_a_process_a_moment_ahead_is_taken(caller: Check, now: datetime) -> None:
    start = int(now.timestamp())
    assert caller(iat=start + LEEWAY, nbf=start + LEEWAY).subject == "f3a1"
    for begins in ("iat", "nbf"):
        with pytest.raises(jose.TokenNotYetValid):
            caller(**{begins: start + LEEWAY + 1})


def test_no_token_goes_on_a_moment_longer_than_it_says(caller: Check, now: datetime) -> None:
    with pytest.raises(jose.TokenExpired):
        caller(iat=int(now.timestamp()) - 300, exp=int(now.timestamp()))


def test_a_scope_is_there_whole_or_not_at_all(caller: Check) -> None:
    told = caller()
    require(told, "licence.issue")
    with pytest.raises(ScopeMissing):
        require(told, "licence")


def test_a_callers_claims_cannot_be_changed(caller: Check) -> None:
    with pytest.raises(TypeError):
        caller().claims["scope"] = "everything"  # type: ignore[index]  # that is the point
