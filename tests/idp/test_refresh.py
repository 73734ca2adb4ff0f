"""Refresh tokens: rotated by one winner, forgiving for a moment, unforgiving after it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, func, select, update
from sqlalchemy.orm import sessionmaker

from idp import clients, consents, refresh_tokens, revocations, sessions
from idp.approval import Approval
from idp.claims_request import ClaimsRequest
from idp.client_metadata import Consent
from idp.clients import Client
from idp.entitlement import LIFETIME
from idp.errors import OAuthError
from idp.grant_refresh import narrowed
from idp.refresh_tokens import GRACE, IDLE, LONGEST
from idp.sessions import Ending
from idp.tables import PersonRow, RefreshTokenRow
from idp.vocabulary import AuthMethod, GrantType, OAuthCode
from keys.tables import journal
from tests.idp.approvals import (
    LICENCES,
    TAX,
    approval,
    portal,
    post,
    proof,
    refresh_token,
    told,
)
from tests.idp.test_sign_in import claims_of
from tests.idp.world import World, heard, mounted, served

OFFLINE = ("openid", "profile", "offline_access")


def refresh(world: World, by: Client, token: str, **more: str) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, **proof(by), **more}
    return post(world, "/token", form)


def begun(world: World, **changed: object) -> tuple[Client, Approval, str]:
    """A portal, what a person allowed it, and the refresh token it got."""
    to = portal(world)
    allowed = approval(world, to, world.register(), **changed)
    return to, allowed, refresh_token(world, allowed)


def rows(world: World) -> int:
    with world.begin() as tx:
        return tx.scalars(select(func.count()).select_from(RefreshTokenRow)).one()


def events(world: World, action: str) -> int:
    with world.begin() as tx:
        query = select(func.count()).select_from(journal).where(journal.c.action == action)
        return tx.scalars(query).one()


def test_a_refresh_gives_new_tokens_of_the_same_sign_in(world: World) -> None:
    to, allowed, token = begun(world)
    world.clock.tick(seconds=90)
    answer = refresh(world, to, token).json()
    assert answer["refresh_token"] != token
    assert (answer["token_type"], answer["scope"]) == ("Bearer", "openid profile")
    at = {"sub": allowed.subject, "auth_time": int(allowed.signed_in_at.timestamp())}
    claims_of(world, answer["access_token"], client_id="portal-a", **at)
    # OpenID Connect Core §12.2: the same iss, sub, aud and auth_time, and no nonce.
    id_claims = claims_of(world, answer["id_token"], aud="portal-a", **at)
    assert id_claims["iat"] == int(world.clock().timestamp())
    assert "nonce" not in id_claims
    assert refresh(world, to, answer["refresh_token"]).status_code == 200


def test_of_two_hundred_parallel_uses_one_rotates_and_all_are_told_the_same(world: World) -> None:
    to, _, token = begun(world)
    with ThreadPoolExecutor(200) as crowd:
        answers = list(crowd.map(lambda _: refresh(world, to, token), range(200)))
    assert Counter(answer.status_code for answer in answers) == {200: 200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert rows(world) == 2


def test_a_use_within_the_grace_is_told_the_same_successor(world: World) -> None:
    to, _, token = begun(world)
    first = refresh(world, to, token).json()["refresh_token"]
    world.clock.now += GRACE
    assert refresh(world, to, token).json()["refresh_token"] == first
    assert rows(world) == 2
    assert refresh(world, to, first).status_code == 200


def test_a_use_after_the_grace_ends_the_family_and_is_journalled_once(world: World) -> None:
    to, allowed, token = begun(world)
    answer = refresh(world, to, token).json()
    world.clock.now += GRACE + timedelta(seconds=1)
    told(refresh(world, to, token), 400, "invalid_grant")
    told(refresh(world, to, answer["refresh_token"]), 400, "invalid_grant")
    with world.begin() as tx:
        claims = {"jti": "x", "grant_id": allowed.grant_id}
        assert revocations.any_revoked(tx, world.provider, revocations.of_token(claims))
    told(refresh(world, to, token), 400, "invalid_grant")
    assert events(world, "refresh_token.reused") == 1


def test_a_refused_use_does_not_spend_the_token(world: World) -> None:
    to, _, token = begun(world)
    told(refresh(world, to, token, scope="openid phone"), 400, "invalid_scope")
    told(refresh(world, to, token, resource=TAX), 400, "invalid_target")
    world.clock.now += GRACE + timedelta(seconds=1)
    assert refresh(world, to, token).status_code == 200


def test_no_token_and_no_successor_is_kept_or_logged_in_the_clear(world: World) -> None:
    with heard() as lines:
        to, _, token = begun(world)
        successor = refresh(world, to, token).json()["refresh_token"]
    with world.begin() as tx:
        kept = [str(vars(row)) for row in tx.scalars(select(RefreshTokenRow))]
    for secret in (token, successor):
        assert not any(secret in line for line in (*lines, *kept))


def test_another_client_cannot_use_it_and_does_not_harm_it(world: World) -> None:
    to, _, token = begun(world)
    other = portal(world, "portal-b")
    told(refresh(world, other, token), 400, "invalid_grant")
    assert refresh(world, to, token).status_code == 200
    world.clock.now += GRACE + timedelta(seconds=1)
    told(refresh(world, other, token), 400, "invalid_grant")
    assert events(world, "refresh_token.reused") == 0


@pytest.mark.parametrize("form", [{}, {"refresh_token": ""}])
def test_it_must_be_sent(world: World, form: dict[str, str]) -> None:
    to = portal(world)
    refused = post(world, "/token", {"grant_type": "refresh_token", **proof(to), **form})
    told(refused, 400, "invalid_request")


@pytest.mark.parametrize("token", ["x", "A" * 43, "ü", "a" * 8000, "\x00"])
def test_a_made_up_one_is_refused(world: World, token: str) -> None:
    told(refresh(world, portal(world), token), 400, "invalid_grant")


def test_a_client_that_did_not_register_for_it_gets_none(world: World) -> None:
    to = portal(world, grant_types=(GrantType.AUTHORIZATION_CODE,))
    told(refresh(world, to, "x"), 400, "unauthorized_client")


def test_it_ends_with_the_sign_on(world: World) -> None:
    to, allowed, token = begun(world)
    with world.begin() as tx:
        sessions.end(tx, world.provider, allowed.sid, by=allowed.subject, why=Ending.SIGNED_OUT)
    told(refresh(world, to, token), 400, "invalid_grant")


def test_none_begins_when_the_sign_on_has_ended(world: World) -> None:
    to = portal(world)
    allowed = approval(world, to, world.register())
    with world.begin() as tx:
        sessions.end(tx, world.provider, allowed.sid, by=allowed.subject, why=Ending.SIGNED_OUT)
    with pytest.raises(OAuthError) as refused, world.begin() as tx:
        refresh_tokens.issue(tx, world.provider, allowed)
    assert refused.value.error is OAuthCode.INVALID_GRANT


def test_offline_access_outlives_the_sign_on_and_so_do_its_access_tokens(world: World) -> None:
    to, allowed, token = begun(world, scopes=OFFLINE)
    with world.begin() as tx:
        sessions.end(tx, world.provider, allowed.sid, by=allowed.subject, why=Ending.SIGNED_OUT)
    answer = refresh(world, to, token, scope="openid").json()
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    assert httpx2.get(f"{world.issuer}/userinfo", headers=bearer).status_code == 200


def test_offline_access_ends_when_it_lies_idle(world: World) -> None:
    to, _, token = begun(world, scopes=OFFLINE)
    world.clock.now += IDLE
    told(refresh(world, to, token), 400, "invalid_grant")


def test_offline_access_ends_however_busy_it_is(world: World) -> None:
    to, _, token = begun(world, scopes=OFFLINE)
    end = world.clock() + LONGEST
    while world.clock() + timedelta(days=10) < end:
        world.clock.tick(days=10)
        token = refresh(world, to, token).json()["refresh_token"]
    world.clock.now = end
    told(refresh(world, to, token), 400, "invalid_grant")


def test_a_closed_account_ends_it(world: World) -> None:
    to, allowed, token = begun(world)
    with world.begin() as tx:
        closing = update(PersonRow).where(PersonRow.subject == allowed.subject)
        tx.execute(closing.values(closed_at=world.clock()))
    told(refresh(world, to, token), 400, "invalid_grant")


def test_consent_taken_back_ends_it_even_when_the_grant_is_not_on_record(world: World) -> None:
    to = portal(world, consent=Consent.BY_PERSON)
    subject = world.register()
    token = refresh_token(world, approval(world, to, subject))
    told(refresh(world, to, token), 400, "invalid_grant")
    with world.begin() as tx:
        consents.give(tx, world.provider, subject, to.client_id, ["profile"])
    token = refresh(world, to, token).json()["refresh_token"]
    with world.begin() as tx:
        consents.take_back(tx, world.provider, subject, to.client_id)
    told(refresh(world, to, token), 400, "invalid_grant")


def test_a_narrower_scope_is_for_one_access_token_only(world: World) -> None:
    to, _, token = begun(world)
    answer = refresh(world, to, token, scope="openid").json()
    assert answer["scope"] == "openid"
    assert refresh(world, to, answer["refresh_token"]).json()["scope"] == "openid profile"


def test_without_openid_there_is_no_id_token(world: World) -> None:
    to, _, token = begun(world)
    assert "id_token" not in refresh(world, to, token, scope="profile").json()


def test_what_no_id_token_tells_is_not_journalled_as_told(world: World) -> None:
    to, _, token = begun(world, claims=ClaimsRequest(id_token={"name": None}))
    answer = refresh(world, to, token, scope="profile").json()
    assert events(world, "claims.released") == 0
    refresh(world, to, answer["refresh_token"])
    assert events(world, "claims.released") == 1


def reregistered(world: World, **changed: Any) -> None:
    """Change how portal-a is registered."""
    with world.begin() as tx:
        now = clients.registration(clients.get(tx, "portal-a"))
        clients.change(tx, world.provider, "portal-a", replace(now, **changed), by="test")


def test_what_the_client_is_no_longer_registered_for_is_left_out(world: World) -> None:
    details = ({"type": "licence_lookup"}, {"type": "licence_share"})
    to = portal(
        world,
        resources=(LICENCES, TAX),
        authorization_details_types=("licence_lookup", "licence_share"),
    )
    allowed = approval(
        world,
        to,
        world.register(),
        resources=(LICENCES, TAX),
        authorization_details=details,
    )
    token = refresh_token(world, allowed)
    reregistered(
        world,
        scopes=("openid",),
        resources=(TAX,),
        authorization_details_types=("licence_share",),
    )
    answer = refresh(world, to, token).json()
    assert (answer["scope"], answer["authorization_details"]) == ("openid", [details[1]])
    claims_of(world, answer["access_token"], aud=[TAX, world.issuer])
    told(refresh(world, to, answer["refresh_token"], resource=LICENCES), 400, "invalid_target")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"scopes": ("phone",)}, "invalid_scope"),
        ({"resources": (TAX,)}, "invalid_target"),
    ],
)
def test_when_nothing_is_left_it_is_refused(
    world: World, changed: dict[str, Any], error: str
) -> None:
    to = portal(world, resources=(LICENCES,))
    allowed = approval(world, to, world.register(), resources=(LICENCES,))
    token = refresh_token(world, allowed)
    reregistered(world, **changed)
    told(refresh(world, to, token), 400, error)


def test_a_resource_that_took_the_place_of_those_agreed_to_is_refused(world: World) -> None:
    to = portal(world, resources=(LICENCES,))
    allowed = approval(world, to, world.register(), resources=(LICENCES,))
    token = refresh_token(world, allowed)
    reregistered(world, resources=(TAX,))
    told(refresh(world, to, token, resource=TAX), 400, "invalid_target")


SCOPES = st.lists(st.sampled_from(["openid", "profile", "email", "phone", "address"]), unique=True)


@given(granted=SCOPES, left=SCOPES, asked=SCOPES)
def test_narrowing_never_widens(granted: list[str], left: list[str], asked: list[str]) -> None:
    still = tuple(scope for scope in granted if scope in left)
    wanted = set(asked or granted)
    if wanted <= set(granted):
        got = narrowed(" ".join(asked) or None, tuple(granted), still)
        assert set(got) == wanted & set(still)
    else:
        with pytest.raises(OAuthError):
            narrowed(" ".join(asked) or None, tuple(granted), still)


def test_the_access_token_may_be_for_fewer_resources(world: World) -> None:
    to = portal(world, resources=(LICENCES, TAX))
    allowed = approval(world, to, world.register(), resources=(LICENCES, TAX))
    answer = refresh(world, to, refresh_token(world, allowed), resource=TAX).json()
    claims_of(world, answer["access_token"], aud=[TAX, world.issuer])
    again = refresh(world, to, answer["refresh_token"]).json()
    claims_of(world, again["access_token"], aud=[LICENCES, TAX, world.issuer])


def test_a_resource_that_was_not_agreed_to_is_refused(world: World) -> None:
    to = portal(world, resources=(LICENCES, TAX))
    allowed = approval(world, to, world.register(), resources=(LICENCES,))
    told(refresh(world, to, refresh_token(world, allowed), resource=TAX), 400, "invalid_target")


def test_a_public_clients_is_bound_to_its_key(world: World) -> None:
    """RFC 9449 §5."""
    to = portal(world, client_secret=None, auth_method=AuthMethod.NONE)
    allowed = approval(world, to, world.register(), confirmation={"jkt": "a" * 43})
    told(refresh(world, to, refresh_token(world, allowed)), 400, "invalid_grant")


def test_a_fapi_clients_is_not_rotated_and_goes_on_while_it_is_used(world: World) -> None:
    """FAPI 2.0 Security Profile §5.3.2.1."""
    to = replace(
        portal(world),
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        require_pushed_authorization_requests=True,
        dpop_bound_access_tokens=True,
    )
    token = refresh_token(world, approval(world, to, world.register(), scopes=OFFLINE))
    for _ in range(2):
        world.clock.tick(days=10)
        with world.begin() as tx:
            assert refresh_tokens.redeem(tx, world.provider, to, token)[1] == token
    world.clock.now += LONGEST - timedelta(days=20)
    with pytest.raises(OAuthError), world.begin() as tx:
        refresh_tokens.redeem(tx, world.provider, to, token)
    assert rows(world) == 1


def test_a_database_that_is_away_is_told_as_temporary_and_spends_nothing(world: World) -> None:
    to, _, token = begun(world)
    nowhere = create_engine("postgresql+psycopg://nobody@/nothing?host=/nowhere")
    away = replace(world.provider, begin=sessionmaker(nowhere).begin)
    form = {"grant_type": "refresh_token", "refresh_token": token, **proof(to)}
    with served(mounted(away)) as url:
        refused = httpx2.post(f"{url}/oidc/token", data=form)
    told(refused, 503, "temporarily_unavailable")
    assert refused.headers["retry-after"]
    world.clock.now += GRACE + timedelta(seconds=1)
    assert refresh(world, to, token).status_code == 200


def test_what_a_revocation_kills_never_outlives_it() -> None:
    assert revocations.LIVES["session"] >= LIFETIME
    assert revocations.LIVES["token"] >= LIFETIME
    assert revocations.LIVES["grant"] >= LONGEST
