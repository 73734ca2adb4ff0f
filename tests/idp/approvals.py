"""What people allowed clients, and the tokens that come of it, without the pages in between."""

from dataclasses import replace

import httpx2

from idp import clients, entitlements, refresh_tokens, sessions, tokens
from idp.approval import Approval
from idp.clients import Client
from idp.vocabulary import AuthMethod, GrantType, Realm
from tests.idp.world import World

SECRET = "a-secret-that-is-told-only-once"
LICENCES = "https://licences.example/api"
TAX = "https://tax.example/api"

Form = dict[str, str]


def portal(world: World, client_id: str = "portal-a", **changed: object) -> Client:
    """Register a portal that refreshes; it proves itself with `client_secret_post`."""
    asked: dict[str, object] = {
        "client_id": client_id,
        "client_secret": SECRET,
        "auth_method": AuthMethod.POST,
        "grant_types": (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        "scopes": ("openid", "profile", "phone", "offline_access"),
    }
    world.client(**(asked | changed))
    return client(world, client_id)


def client(world: World, client_id: str) -> Client:
    """The client as it is registered."""
    with world.begin() as tx:
        found = clients.find(tx, client_id)
    assert found is not None
    return found


def approval(world: World, to: Client, subject: str, **changed: object) -> Approval:
    """Let a person sign in and allow the client what it asks for."""
    with world.begin() as tx:
        opened = sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, ("pwd",))
    given = Approval(
        grant_id=world.provider.handle(16),
        client_id=to.client_id,
        realm=Realm.CITIZEN,
        subject=subject,
        sid=opened.session.sid,
        signed_in_at=opened.session.signed_in_at,
        methods=("pwd",),
        level=1,
        scopes=("openid", "profile"),
        nonce="n-1",
    )
    return replace(given, **changed)  # type: ignore[arg-type]


def refresh_token(world: World, given: Approval) -> str:
    """The first refresh token of an approval."""
    with world.begin() as tx:
        return refresh_tokens.issue(tx, world.provider, given)


def access_token(world: World, to: Client, given: Approval) -> str:
    """An access token of an approval."""
    with world.begin() as tx:
        entitlement = entitlements.of_person(tx, world.provider, to, given)
    return tokens.mint(world.provider, entitlement).access_token


def proof(of: Client) -> Form:
    """How the client proves itself in a form."""
    secret = {} if of.is_public else {"client_secret": SECRET}
    return {"client_id": of.client_id, **secret}


def post(world: World, path: str, form: Form, **more: object) -> httpx2.Response:
    """Send a form to an endpoint; nothing of the answer may be stored."""
    response = httpx2.post(f"{world.issuer}{path}", data=form, timeout=60, **more)  # type: ignore[arg-type]
    assert response.headers["cache-control"] == "no-store"
    return response


def told(response: httpx2.Response, status: int, error: str) -> None:
    """See that a refusal is OAuth's JSON (RFC 6749 §5.2)."""
    assert (response.status_code, response.json()["error"]) == (status, error), response.text
    assert response.headers["content-type"] == "application/json"
