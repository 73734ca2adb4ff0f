from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from keys import jose
from keys.access_token import Caller, ScopeMissing, check, require
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


def test_a_scope_is_there_whole_or_not_at_all(caller: Check) -> None:
    told = caller()
    require(told, "licence.issue")
    with pytest.raises(ScopeMissing):
        require(told, "licence")


def test_a_callers_claims_cannot_be_changed(caller: Check) -> None:
    with pytest.raises(TypeError):
        caller().claims["scope"] = "everything"  # type: ignore[index]  # that is the point
