"""Clients and staff accounts as they are opened, and what is refused there."""

import pytest

from idp import clients, consents, staff
from idp.client_errors import ClientExists, ClientMetadataWrong
from idp.client_metadata import Consent
from idp.sign_in_errors import PasswordWeak
from idp.staff_errors import RoleUnknown, StaffNameTaken
from idp.staffing.roles import ROLE_SCOPES
from idp.vocabulary import LICENCE_SCOPES, STAFF_SCOPES, AuthMethod
from keys.identity_numbers import NumberWrong
from tests.idp.approvals import approval, portal, post, proof, refresh_token
from tests.idp.world import BODY, PASSWORD, World


def test_a_secret_is_told_once_and_kept_as_a_fingerprint(world: World) -> None:
    registered = world.client()
    secret = str(registered.client_secret)
    assert secret not in repr(registered)
    with world.begin() as tx:
        kept = clients.find(tx, "portal-a")
    assert kept is not None
    assert secret.encode() not in (kept.secret_fingerprint or b"")


def test_an_identifier_is_made_when_none_is_given(world: World) -> None:
    registered = world.client(client_id=None)
    with world.begin() as tx:
        assert clients.find(tx, registered.client_id) is not None


def test_whoever_gets_the_identifier_of_a_removed_client_begins_anew(world: World) -> None:
    to, subject = portal(world, consent=Consent.BY_PERSON), world.register()
    token = refresh_token(world, approval(world, to, subject))
    with world.begin() as tx:
        consents.give(tx, world.provider, subject, to.client_id, ["profile"])
    with world.begin() as tx:
        clients.remove(tx, world.provider, to.client_id, by="test")
    again = portal(world, consent=Consent.BY_PERSON)
    form = {"grant_type": "refresh_token", "refresh_token": token, **proof(again)}
    assert post(world, "/token", form).json()["error"] == "invalid_grant"
    with world.begin() as tx:
        assert consents.missing(tx, again, subject, ["profile"]) == ("profile",)
        assert consents.given(tx, subject) == []


def test_an_identifier_is_registered_once(world: World) -> None:
    world.client()
    with pytest.raises(ClientExists):
        world.client()


@pytest.mark.parametrize(
    "uri",
    [
        "portal.example/callback",
        "http://portal.example/callback",
        "https://portal.example/callback#part",
        "https://user@portal.example/callback",
        "javascript:alert(1)",
        "http://127.0.0.1.evil.example/",
    ],
)
def test_a_redirect_uri_must_be_safe_to_follow(world: World, uri: str) -> None:
    with pytest.raises(ClientMetadataWrong) as refused:
        world.client(redirect_uris=(uri,))
    assert refused.value.parameters["field"] == "redirect_uris"


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:8000/cb", "http://localhost/cb", "http://[::1]:8000/cb"]
)
def test_the_loopback_may_be_plain_http(world: World, uri: str) -> None:
    world.client(redirect_uris=(uri,))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"redirect_uris": ()}, "redirect_uris"),
        ({"realm": None}, "realm"),
        ({"scopes": ("openid", "everything")}, "scope"),
        ({"scopes": ("openid", "licence.read")}, "resources"),
        ({"client_id": "has space"}, "client_id"),
    ],
)
def test_metadata_that_cannot_work_is_named(
    world: World, changed: dict[str, object], field: str
) -> None:
    with pytest.raises(ClientMetadataWrong) as refused:
        world.client(**changed)
    assert refused.value.parameters["field"] == field


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"organisation": None}, "organisation"),
        ({"auth_method": AuthMethod.NONE}, "token_endpoint_auth_method"),
    ],
)
def test_a_machine_needs_a_secret_and_a_body_it_speaks_for(
    world: World, changed: dict[str, object], field: str
) -> None:
    with pytest.raises(ClientMetadataWrong) as refused:
        world.machine(**changed)
    assert refused.value.parameters["field"] == field


def test_roles_give_scopes_and_only_known_ones() -> None:
    assert frozenset().union(*ROLE_SCOPES.values()) <= set(STAFF_SCOPES)


def test_a_member_of_staff_has_the_scopes_of_all_roles(world: World) -> None:
    subject = world.clerk("both", "licence-officer", "case-reviewer")
    with world.begin() as tx:
        member = staff.member(tx, world.provider, subject)
    assert member.organisation == BODY
    assert member.scopes == set(LICENCE_SCOPES)


def opening(**changed: object) -> staff.Opening:
    asked: dict[str, object] = {
        "username": "zhou.yuan",
        "name": "周远",
        "organisation": BODY,
        "roles": ("licence-clerk",),
        "password": PASSWORD,
    }
    return staff.Opening(**(asked | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"roles": ("emperor",)}, RoleUnknown),
        ({"password": "short"}, PasswordWeak),
        ({"password": "my zhou.yuan!"}, PasswordWeak),
        ({"organisation": "11990100MBXX90018A"}, NumberWrong),
    ],
)
def test_a_staff_account_that_cannot_be_is_refused(
    world: World, changed: dict[str, object], error: type[Exception]
) -> None:
    with world.begin() as tx, pytest.raises(error):
        staff.open_account(tx, world.provider, opening(**changed))


def test_a_user_name_is_one_members(world: World) -> None:
    world.clerk()
    with pytest.raises(StaffNameTaken):
        world.clerk()


def test_the_issuer_itself_is_no_resource(world: World) -> None:
    with pytest.raises(ClientMetadataWrong) as refused:
        world.machine(resources=(f"{world.provider.public_url}/api/licences", world.issuer))
    assert refused.value.parameters["field"] == "resources"
