"""The licence API: who may call what, the shape of answers, and the status of every refusal."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from keys.access_token import Caller, ScopeMissing
from keys.errors import DomainError
from keys.jose import TokenBadSignature
from keys.step_up import SignInInsufficient
from license_store import sealing
from license_store.errors import TokenMissing
from license_store.http import ERROR_STATUS, app
from license_store.sealing import SealedFiles
from tests.license_store.world import (
    COMPANY,
    FOOD,
    FOOD_FIELDS,
    HOUSING,
    MARKET,
    PERMIT,
    PERSON,
    REVIEWER,
    World,
)

STATUS = {
    **ERROR_STATUS,
    TokenBadSignature.code: 401,
    SignInInsufficient.code: 401,
    ScopeMissing.code: 403,
}
SCOPES = {
    "market": (MARKET.uscc, "licence.issue licence.revoke licence.read"),
    "housing": (HOUSING.uscc, "licence.issue licence.revoke licence.read"),
    "reviewer": (REVIEWER, "licence.lookup"),
    "nobody": (MARKET.uscc, ""),
    "late": (MARKET.uscc, "licence.revoke"),
    "machine": (MARKET.uscc, "licence.revoke"),
}
CASE: dict[str, Any] = {
    "type_code": FOOD,
    "case": {"number": "SPJY-2025-1", "decision": "approved", "decided_on": "2025-05-30"},
    "holders": [{"name": COMPANY.name, "number_type": "001", "number": COMPANY.number}],
    "fields": dict(FOOD_FIELDS),
}
LOOKUP: dict[str, Any] = {
    "holder": {"number_type": "001", "number": COMPANY.number},
    "type_code": FOOD,
    "purpose": "核对经营资格",
    "case_number": "SC-2025-9",
}


def callers(now: Callable[[], datetime]) -> Callable[[Request], Caller]:
    """Clerks who signed in ten minutes ago, and one who did so fifteen minutes ago."""

    def check(request: Request) -> Caller:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            raise TokenMissing
        if token not in SCOPES:
            raise TokenBadSignature
        organisation, scopes = SCOPES[token]
        client = token if token == "machine" else "desk"
        ago = timedelta(minutes=15 if token == "late" else 10)
        signed_in_at = None if token == "machine" else now() - ago
        allowed = frozenset(scopes.split())
        return Caller(token, client, allowed, organisation, 0, {}, signed_in_at=signed_in_at)

    return check


def told(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError)
    return JSONResponse({"code": error.code, **error.parameters}, STATUS[error.code])


@pytest.fixture
def client(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of the API; sealing is cheap here, `test_sealing` does it for real."""
    files = {kind: f"{kind} bytes".encode() for kind in ("data", "ofd", "pdf", "png")}
    made = SealedFiles("https://licences.example.cn/v#code", files)
    monkeypatch.setattr(sealing, "make_files", lambda *_: made)
    api = app(world.desk, callers(world.desk.clock))
    api.add_exception_handler(DomainError, told)
    with TestClient(api) as client:
        yield client


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def post_case(client: TestClient, who: str = "market", **changes: Any) -> Any:
    return client.post("/licences", json=CASE | changes, headers=bearer(who))


def test_a_case_becomes_a_licence_that_can_be_read(client: TestClient) -> None:
    made = post_case(client)
    assert made.status_code == 201
    licence = made.json()
    assert licence["state"] == "valid"
    assert licence["state_code"] == "01"
    assert licence["holders"][0]["number_masked"] == COMPANY.number
    assert {file["kind"] for file in licence["files"]} == {"data", "ofd", "pdf", "png"}
    got = client.get(f"/licences/{licence['identifier']}", headers=bearer("market"))
    assert got.json() == licence


def test_the_same_case_again_answers_with_the_same_licence(client: TestClient) -> None:
    first = post_case(client)
    again = post_case(client)
    assert again.status_code == 200
    assert again.json() == first.json()


def test_a_persons_id_number_is_masked(client: TestClient) -> None:
    holder = {"name": PERSON.name, "number_type": "111", "number": PERSON.number}
    answer = post_case(client, holders=[holder])
    assert answer.status_code == 201
    assert PERSON.number not in answer.text


def test_a_licence_whose_sealing_failed_is_sealed_when_asked_for_again(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> SealedFiles:
        raise OSError("no space left")

    with monkeypatch.context() as dying:
        dying.setattr(sealing, "make_files", die)
        with pytest.raises(OSError, match="no space left"):
            post_case(client)
    again = post_case(client)
    assert again.status_code == 200
    assert again.json()["state"] == "valid"


@pytest.mark.parametrize(
    ("who", "changes", "status", "code"),
    [
        ("market", {"type_code": "0" * 21}, 422, "licence.type.unknown"),
        ("market", {"type_code": PERMIT}, 403, "licence.type.not_allowed"),
        ("housing", {}, 403, "licence.type.not_allowed"),
        ("reviewer", {}, 403, "token.scope_missing"),
        ("forger", {}, 401, "token.bad_signature"),
        ("market", {"fields": {}}, 422, "licence.fields.wrong"),
        ("market", {"case": CASE["case"] | {"decision": "pending"}}, 409, "licence.case.undecided"),
    ],
)
def test_a_refusal_has_its_code_and_status(
    client: TestClient, who: str, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = post_case(client, who, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_call_without_a_token_is_refused(client: TestClient) -> None:
    calls = [
        client.post("/licences", json=CASE),
        client.get("/licences/x"),
        client.get("/licences/x/files/ofd"),
        client.post("/licences/x/revocation", json={"kind": "吊销", "reason": "x"}),
        client.post("/lookups", json=LOOKUP),
    ]
    assert {(c.status_code, c.json()["code"]) for c in calls} == {(401, "token.missing")}


def test_every_malformed_field_is_listed(client: TestClient) -> None:
    wrong = {
        "type_code": "x",
        "case": {"number": " ", "decision": "maybe", "decided_on": "2025-02-30"},
        "holders": [{"name": "a\x00b", "number_type": "1", "number": ""}],
        "fields": {"a": 1},
        "colour": "red",
    }
    answer = client.post("/licences", json=wrong, headers=bearer("market"))
    assert answer.status_code == 422
    assert {".".join(map(str, fault["loc"][1:])) for fault in answer.json()["detail"]} == {
        "type_code",
        "case.number",
        "case.decision",
        "case.decided_on",
        "holders.0.name",
        "holders.0.number_type",
        "holders.0.number",
        "fields.a",
        "colour",
    }


def test_files_are_for_the_body_that_issued(client: TestClient) -> None:
    identifier = post_case(client).json()["identifier"]
    got = client.get(f"/licences/{identifier}/files/ofd", headers=bearer("market"))
    assert got.content == b"ofd bytes"
    assert got.headers["Content-Type"] == "application/ofd"
    assert got.headers["Content-Disposition"] == f'attachment; filename="{identifier}.ofd"'
    for path in (f"/licences/{identifier}", f"/licences/{identifier}/files/pdf"):
        assert client.get(path, headers=bearer("housing")).status_code == 403
        assert client.get(path, headers=bearer("reviewer")).status_code == 403
    wrong = client.get(f"/licences/{identifier}/files/exe", headers=bearer("market"))
    assert wrong.status_code == 422


def test_a_revoked_licence_is_told_by_a_new_status_list_at_once(client: TestClient) -> None:
    identifier = post_case(client).json()["identifier"]
    before = client.get("/status-lists/1")
    assert before.headers["Content-Type"] == "application/statuslist+jwt"
    unchanged = client.get("/status-lists/1", headers={"If-None-Match": before.headers["ETag"]})
    assert unchanged.status_code == 304

    wish = {"kind": "吊销", "reason": "严重违法"}
    ended = client.post(f"/licences/{identifier}/revocation", json=wish, headers=bearer("market"))
    assert ended.status_code == 200
    assert (ended.json()["state"], ended.json()["ended_reason"]) == ("revoked", "严重违法")
    after = client.get("/status-lists/1", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.text != before.text

    other = {"kind": "注销", "reason": "申请"}
    again = client.post(f"/licences/{identifier}/revocation", json=other, headers=bearer("market"))
    assert (again.status_code, again.json()["code"]) == (409, "licence.move.not_allowed")


@pytest.mark.parametrize(
    ("who", "identifier", "status"),
    [
        ("housing", "", 403),
        ("nobody", "", 403),
        ("market", "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0", 404),
        ("market", "nonsense", 422),
    ],
)
def test_ending_a_licence_is_refused(
    client: TestClient, who: str, identifier: str, status: int
) -> None:
    identifier = identifier or post_case(client).json()["identifier"]
    answer = client.post(
        f"/licences/{identifier}/revocation",
        json={"kind": "吊销", "reason": "x"},
        headers=bearer(who),
    )
    assert answer.status_code == status


def test_who_ends_a_licence_signed_in_lately_and_a_machine_signs_in_nowhere(
    client: TestClient,
) -> None:
    path = f"/licences/{post_case(client).json()['identifier']}/revocation"
    wish = {"kind": "吊销", "reason": "x"}
    late = client.post(path, json=wish, headers=bearer("late"))
    assert (late.status_code, late.json()["code"]) == (401, "token.sign_in_insufficient")
    assert late.json()["max_age"] == 900
    assert client.post(path, json=wish, headers=bearer("machine")).status_code == 200


def test_an_unknown_status_list_is_not_found(client: TestClient) -> None:
    assert client.get("/status-lists/1").json()["code"] == "status_list.unknown"
    assert client.get("/status-lists/0").status_code == 422


def test_a_lookup_finds_and_says_as_of_when(client: TestClient, world: World) -> None:
    identifier = post_case(client).json()["identifier"]
    answer = client.post("/lookups", json=LOOKUP, headers=bearer("reviewer"))
    assert answer.status_code == 200
    assert [one["identifier"] for one in answer.json()["licences"]] == [identifier]
    assert answer.json()["licences"][0]["in_force"] is True
    assert answer.json()["as_of"] == world.clock.now.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("who", "changes", "status", "code"),
    [
        ("reviewer", {"type_code": PERMIT}, 403, "lookup.no_right"),
        ("market", {}, 403, "token.scope_missing"),
        (
            "reviewer",
            {"holder": {"number_type": "001", "number": "91990100MAXX90057D"}},
            422,
            "lookup.number_wrong",
        ),
    ],
)
def test_a_lookup_is_refused(
    client: TestClient, who: str, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/lookups", json=LOOKUP | changes, headers=bearer(who))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("missing", ["purpose", "case_number", "holder", "type_code"])
def test_a_lookup_without_a_stated_reason_is_malformed(client: TestClient, missing: str) -> None:
    asked = {name: value for name, value in LOOKUP.items() if name != missing}
    assert client.post("/lookups", json=asked, headers=bearer("reviewer")).status_code == 422
    blank = client.post("/lookups", json=LOOKUP | {missing: "  "}, headers=bearer("reviewer"))
    assert blank.status_code == 422


def test_the_types_are_public_and_name_their_fields(client: TestClient) -> None:
    types = {one["code"]: one for one in client.get("/types").json()}
    assert set(types) == {FOOD, PERMIT}
    assert {field["name"] for field in types[FOOD]["fields"]} == set(FOOD_FIELDS)


def test_every_refusal_of_the_store_has_a_status() -> None:
    from license_store import errors

    codes = {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, DomainError) and error is not DomainError
    }
    assert codes <= set(ERROR_STATUS)


def test_a_token_life_is_longer_than_its_renewal() -> None:
    from license_store.status_publishing import RENEW_BEFORE_END, TOKEN_LIFE

    assert timedelta(0) < RENEW_BEFORE_END < TOKEN_LIFE
