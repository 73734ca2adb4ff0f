"""The seal API with the tokens that the service gives: whose they are, for what, and how fresh."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from idp import clients, staff
from idp.clients import Registration
from idp.methods import totp
from idp.staff import Opening
from idp.staffing import appointments
from idp.vocabulary import GrantType, Realm, SubjectType
from seal.life import http, register
from seal.life.tables import SealRow
from seal.ses_reading import read_signature
from service.locale import LOCALES
from service.seed import (
    CLERK_PASSWORD,
    CLERK_TOTP,
    HOUSING,
    MARKET,
    REVIEWER,
    SEAL_DESK,
    STAMPING,
    SandboxClient,
)
from tests.browser import Browser
from tests.proving import Prover
from tests.rig import Rig

KEEPER = "seal-keeper-housing"
WHY = {"reason": "示例理由"}
DIGEST = {"data_hash": "A" * 43 + "=", "property_info": "/Doc_0/Signs/Sign_0/Signature.xml"}


def seal_of(rig: Rig, owner: str = HOUSING.uscc) -> SealRow:
    with rig.world.begin() as tx:
        return tx.scalars(select(SealRow).where(SealRow.owner == owner)).one()


def system_token(rig: Rig) -> str:
    return rig.client_token(STAMPING, "seal.stamp")


def staff_token(rig: Rig, username: str, scope: str, at: SandboxClient = SEAL_DESK) -> str:
    return token_of(rig.browser(), username, scope, at)


def token_of(
    browser: Browser, username: str, scope: str, at: SandboxClient = SEAL_DESK, **more: str
) -> str:
    asked = f"openid {scope}"
    return browser.authorize(at, asked, username, CLERK_PASSWORD, **more).access_token


def call(
    rig: Rig,
    token: str,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    **sent: Any,
) -> httpx2.Response:
    held = {"Authorization": f"Bearer {token}"} if token else {}
    return rig.http.request(
        method, f"/api/seals{path}", headers={**held, **(headers or {})}, **sent
    )


def stamp(rig: Rig, token: str, reference: str = "A-1", **changes: Any) -> httpx2.Response:
    wish = {**DIGEST, "reference": reference, **changes}
    return call(rig, token, "POST", f"/{seal_of(rig).esid}/signatures", json=wish)


def told(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def open_staff(rig: Rig, username: str, body: str, *roles: str) -> str:
    opening = Opening(username, "示例人", body, roles, CLERK_PASSWORD)
    with rig.world.begin() as tx:
        subject = staff.open_account(tx, rig.world.provider, opening)
        totp.keep(tx, rig.world.provider, Realm.STAFF, subject, CLERK_TOTP)
    return subject


def test_the_sandboxs_system_stamps_by_the_grant_it_was_seeded_with(rig: Rig) -> None:
    answer = stamp(rig, system_token(rig))
    assert answer.status_code == 200, answer.text
    assert read_signature(b64decode(answer.json()["signature"])).data_hash == bytes(32)
    usage = call(
        rig, staff_token(rig, KEEPER, "seal.keep"), "GET", f"/register/{seal_of(rig).id}/usage"
    )
    assert usage.json()["uses"][0]["by"] == STAMPING.client_id


def test_a_token_for_another_api_opens_nothing_here_nor_one_of_here_another(rig: Rig) -> None:
    assert told(stamp(rig, rig.client_token(REVIEWER)))[0] == 401
    held = {"Authorization": f"Bearer {system_token(rig)}"}
    assert told(rig.http.post("/api/licences/lookups", json={}, headers=held))[0] == 401


def test_a_seal_of_another_body_is_stamped_with_by_nobody_without_its_keepers_grant(
    rig: Rig,
) -> None:
    esid = seal_of(rig, MARKET.uscc).esid
    wish = {**DIGEST, "reference": "A-1"}
    refused = call(rig, system_token(rig), "POST", f"/{esid}/signatures", json=wish)
    assert told(refused) == (409, "seal.grant.missing")


def test_a_reference_is_not_used_again_for_another_digest(rig: Rig) -> None:
    token = system_token(rig)
    assert stamp(rig, token).status_code == 200
    other = stamp(rig, token, data_hash="B" * 43 + "=")
    assert told(other) == (409, "seal.reference_taken")


def test_staff_see_and_stop_the_seals_of_their_own_body_alone(rig: Rig) -> None:
    keeper = staff_token(rig, KEEPER, "seal.keep")
    listed = call(rig, keeper, "GET", "/register").json()["seals"]
    assert {seal["owner"] for seal in listed} == {HOUSING.uscc}
    other = seal_of(rig, MARKET.uscc).id
    for method, path, sent in (
        ("GET", f"/register/{other}", None),
        ("GET", f"/register/{other}/picture", None),
        ("GET", f"/register/{other}/usage", None),
        ("POST", f"/register/{other}/suspension", WHY),
    ):
        assert told(call(rig, keeper, method, path, json=sent)) == (403, "seal.out_of_reach")


def test_a_scope_in_the_token_is_worth_what_the_appointment_still_is(rig: Rig) -> None:
    keeper = staff_token(rig, KEEPER, "seal.keep")
    seal = seal_of(rig).id
    assert call(rig, keeper, "GET", f"/register/{seal}").status_code == 200
    with rig.world.begin() as tx:
        subject = staff.subject_of(tx, KEEPER)
        assert subject is not None
        appointments.end_all(tx, subject, rig.clock())
    assert told(call(rig, keeper, "GET", f"/register/{seal}")) == (403, "seal.out_of_reach")


def test_a_person_stamps_by_a_grant_of_their_own_while_they_are_appointed(rig: Rig) -> None:
    user = open_staff(rig, "seal-user-housing", HOUSING.uscc, "seal-user")
    token = staff_token(rig, "seal-user-housing", "seal.stamp")
    assert told(stamp(rig, token)) == (409, "seal.grant.missing")
    until = rig.clock() + timedelta(days=1)
    wish = {"holder_kind": "person", "holder": user, "until": until.isoformat()}
    path = f"/register/{seal_of(rig).id}/grants"
    granted = call(rig, staff_token(rig, KEEPER, "seal.keep"), "POST", path, json=wish)
    assert granted.status_code == 201, granted.text
    assert stamp(rig, token).status_code == 200
    with rig.world.begin() as tx:
        appointments.end_all(tx, user, rig.clock())
    assert told(stamp(rig, token, "A-2")) == (403, "seal.out_of_reach")


def test_a_client_with_subjects_of_its_own_acts_for_the_same_person(rig: Rig) -> None:
    blind = SandboxClient("blind-desk", "a-secret-of-the-blind-desk", "http://localhost:8199/back")
    with rig.world.begin() as tx:
        clients.register(
            tx,
            rig.world.provider,
            Registration(
                client_id=blind.client_id,
                client_secret=blind.client_secret,
                name_zh="示例",
                name_en="Example",
                grant_types=(GrantType.AUTHORIZATION_CODE,),
                scopes=("openid", "seal.keep"),
                realm=Realm.STAFF,
                redirect_uris=(blind.redirect_uri,),
                resources=(http.audience(rig.address),),
                subject_type=SubjectType.PAIRWISE,
            ),
        )
        keeper = staff.subject_of(tx, KEEPER)
    token = staff_token(rig, KEEPER, "seal.keep", blind)
    seal = seal_of(rig).id
    assert call(rig, token, "POST", f"/register/{seal}/suspension", json=WHY).status_code == 200
    with rig.world.begin() as tx:
        assert register.history(tx, seal)[-1].by == keeper


def test_who_signed_in_long_ago_stops_a_seal_and_does_not_bring_it_back(rig: Rig) -> None:
    browser, seal = rig.browser(), seal_of(rig).id
    token_of(browser, KEEPER, "seal.keep")
    rig.clock.tick(minutes=16)
    late = token_of(browser, KEEPER, "seal.keep")
    assert call(rig, late, "POST", f"/register/{seal}/suspension", json=WHY).status_code == 200
    refused = call(rig, late, "POST", f"/register/{seal}/resumption", json=WHY)
    assert told(refused) == (401, "token.sign_in_insufficient")
    assert "max_age" in refused.headers["WWW-Authenticate"]
    fresh = token_of(browser, KEEPER, "seal.keep", max_age="0")
    assert call(rig, fresh, "POST", f"/register/{seal}/resumption", json=WHY).status_code == 200


def test_an_auditor_reads_every_seal_and_changes_none(rig: Rig) -> None:
    open_staff(rig, "seal-auditor", "11990100MBXX90034B", "auditor")
    token = staff_token(rig, "seal-auditor", "journal.read")
    listed = call(rig, token, "GET", "/register").json()["seals"]
    assert {HOUSING.uscc, MARKET.uscc} <= {seal["owner"] for seal in listed}
    path = f"/register/{seal_of(rig).id}"
    assert call(rig, token, "GET", f"{path}/usage").status_code == 200
    refused = call(rig, token, "POST", f"{path}/suspension", json=WHY)
    assert told(refused) == (403, "token.scope_missing")


def test_a_bound_token_stamps_with_its_proof_and_not_without(rig: Rig) -> None:
    prover = Prover(rig.clock)
    answer = rig.http.post(
        "/oidc/token",
        data={"grant_type": "client_credentials", "scope": "seal.stamp"},
        auth=(STAMPING.client_id, STAMPING.client_secret),
        headers={"DPoP": prover.proof("POST", f"{rig.address}/oidc/token")},
    )
    token, path = answer.json()["access_token"], f"/{seal_of(rig).esid}/signatures"
    assert told(stamp(rig, token)) == (401, "token.of_another")
    proven = prover.headers("POST", f"{rig.address}/api/seals{path}", token)
    wish = {**DIGEST, "reference": "A-1"}
    assert call(rig, "", "POST", path, proven, json=wish).status_code == 200
    replayed = call(rig, "", "POST", path, proven, json=wish)
    assert replayed.status_code == 401


@pytest.mark.parametrize("locale", LOCALES)
def test_every_refusal_is_a_problem_told_in_the_callers_language(rig: Rig, locale: str) -> None:
    token, esid = system_token(rig), seal_of(rig).esid
    places = '[{"by": "position", "x": 1, "y": 1}]'
    form = {"reference": "A-1", "places": places}
    refusals: list[tuple[int, str, str, str, str, dict[str, Any]]] = [
        (401, "token.missing", "", "GET", "/register", {}),
        (403, "token.scope_missing", token, "GET", "/register", {}),
        (404, "seal.unknown", "", "GET", "/00000000000000/status", {}),
        (422, "request.invalid", "", "GET", f"/{esid}/status?at=yesterday", {}),
        (422, "request.invalid", "", "GET", "/%00/status", {}),
        (404, "request.not_found", "", "GET", "/nothing", {}),
        (405, "request.method_not_allowed", "", "PATCH", f"/{esid}/status", {}),
        (422, "request.invalid", token, "POST", f"/{esid}/signatures", {"json": {}}),
        (422, "request.invalid", token, "POST", f"/{esid}/signatures", {"content": b"{"}),
        (415, "file.not_an_ofd", token, "POST", f"/{esid}/documents", upload(b"GIF89a", form)),
        (
            422,
            "request.invalid",
            token,
            "POST",
            f"/{esid}/documents",
            upload(b"GIF89a", {**form, "places": "["}),
        ),
        (
            413,
            "seal.document_too_large",
            token,
            "POST",
            f"/{esid}/documents",
            upload(bytes(2**24 + 1), form),
        ),
        (
            413,
            "request.too_large",
            token,
            "POST",
            f"/{esid}/documents",
            upload(bytes(22 * 2**20), form),
        ),
    ]
    for status, code, held, method, path, sent in refusals:
        answer = call(rig, held, method, path, {"Accept-Language": locale}, **sent)
        assert told(answer) == (status, code), (path, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["Content-Language"] == locale
        problem = answer.json()
        assert problem["detail"]
        assert problem["detail"].isascii() == (locale == "en"), problem


def upload(content: bytes, form: dict[str, str]) -> dict[str, Any]:
    return {"files": {"document": ("document", content)}, "data": form}
