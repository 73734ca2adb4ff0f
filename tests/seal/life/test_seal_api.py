"""The seal API: who takes which step for whom, what is told of a seal, and the status of every refusal."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from keys import vault
from keys.algorithms import Purpose
from seal.life import destroying
from seal.seal_states import SealState
from tests.seal.life.life_world import MAKING, REGISTRAR, WHY, World
from tests.seal.life.seal_api import APPLICATION, SYSTEM, Desk
from tests.seals import APPLICANT, KEEPER, MAKER, REVIEWER

TO_MAKE = (vault.USE, vault.subject(Purpose.SEAL_MAKER, MAKER))


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    desk = Desk(world)
    with desk.http:
        yield desk


def drafted(desk: Desk, **changes: object) -> str:
    made = desk.call(APPLICANT, "POST", "/register", 201, json={**APPLICATION, **changes})
    return str(made["id"])


def seal_in(desk: Desk, state: SealState) -> str:
    return str(desk.world.seal_in(state))


def test_a_seal_goes_the_whole_way_over_the_api(desk: Desk) -> None:
    seal = drafted(desk)
    assert desk.step(APPLICANT, seal, "submission")["state"] == "submitted"
    approved = desk.step(REVIEWER, seal, "approval", reason=WHY)
    assert len(approved["esid"]) == 14
    desk.agreed.add(TO_MAKE)
    assert desk.step(MAKING, seal, "making")["state"] == "made"
    assert len(desk.step(REGISTRAR, seal, "record")["record_number"]) == 16
    assert desk.step(REGISTRAR, seal, "issue")["state"] == "issued"
    in_use = desk.step(KEEPER, seal, "acceptance")
    assert [event["state"] for event in in_use["history"]] == [
        "draft",
        "submitted",
        "approved",
        "made",
        "recorded",
        "issued",
        "in-use",
    ]
    assert in_use["history"][2]["by"] == REVIEWER
    status = desk.call("nobody", "GET", f"/{in_use['esid']}/status")
    assert status["now"]["state"] == "in-use"
    assert KEEPER not in str(status)


@pytest.mark.parametrize(
    ("who", "state", "step", "told"),
    [
        (REVIEWER, SealState.DRAFT, "submission", {}),
        (APPLICANT, SealState.SUBMITTED, "approval", {"reason": WHY}),
        (APPLICANT, SealState.SUBMITTED, "rejection", {"reason": WHY}),
        (REVIEWER, SealState.APPROVED, "making", {}),
        (MAKING, SealState.MADE, "record", {}),
        (KEEPER, SealState.RECORDED, "issue", {}),
        (REGISTRAR, SealState.ISSUED, "acceptance", {}),
        (REVIEWER, SealState.IN_USE, "suspension", {"reason": WHY}),
        (KEEPER, SealState.IN_USE, "destruction", {"reason": WHY}),
        (REGISTRAR, SealState.SUSPENDED, "resumption", {"reason": WHY}),
        (KEEPER, SealState.SUSPENDED, "keeper", {"reason": WHY, "keeper": "another"}),
        (KEEPER, SealState.IN_USE, "successor", {"until": "2027-01-01T00:00:00Z"}),
    ],
)
def test_each_step_is_for_its_own_role_and_body(
    desk: Desk, who: str, state: SealState, step: str, told: dict[str, str]
) -> None:
    seal = seal_in(desk, state)
    for caller in (who, "nobody"):
        assert desk.step(caller, seal, step, 403, **told)["code"] == "token.scope_missing"
    assert desk.step("elsewhere", seal, step, 403, **told)["code"] == "seal.out_of_reach"
    assert desk.world.state(UUID(seal)) is state


def test_nobody_applies_for_another_body(desk: Desk) -> None:
    refused = desk.call("elsewhere", "POST", "/register", 403, json=APPLICATION)
    assert refused["code"] == "seal.out_of_reach"


def test_nobody_reviews_their_own_application(desk: Desk) -> None:
    made = desk.call("everything", "POST", "/register", 201, json=APPLICATION)
    desk.step("everything", made["id"], "submission")
    refused = desk.step("everything", made["id"], "approval", 403, reason=WHY)
    assert refused["code"] == "seal.reviewed_by_applicant"


def test_an_application_tells_every_field_that_is_wrong(desk: Desk) -> None:
    wrong = {**APPLICATION, "name": "", "width": 900, "until": "2001-01-01T00:00:00Z"}
    refused = desk.call(APPLICANT, "POST", "/register", 422, json=wrong)
    assert refused["fields"].split(", ") == ["name", "until", "width"]


def test_a_rejected_application_is_amended_and_handed_in_again(desk: Desk) -> None:
    seal = drafted(desk)
    desk.step(APPLICANT, seal, "submission")
    desk.step(REVIEWER, seal, "rejection", reason=WHY)
    named = {**APPLICATION, "legal_basis": "示例依据第二条"}
    amended = desk.call(APPLICANT, "PUT", f"/register/{seal}", json=named)
    assert amended["legal_basis"] == "示例依据第二条"
    assert desk.step(APPLICANT, seal, "submission")["state"] == "submitted"


def test_a_seal_is_made_by_a_standing_agreement_which_is_spent(desk: Desk) -> None:
    first, second = (seal_in(desk, SealState.APPROVED) for _ in range(2))
    refused = desk.step(MAKING, first, "making", 409)
    assert (refused["action"], refused["subject"]) == TO_MAKE
    desk.agreed.add(TO_MAKE)
    desk.step(MAKING, first, "making")
    assert desk.step(MAKING, second, "making", 409)["code"] == "consent.missing"


def test_a_seal_is_destroyed_when_two_agreed_to_that_of_every_key(desk: Desk) -> None:
    seal = seal_in(desk, SealState.IN_USE)
    with desk.world.begin() as tx:
        one, other = destroying.subjects_of(tx, desk.world.desk, UUID(seal))
    desk.agreed.add((vault.DESTROY, one))
    assert desk.step(REGISTRAR, seal, "destruction", 409, reason=WHY)["code"] == "consent.missing"
    desk.agreed |= {(vault.DESTROY, one), (vault.DESTROY, other)}
    ended = desk.step(REGISTRAR, seal, "destruction", reason=WHY)
    assert ended["state"] == "destroyed"
    assert ended["history"][-1]["witness"] == "first, second"


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (SealState.ISSUED, "acceptance"),
        (SealState.SUSPENDED, "resumption"),
        (SealState.LOST, "finding"),
    ],
)
def test_the_keeper_comes_in_person_and_signed_in_lately(
    desk: Desk, state: SealState, step: str
) -> None:
    seal = seal_in(desk, state)
    told: dict[str, Any] = {} if step == "acceptance" else {"reason": WHY}
    refused = desk.step("late-keeper", seal, step, 401, **told)
    assert refused["code"] == "token.sign_in_insufficient"
    assert desk.step(KEEPER, seal, step, **told)["state"] == "in-use"


def test_a_seal_is_stopped_and_comes_back(desk: Desk) -> None:
    seal = seal_in(desk, SealState.IN_USE)
    assert desk.step(REGISTRAR, seal, "suspension", reason=WHY)["state"] == "suspended"
    assert desk.step(KEEPER, seal, "resumption", reason=WHY)["state"] == "in-use"
    now = desk.world.clock()
    later = (now + timedelta(hours=1)).isoformat()
    refused = desk.step(KEEPER, seal, "loss", 422, reason=WHY, since=later)
    assert refused["code"] == "seal.cut_off_wrong"
    assert desk.step(KEEPER, seal, "loss", reason=WHY, since=now.isoformat())["state"] == "lost"
    assert desk.step(KEEPER, seal, "finding", reason=WHY)["state"] == "in-use"


def test_a_stop_without_a_reason_is_refused(desk: Desk) -> None:
    seal = seal_in(desk, SealState.IN_USE)
    assert desk.step(KEEPER, seal, "suspension", 422, reason=" ")["code"] == "seal.reason_missing"


def test_another_keeper_takes_a_suspended_seal_over(desk: Desk) -> None:
    seal = seal_in(desk, SealState.SUSPENDED)
    told = desk.step(REGISTRAR, seal, "keeper", reason=WHY, keeper="another")
    assert told["keeper"] == "another"
    assert desk.step(KEEPER, seal, "resumption", 403, reason=WHY)["code"] == "seal.not_the_keeper"


def test_a_successor_names_its_predecessor(desk: Desk) -> None:
    seal = seal_in(desk, SealState.IN_USE)
    until = APPLICATION["until"]
    new = desk.step(APPLICANT, seal, "successor", 201, until=until, name="示例市新章")
    assert (new["predecessor"], new["state"], new["name"]) == (seal, "submitted", "示例市新章")
    assert (
        desk.step(APPLICANT, seal, "successor", 409, until=until)["code"] == "seal.already_remade"
    )


def test_the_keeper_grants_and_ends_a_grant(desk: Desk) -> None:
    seal = seal_in(desk, SealState.IN_USE)
    wish = {
        "holder_kind": "system",
        "holder": SYSTEM,
        "until": (desk.world.clock() + timedelta(days=30)).isoformat(),
        "most": 10,
    }
    granted = desk.step(KEEPER, seal, "grants", 201, **wish)
    assert (granted["holder"], granted["used"], granted["ended_at"]) == (SYSTEM, 0, None)
    assert desk.step(REGISTRAR, seal, "grants", 403, **wish)["code"] == "token.scope_missing"
    assert desk.step(KEEPER, seal, "grants", 422, **{**wish, "most": 0})["field"] == "most"
    path = f"/register/{seal}/grants"
    desk.call(KEEPER, "DELETE", f"{path}/{granted['id']}", 204)
    (ended,) = desk.call(KEEPER, "GET", path)["grants"]
    assert ended["ended_at"]
    assert desk.call(KEEPER, "DELETE", f"{path}/{granted['id']}", 409)["code"] == "seal.grant.ended"
    assert desk.call(KEEPER, "DELETE", f"{path}/{uuid4()}", 404)["code"] == "seal.grant.unknown"


def test_the_register_is_turned_page_by_page_and_shown_to_its_bodies_only(desk: Desk) -> None:
    mine = [drafted(desk) for _ in range(3)]
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        query = {"state": "draft", "limit": "2", "after": after}
        page = desk.call(REVIEWER, "GET", "/register", params=query)
        found += [seal["id"] for seal in page["seals"]]
        after = page["next"]
    assert set(mine) <= set(found)
    assert len(found) == len(set(found))
    assert desk.call("elsewhere", "GET", "/register")["seals"] == []
    assert desk.call("elsewhere", "GET", f"/register/{mine[0]}", 403)["code"] == "seal.out_of_reach"
    assert desk.call("auditor", "GET", f"/register/{mine[0]}")["id"] == mine[0]


def test_a_picture_is_shown_to_those_who_see_the_seal(desk: Desk) -> None:
    path = f"/register/{drafted(desk)}/picture"
    answer = desk.http.get(path, headers={"Authorization": f"Bearer {REVIEWER}"})
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    desk.call("elsewhere", "GET", path, 403)


@pytest.mark.parametrize("path", ["/register", f"/register/{UUID(int=7)}"])
def test_the_register_is_for_those_who_show_a_token(desk: Desk, path: str) -> None:
    assert desk.http.get(path).status_code == 401


def test_what_there_is_not_is_not_found(desk: Desk) -> None:
    assert desk.call(KEEPER, "GET", f"/register/{uuid4()}", 404)["code"] == "seal.unknown"
    assert desk.call("nobody", "GET", "/99010000000000/status", 404)["code"] == "seal.unknown"


def test_the_status_is_told_as_of_a_moment(desk: Desk) -> None:
    seal = desk.world.seal_in(SealState.IN_USE)
    esid = desk.world.row(seal).esid
    begun = desk.world.clock()
    desk.world.clock.tick(days=1)
    desk.world.end(seal, SealState.SUSPENDED)
    path = f"/{esid}/status"
    before = desk.call("nobody", "GET", path, params={"at": begun.isoformat()})
    assert (before["then"]["state"], before["now"]["state"]) == ("in-use", "suspended")
    long_ago = desk.call("nobody", "GET", path, params={"at": "2001-01-01T00:00:00Z"})
    assert long_ago["then"] is None


@pytest.mark.parametrize("esid", ["%00", "9901%00", "%0a", "示例", "9" * 65])
@pytest.mark.parametrize("word", ["status", "signatures"])
def test_what_cannot_be_a_seals_number_is_refused_and_not_looked_up(
    desk: Desk, esid: str, word: str
) -> None:
    if word == "status":
        answer = desk.http.get(f"/{esid}/status")
    else:
        sent = {"data_hash": "A" * 43 + "=", "property_info": "/a", "reference": "A-1"}
        held = {"Authorization": f"Bearer {SYSTEM}"}
        answer = desk.http.post(f"/{esid}/signatures", headers=held, json=sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_time_at_the_ends_of_the_calendar_is_refused(desk: Desk, moment: str) -> None:
    """In another zone it is in no year at all; once kept, it would spoil every list it is in."""
    seal = seal_in(desk, SealState.IN_USE)
    desk.call("nobody", "GET", "/99010000000001/status", 422, params={"at": moment})
    desk.call(APPLICANT, "POST", "/register", 422, json={**APPLICATION, "until": moment})
    desk.step(APPLICANT, seal, "successor", 422, until=moment)
    desk.step(KEEPER, seal, "loss", 422, reason=WHY, since=moment)
    wish = {"holder_kind": "system", "holder": SYSTEM, "until": APPLICATION["until"]}
    desk.step(KEEPER, seal, "grants", 422, **{**wish, "since": moment})
    desk.step(KEEPER, seal, "grants", 422, **{**wish, "until": moment})


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "NaN", ""])
def test_a_status_is_asked_for_as_of_a_moment_with_its_zone(desk: Desk, at: str) -> None:
    desk.call("nobody", "GET", "/99010000000001/status", 422, params={"at": at})


@pytest.mark.parametrize("after", ["x", "1.x", "1e9.00000000-0000-4000-8000-000000000000", "\x00"])
def test_a_mark_of_no_page_is_refused_and_never_the_first_page_again(
    desk: Desk, after: str
) -> None:
    desk.call(REVIEWER, "GET", "/register", 422, params={"after": after})


def test_a_reason_is_text_that_can_be_kept(desk: Desk) -> None:
    seal = seal_in(desk, SealState.IN_USE)
    desk.step(KEEPER, seal, "suspension", 422, reason="a\x00b")
    desk.step(KEEPER, seal, "keeper", 422, reason="a\x00b", keeper="another")
    assert desk.world.state(UUID(seal)) is SealState.IN_USE
