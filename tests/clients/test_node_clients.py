"""Clients from npm that nobody here wrote, through the whole protocol against the running service."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from idp import clients
from idp.client_metadata import Consent
from idp.clients import Registration
from idp.levels import NATURAL
from idp.vocabulary import AuthMethod, GrantType, Realm
from service import sandbox_citizen
from service.seed import REVIEWER
from tests.rig import Rig

FOLDER = Path(__file__).parent
NODE = shutil.which("node")
CALLBACK = "http://127.0.0.1:8199/callback"
GOODBYE = "http://127.0.0.1:8199/goodbye"
_EVERYTHING = ("openid", "profile", "email", "phone", "address", "offline_access")

pytestmark = pytest.mark.skipif(
    NODE is None or not (FOLDER / "node_modules").is_dir(),
    reason="needs node, and `npm ci` in tests/clients",
)


def portal(rig: Rig, name: str, **changes: Any) -> dict[str, str]:
    """Register a portal that is no portal of the government: people are asked."""
    asked: dict[str, Any] = {
        "client_id": name,
        "name_zh": "第三方应用",
        "name_en": "Somebody's app",
        "consent": Consent.BY_PERSON,
        "realm": Realm.CITIZEN,
        "grant_types": (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        "scopes": _EVERYTHING,
        "redirect_uris": (CALLBACK,),
        "post_logout_redirect_uris": (GOODBYE,),
    }
    with rig.world.begin() as tx:
        registered = clients.register(tx, rig.world.provider, Registration(**(asked | changes)))
    return {
        "client_id": registered.client_id,
        "client_secret": registered.client_secret or "",
        "redirect_uri": CALLBACK,
        "post_logout_redirect_uri": GOODBYE,
    }


def walk(rig: Rig, script: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Run a script and return what it saw."""
    person = {"username": sandbox_citizen.USERNAME, "password": sandbox_citizen.PASSWORD}
    argument = {"issuer": rig.world.provider.issuer, "person": person, **told}
    done = subprocess.run(
        [str(NODE), script, json.dumps(argument)],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_openid_client_walks_through_the_whole_protocol(rig: Rig) -> None:
    seen = walk(
        rig,
        "openid_client.mjs",
        {
            "portal": portal(rig, "app"),
            "dpop": portal(rig, "bound-app", dpop_bound_access_tokens=True),
            "highest": NATURAL[-1].acr,
        },
    )
    assert seen["pages_first"] == ["/login", "/consent"]
    assert seen["acr"] == NATURAL[1].acr
    assert seen["userinfo"]["email"] == sandbox_citizen.PROFILE["email"]
    assert seen["reuse"] == "invalid_grant"
    assert seen["after_reuse"] is False
    assert seen["pages_again"] == []
    assert seen["same_auth_time"]
    assert seen["introspection"] == {"active": True, "client_id": "app", "sub_is_ours": True}
    assert seen["refresh_rotates"]
    assert seen["refresh_grace_same"]
    assert seen["after_revocation"] == "invalid_grant"
    assert seen["pushed"]
    assert seen["prompt_none"]
    assert seen["prompt_none_stranger"] == "login_required"
    assert seen["pages_max_age"] == ["/login"]
    assert seen["auth_time_moved_or_same"]
    assert seen["unmet"] == "unmet_authentication_requirements"
    assert seen["claims_parameter"]
    assert seen["token_type"].lower() == "dpop"
    assert seen["dpop_userinfo"]
    assert seen["dpop_without_proof"] != "accepted"
    assert seen["logged_out"] == "?state=bye"
    assert seen["after_logout"] == "login_required"
    rig.check_everything()


def test_oauth4webapi_finds_nothing_wrong_with_any_answer(rig: Rig) -> None:
    seen = walk(
        rig,
        "oauth4webapi.mjs",
        {
            "portal": portal(rig, "strict-app"),
            "machine": {
                "client_id": REVIEWER.client_id,
                "client_secret": REVIEWER.client_secret,
                "scope": "licence.lookup",
            },
            "device": portal(
                rig,
                "kiosk",
                auth_method=AuthMethod.NONE,
                grant_types=(GrantType.DEVICE_CODE,),
                redirect_uris=(),
                post_logout_redirect_uris=(),
            ),
        },
    )
    assert seen["both_metadata"]
    assert seen["machine"].lower() == "bearer"
    assert seen["introspected"]
    assert seen["introspected_signed"]
    assert seen["after_revocation"] is False
    assert seen["code"].lower() == "dpop"
    assert seen["refreshed"].lower() == "dpop"
    assert seen["name"] == "顾平"
    assert {"device_code", "user_code", "verification_uri"} <= set(seen["device"])
    assert seen["device_pending"] == "authorization_pending"
    rig.check_everything()
