"""UserInfo: who may ask, what they are told, in which form."""

import json
from uuid import UUID

import httpx2
import pytest
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import update

from idp import clients, consents, revocations, sessions
from idp.client_metadata import Consent
from idp.sessions import Ending
from idp.tables import PersonRow
from idp.vocabulary import GrantType, SubjectType
from keys import jose
from tests.idp.minting import approve, mint
from tests.idp.test_id_token import claims_in
from tests.idp.world import PEOPLE, World

NUMBER = PEOPLE["张䶮"].number


def signed_in(world: World, scope: str = "openid profile phone") -> tuple[str, str]:
    """The subject and an access token."""
    subject = world.register()
    portal = world.portal(world.client(), scope)
    token = portal.token(world.browser().authorize(portal.url(), NUMBER))
    return subject, str(token["access_token"])


def ask(world: World, token: str) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.get(f"{world.issuer}/userinfo", headers=headers)


def test_claims_come_by_scope(world: World) -> None:
    subject, token = signed_in(world)
    assert ask(world, token).json() == {
        "sub": subject,
        "name": "张䶮",
        "gender": "male",
        "birthdate": "1880-01-01",
        "updated_at": int(world.clock().timestamp()),
        "phone_number": "+8613800000001",
        "phone_number_verified": True,
    }


def test_without_scopes_there_is_only_the_subject(world: World) -> None:
    subject, token = signed_in(world, "openid")
    assert ask(world, token).json() == {"sub": subject}


def test_the_token_may_come_by_post_in_header_or_body(world: World) -> None:
    subject, token = signed_in(world, "openid")
    url = f"{world.issuer}/userinfo"
    by_header = httpx2.post(url, headers={"Authorization": f"Bearer {token}"})
    by_body = httpx2.post(url, data={"access_token": token})
    assert by_header.json() == by_body.json() == {"sub": subject}
    twice = httpx2.post(
        url, data={"access_token": token}, headers={"Authorization": f"Bearer {token}"}
    )
    assert twice.status_code == 400


def test_a_clerk_is_told_with_the_organisation(world: World) -> None:
    subject = world.clerk()
    desk = world.portal(world.staff_client(), "openid profile licence.issue")
    token = desk.token(world.browser().authorize(desk.url(), "zhou.yuan"))
    assert ask(world, str(token["access_token"])).json() == {
        "sub": subject,
        "name": "周远",
        "preferred_username": "zhou.yuan",
        "organisation": "11990100MBXX90018M",
    }


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c"])
def test_no_token_or_a_bad_one_is_challenged(world: World, token: str) -> None:
    refused = ask(world, token)
    assert refused.status_code == 401
    unasked = 'Bearer, DPoP algs="ES256 PS256 EdDSA"'
    expected = 'Bearer error="invalid_token"' if token else unasked
    assert refused.headers["www-authenticate"] == expected
    assert refused.json()["error"] == "invalid_token"


def test_an_id_token_is_no_access_token(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    token = portal.token(world.browser().authorize(portal.url(), NUMBER))
    assert ask(world, str(token["id_token"])).status_code == 401


def test_a_machines_token_tells_nobody(world: World) -> None:
    registered = world.machine()
    auth = (registered.client_id, str(registered.client_secret))
    form = {"grant_type": "client_credentials"}
    token = httpx2.post(f"{world.issuer}/token", data=form, auth=auth).json()["access_token"]
    refused = ask(world, token)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_lapses(world: World) -> None:
    _, token = signed_in(world)
    world.clock.tick(seconds=599)
    assert ask(world, token).status_code == 200
    world.clock.tick(seconds=1)
    assert ask(world, token).status_code == 401


def test_a_token_dies_with_the_session(world: World) -> None:
    world.register()
    portal = world.portal(world.client())
    browser = world.browser()
    token = portal.token(browser.authorize(portal.url(), NUMBER))
    with world.begin() as tx:
        session = sessions.find(tx, world.provider, browser.cookie(sessions.COOKIE))
        assert session
        sessions.end(tx, world.provider, session.sid, by=session.subject, why=Ending.SIGNED_OUT)
    assert ask(world, str(token["access_token"])).status_code == 401


def test_a_dead_token_shown_with_dpop_is_challenged_for_dpop(world: World) -> None:
    headers = {"Authorization": "DPoP a.b.c"}
    refused = httpx2.get(f"{world.issuer}/userinfo", headers=headers)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith('DPoP error="invalid_token", algs=')


@pytest.mark.parametrize("what", ["grant", "session", "token"])
def test_a_revoked_grant_session_or_token_is_dead(world: World, what: str) -> None:
    world.client()
    approval = approve(world, world.register())
    token = mint(world, approval).access_token
    ids = {
        "grant": revocations.grant(approval.grant_id),
        "session": revocations.session(approval.sid),
        "token": revocations.token(claims_in(token)["jti"]),
    }
    assert ask(world, token).status_code == 200
    with world.begin() as tx:
        revocations.revoke(tx, world.provider, ids[what])
    assert ask(world, token).status_code == 401


def test_with_offline_access_a_token_outlives_the_session(world: World) -> None:
    world.client(scopes=("openid", "offline_access"))
    approval = approve(world, world.register(), scopes=("openid", "offline_access"))
    token = mint(world, approval).access_token
    with world.begin() as tx:
        revocations.revoke(tx, world.provider, revocations.session(approval.sid))
    assert ask(world, token).status_code == 200


def test_a_token_dies_with_its_client(world: World) -> None:
    world.client()
    token = mint(world, approve(world, world.register())).access_token
    with world.begin() as tx:
        clients.remove(tx, world.provider, "portal-a", by="test")
    assert ask(world, token).status_code == 401


def test_a_token_tells_nothing_more_once_consent_is_taken_back(world: World) -> None:
    world.client(consent=Consent.BY_PERSON)
    subject = world.register()
    with world.begin() as tx:
        consents.give(tx, world.provider, subject, "portal-a", ["profile"])
    token = mint(world, approve(world, subject, scopes=("openid", "profile"))).access_token
    assert ask(world, token).json()["name"] == "张䶮"
    with world.begin() as tx:
        consents.take_back(tx, world.provider, subject, "portal-a")
    assert ask(world, token).status_code == 401


def test_a_token_dies_with_the_account(world: World) -> None:
    world.client()
    approval = approve(world, world.register(), scopes=("openid", "profile"))
    token = mint(world, approval).access_token
    with world.begin() as tx:
        tx.execute(update(PersonRow).values(closed_at=world.clock()))
    assert ask(world, token).status_code == 401


def test_a_token_dies_when_its_client_changes_to_another_kind_of_subject(world: World) -> None:
    world.client()
    token = mint(world, approve(world, world.register())).access_token
    with world.begin() as tx:
        clients.remove(tx, world.provider, "portal-a", by="test")
    world.client(subject_type=SubjectType.PAIRWISE)
    assert ask(world, token).status_code == 401


def test_a_token_in_the_address_is_no_token(world: World) -> None:
    _, token = signed_in(world, "openid")
    refused = httpx2.get(f"{world.issuer}/userinfo", params={"access_token": token})
    assert refused.status_code == 401


def test_without_openid_userinfo_is_beyond_the_scope(world: World) -> None:
    world.client()
    token = mint(world, approve(world, world.register(), scopes=("profile",))).access_token
    refused = ask(world, token)
    assert (refused.status_code, refused.json()["error"]) == (403, "insufficient_scope")
    assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'


def test_a_pairwise_client_is_told_its_own_sub(world: World) -> None:
    world.client(subject_type=SubjectType.PAIRWISE)
    subject = world.register()
    minted = mint(world, approve(world, subject, scopes=("openid", "profile")))
    answer = ask(world, minted.access_token).json()
    assert answer["sub"] == claims_in(minted.id_token or "")["sub"] != subject
    assert answer["name"] == "张䶮"


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256"])
def test_a_client_may_have_the_answer_signed(world: World, alg: str) -> None:
    world.client(userinfo_signed_response_alg=alg)
    subject = world.register()
    minted = mint(world, approve(world, subject, scopes=("openid", "profile")))
    answer = ask(world, minted.access_token)
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "no-store"
    keys = KeySet.import_key_set(httpx2.get(f"{world.issuer}/jwks").json())
    claims = jwt.decode(answer.text, keys, algorithms=[alg]).claims
    assert (claims["iss"], claims["aud"]) == (world.issuer, "portal-a")
    assert (claims["sub"], claims["name"]) == (subject, "张䶮")


def test_a_client_may_have_the_answer_signed_with_sm2(world: World) -> None:
    world.client(userinfo_signed_response_alg="SGD_SM3_SM2")
    subject = world.register()
    answer = ask(world, mint(world, approve(world, subject)).access_token)
    (found,) = httpx2.get(f"{world.issuer}/jwks/gm").json()["keys"]
    key = jose.public_key_from_jwk(found)
    assert jose.key_id(answer.text) == key.kid
    assert jose.is_signed_by(answer.text, key)
    assert claims_in(answer.text)["sub"] == subject


@pytest.mark.parametrize("signed", [None, "ES256"])
def test_a_client_may_have_the_answer_encrypted(world: World, signed: str | None) -> None:
    key = ECKey.generate_key("P-256")
    world.client(
        jwks={"keys": [{**key.as_dict(private=False), "use": "enc"}]},
        userinfo_signed_response_alg=signed,
        userinfo_encrypted_response_alg="ECDH-ES",
        userinfo_encrypted_response_enc="A256GCM",
    )
    subject = world.register()
    answer = ask(world, mint(world, approve(world, subject)).access_token)
    assert answer.headers["content-type"] == "application/jwt"
    opened = jwe.decrypt_compact(answer.text, key, algorithms=["ECDH-ES", "A256GCM"])
    inside = (opened.plaintext or b"").decode()
    claims = json.loads(inside) if signed is None else claims_in(inside)
    assert claims["sub"] == subject
    assert ("cty" in opened.headers()) == (signed is not None)


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ("C770aef3-6784-41F7-8E0e-ff5f97bddb3a", True),
        ("no-uuid", False),
        (f"{'0' * 8}-0000-0000-0000-{'0' * 12}, another", False),
        ("", False),
    ],
)
def test_an_answer_bears_the_number_of_its_question_or_one_of_its_own(
    world: World, sent: str, is_kept: bool
) -> None:
    _, token = signed_in(world)
    headers = {"Authorization": f"Bearer {token}", "x-fapi-interaction-id": sent}
    told = httpx2.get(f"{world.issuer}/userinfo", headers=headers)
    number = told.headers["x-fapi-interaction-id"]
    assert str(UUID(number)) == number.lower()
    assert (number == sent) is is_kept


def test_a_page_of_another_origin_may_ask_and_carries_no_cookie(world: World) -> None:
    url = f"{world.issuer}/userinfo"
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    allowed = httpx2.options(url, headers=asked)
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in allowed.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed.headers
    refused = httpx2.get(url, headers={"Origin": "https://app.example"})
    assert refused.headers["access-control-allow-origin"] == "*"
    assert "WWW-Authenticate" in refused.headers["access-control-expose-headers"]


def test_pages_of_other_origins_reach_nothing_that_people_use(world: World) -> None:
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    assert httpx2.options(f"{world.issuer}/authorize", headers=asked).status_code == 405


@pytest.mark.parametrize("minutes", [5, -5])
def test_a_clock_that_is_five_minutes_off_changes_nothing_for_a_fresh_token(
    world: World, minutes: int
) -> None:
    world.client()
    token = mint(world, approve(world, world.register())).access_token
    world.clock.tick(minutes=minutes)
    # Ours is the only clock: it cannot be behind the tokens it made, and they live ten minutes.
    assert ask(world, token).status_code == (200 if minutes > 0 else 401)


def test_what_a_request_asks_for_singly_comes_where_it_asked_and_again_after_a_refresh(
    world: World,
) -> None:
    verified = {"verification": {"trust_framework": None}, "claims": {"name": None}}
    asked = {
        "userinfo": {"name": {"essential": True}, "no_such_claim": None},
        "id_token": {"gender": None, "verified_claims": verified},
    }
    registered = world.client(
        grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        scopes=("openid", "profile"),
    )
    subject = world.register()
    portal = world.portal(registered, "openid")
    token = portal.token(world.browser().authorize(portal.url(claims=json.dumps(asked)), NUMBER))
    told = claims_in(str(token["id_token"]))
    assert told["gender"] == "male"
    assert told["verified_claims"]["claims"] == {"name": "张䶮"}
    assert ask(world, str(token["access_token"])).json() == {"sub": subject, "name": "张䶮"}
    world.clock.tick(minutes=11)
    world.provider.redis.flushall()
    form = {"grant_type": "refresh_token", "refresh_token": str(token["refresh_token"])}
    auth = (registered.client_id, str(registered.client_secret))
    again = httpx2.post(f"{world.issuer}/token", data=form, auth=auth).json()
    assert ask(world, again["access_token"]).json() == {"sub": subject, "name": "张䶮"}
    assert claims_in(again["id_token"])["gender"] == "male"
