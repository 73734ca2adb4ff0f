"""Clients that ask a person away from their browser, and the person who answers."""

from collections.abc import Callable
from typing import Any

import httpx2

from idp import deciding, sessions
from idp.levels import HIGHEST_STANDING
from idp.sessions import SignOn
from idp.vocabulary import AuthMethod, Delivery, GrantType, Realm
from tests.idp import standing
from tests.idp.approvals import SECRET, Form, post
from tests.idp.world import PEOPLE, World

NUMBER = PEOPLE["张䶮"].number
PHONE = "13800000001"


def kiosk(world: World, client_id: str = "kiosk", **changed: Any) -> Form:
    """Register a kiosk that anybody may take apart; return how it names itself."""
    asked: dict[str, Any] = {
        "client_id": client_id,
        "name_zh": "政务大厅自助终端",
        "name_en": "Service hall kiosk",
        "auth_method": AuthMethod.NONE,
        "grant_types": (GrantType.DEVICE_CODE,),
        "redirect_uris": (),
    }
    world.client(**(asked | changed))
    return {"client_id": client_id}


def clinic(world: World, client_id: str = "clinic", **changed: Any) -> Form:
    """Register a client that asks by CIBA; return what it proves itself with."""
    asked: dict[str, Any] = {
        "client_id": client_id,
        "client_secret": SECRET,
        "auth_method": AuthMethod.POST,
        "grant_types": (GrantType.CIBA,),
        "redirect_uris": (),
        "backchannel_token_delivery_mode": Delivery.POLL,
    }
    world.client(**(asked | changed))
    return {"client_id": client_id, "client_secret": SECRET}


def device(world: World, proof: Form, **sent: Any) -> httpx2.Response:
    """Ask for a device code."""
    return post(world, "/device_authorization", {"scope": "openid profile", **proof, **sent})


def asked(world: World, proof: Form, **sent: Any) -> httpx2.Response:
    """Ask for the person of the phone number."""
    form = {"scope": "openid profile", "login_hint": PHONE, **proof, **sent}
    return post(world, "/bc-authorize", {name: v for name, v in form.items() if v is not None})


def device_poll(world: World, proof: Form, device_code: str, **sent: str) -> httpx2.Response:
    """Ask whether the person has decided about a device."""
    form = {"grant_type": str(GrantType.DEVICE_CODE), "device_code": device_code}
    return post(world, "/token", {**form, **proof, **sent})


def ciba_poll(world: World, proof: Form, auth_req_id: str, **sent: str) -> httpx2.Response:
    """Ask whether the person has decided about a backchannel request."""
    form = {"grant_type": str(GrantType.CIBA), "auth_req_id": auth_req_id}
    return post(world, "/token", {**form, **proof, **sent})


def signed_on(world: World, subject: str, **changed: Any) -> SignOn:
    """Sign a person in, at a level that they stand on."""
    opening: dict[str, Any] = {"level": 1, "realm": Realm.CITIZEN} | changed
    if opening["level"] == HIGHEST_STANDING:
        standing.raised(world, subject)
    with world.begin() as tx:
        return sessions.open_session(
            tx,
            world.provider,
            opening["realm"],
            subject,
            ("pwd",),
            level=opening["level"],
        ).session


def decide(world: World, how: Callable[..., None], uid: str, session: SignOn) -> None:
    """Let the person press a button."""
    with world.begin() as tx:
        how(tx, world.provider, uid, session)


def waiting(world: World, session: SignOn) -> list[deciding.Question]:
    """What the person's page shows."""
    with world.begin() as tx:
        return deciding.questions(tx, world.provider, session)
