"""A provisioning system opens, moves and closes staff through a SCIM client that nobody here wrote."""

import json
from datetime import timedelta
from typing import Any

import pytest
from scim2_client import SCIMClientException
from scim2_models import Error, PatchOp, PatchOperation, SCIMException, SearchRequest
from sqlalchemy import func, select

from idp import passwords, staff
from idp.methods.tables import TotpRow
from idp.people_errors import AccountUnknown
from idp.scim.models import Employment, Held, Member, Post, StaffGroup, StaffUser
from idp.staffing import lifecycle
from keys import journal_reading
from tests.idp.scim.line import line, scim, served_scim
from tests.idp.staffing.test_lifecycle import is_signed_on, signed_on
from tests.idp.staffing.tree import (
    BUREAU,
    CITY,
    COUNTY,
    OTHER_COUNTY,
    TOWNSHIP,
    employ,
    plant,
    scopes,
)
from tests.idp.world import World, heard

PASSWORD = "a secret from elsewhere 9"


def wanted(username: str = "qin.he", body: str = COUNTY, *roles: str, **more: object) -> StaffUser:
    user = StaffUser(user_name=username, display_name="秦禾", **more)
    user.roles = [Held(value=role) for role in roles] or None
    user[Employment] = Employment(body=body)
    return user


def group_of(role: str, body: str, *subjects: str) -> StaffGroup:
    group = StaffGroup(display_name="窗口", members=[Member(value=one) for one in subjects] or None)
    group[Post] = Post(role=role, body=body)
    return group


def patched(client: Any, user: StaffUser, op: str, path: str, value: object = None) -> None:
    operation = PatchOperation[StaffUser](op=op, path=path, value=value)
    client.modify(StaffUser, user.id, PatchOp[StaffUser](operations=[operation]))


def status_of(refused: pytest.ExceptionInfo[SCIMException]) -> tuple[int | None, str | None]:
    error = refused.value.to_error()
    return error.status, error.scim_type


def test_an_account_comes_moves_and_goes(world: World) -> None:
    plant(world)
    with served_scim(world) as url, scim(url) as client:
        made = client.create(wanted("qin.he", COUNTY, "licence-clerk", password=PASSWORD))
        subject = str(made.id)
        assert scopes(world, subject) == {"licence.issue", "licence.read"}
        sid = signed_on(world, subject)
        made[Employment].body = TOWNSHIP
        made.roles = [Held(value="case-reviewer")]
        client.replace(made)
        assert scopes(world, subject) == {"licence.lookup"}
        assert not is_signed_on(world, sid)
        client.delete(StaffUser, subject)
        with world.begin() as tx, pytest.raises(AccountUnknown):
            staff.member(tx, world.provider, subject)
        with pytest.raises(SCIMException) as gone:
            client.query(StaffUser, subject)
    assert status_of(gone) == (404, None)


def test_a_transfer_to_come_is_in_force_at_its_time(world: World) -> None:
    plant(world)
    at = world.clock() + timedelta(days=1)
    with served_scim(world) as url, scim(url) as client:
        made = client.create(wanted("qin.he", COUNTY, "licence-officer"))
        made[Employment] = Employment(body=TOWNSHIP, since=at)
        made.roles = [Held(value="case-reviewer")]
        told = client.replace(made)
        assert told[Employment].body == TOWNSHIP
    assert "licence.revoke" in scopes(world, str(made.id))
    world.clock.tick(days=1)
    assert scopes(world, str(made.id)) == {"licence.lookup"}


def test_an_end_that_is_set_closes_and_one_that_is_removed_does_not(world: World) -> None:
    plant(world)
    with served_scim(world) as url, scim(url) as client:
        made = client.create(wanted("qin.he", COUNTY, "licence-clerk"))
        until = f"{world.clock() + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
        path = f"{Employment.__schema__}:until"
        patched(client, made, "replace", path, until)
        patched(client, made, "remove", path)
        world.clock.tick(days=2)
        assert scopes(world, str(made.id)) == {"licence.issue", "licence.read"}
        patched(client, made, "replace", path, f"{world.clock():%Y-%m-%dT%H:%M:%SZ}")
        assert client.query(StaffUser, made.id).active is False


def test_who_is_not_active_is_signed_out_and_does_not_sign_in(world: World) -> None:
    plant(world)
    with served_scim(world) as url, scim(url) as client:
        made = client.create(wanted("qin.he", COUNTY, "licence-clerk", password=PASSWORD))
        sid = signed_on(world, str(made.id))
        patched(client, made, "replace", "active", False)
        assert not is_signed_on(world, sid)
        with world.begin() as tx:
            assert staff.credentials(tx, world.provider, "qin.he") is None
        patched(client, made, "replace", "active", True)
    assert scopes(world, str(made.id)) == {"licence.issue", "licence.read"}


def test_a_password_is_set_and_told_to_nobody(world: World) -> None:
    plant(world)
    with served_scim(world) as url, scim(url) as client, heard() as lines:
        made = client.create(wanted(password=PASSWORD))
        assert made.password is None
        patched(client, made, "replace", "password", "another secret of theirs 7")
    with world.begin() as tx:
        kept = staff.credentials(tx, world.provider, "qin.he")
    assert kept is not None
    assert passwords.is_right("another secret of theirs 7", kept.password_hash)
    assert not any(PASSWORD in line or "another secret" in line for line in lines)


def test_members_of_a_group_hold_its_role_at_its_body(world: World) -> None:
    plant(world)
    one, other = (employ(world, TOWNSHIP, username=name) for name in ("one", "other"))
    with served_scim(world) as url, scim(url) as client:
        group = client.create(group_of("licence-clerk", COUNTY, one, other))
        assert scopes(world, one) == {"licence.issue", "licence.read"}
        member = client.query(StaffUser, one)
        assert [each.display for each in member.groups] == ["窗口"]
        assert member.roles is None
        group.members = [Member(value=other)]
        client.replace(group)
        assert (scopes(world, one), len(scopes(world, other))) == (set(), 2)
        client.delete(StaffGroup, group.id)
    assert not scopes(world, other)


def test_nobody_beyond_the_callers_body_is_seen_or_touched(world: World) -> None:
    plant(world)
    employ(world, COUNTY, username="inside")
    outside = employ(world, OTHER_COUNTY, username="outside")
    with served_scim(world) as url, scim(url, COUNTY) as client:
        listed = client.query(StaffUser)
        assert [user.user_name for user in listed.resources] == ["inside"]
        with pytest.raises(SCIMException) as unseen:
            client.query(StaffUser, outside)
        with pytest.raises(SCIMException) as untouched:
            client.delete(StaffUser, outside)
        with pytest.raises(SCIMException) as elsewhere:
            client.create(wanted("qin.he", OTHER_COUNTY))
        with pytest.raises(SCIMException) as taken_in:
            client.create(group_of("licence-clerk", COUNTY, outside))
    assert status_of(unseen) == status_of(untouched) == (404, None)
    assert status_of(elsewhere) == status_of(taken_in) == (403, None)


@pytest.mark.parametrize("role", ["identity-administrator", "security-administrator", "auditor"])
def test_provisioning_makes_no_administrators(world: World, role: str) -> None:
    plant(world)
    subject = employ(world, COUNTY)
    with served_scim(world) as url, scim(url) as client:
        for asked in (wanted("qin.he", COUNTY, role), group_of(role, COUNTY, subject)):
            with pytest.raises(SCIMException) as refused:
                client.create(asked)
            assert status_of(refused) == (403, None)


def test_provisioning_leaves_administrators_as_they_are(world: World) -> None:
    plant(world)
    subject = employ(world, COUNTY, "auditor")
    with served_scim(world) as url, scim(url) as client:
        found = client.query(StaffUser, subject)
        assert found.roles is None
        found.display_name = "周远之"
        client.replace(found)
    assert scopes(world, subject) == {"journal.read"}


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        pytest.param(wanted("zhou.yuan"), 409, "uniqueness", id="name-taken"),
        pytest.param(wanted("qin.he", "11990100MBXX90018A"), 400, "invalidValue", id="body-wrong"),
        pytest.param(wanted("qin.he", COUNTY, "emperor"), 400, "invalidValue", id="role-unknown"),
        pytest.param(wanted(" "), 400, "invalidValue", id="no-name"),
        pytest.param(wanted(password="short"), 400, "invalidValue", id="weak-password"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_stored(
    world: World, asked: StaffUser, status: int, kind: str | None
) -> None:
    plant(world)
    employ(world, BUREAU)
    with served_scim(world) as url, scim(url) as client:
        with pytest.raises(SCIMException) as refused:
            client.create(asked)
        assert client.query(StaffUser).total_results == 1
    assert status_of(refused) == (status, kind)


def test_a_change_of_what_somebody_else_changed_meanwhile_is_refused(world: World) -> None:
    plant(world)
    subject = employ(world, COUNTY)
    with served_scim(world) as url, line(url) as http:
        first = http.get(f"/Users/{subject}")
        document = first.json() | {"displayName": "周远之"}
        asked = {"If-Match": first.headers["etag"]}
        assert (
            http.get(f"/Users/{subject}", headers={"If-None-Match": asked["If-Match"]}).status_code
            == 304
        )
        changed = http.put(f"/Users/{subject}", json=document, headers=asked)
        late = http.put(f"/Users/{subject}", json=document, headers=asked)
        gone = http.delete(f"/Users/{subject}", headers=asked)
    assert (changed.status_code, late.status_code, gone.status_code) == (200, 412, 412)
    assert changed.headers["etag"] == changed.json()["meta"]["version"] != asked["If-Match"]


@pytest.mark.parametrize(
    ("filtered", "found"),
    [
        ('userName eq "b"', ["b"]),
        ('userName eq "B"', []),
        ('externalId eq "x-a" or userName eq "c"', ["a", "c"]),
        ('roles[value eq "case-reviewer"]', ["c"]),
        (f'urn:yinxin:scim:schemas:2.0:Employment:body eq "{TOWNSHIP}"', ["b"]),
        ('active eq true and not (userName sw "a")', ["b", "c"]),
    ],
)
def test_a_filter_finds_what_it_says(world: World, filtered: str, found: list[str]) -> None:
    plant(world)
    with served_scim(world) as url, scim(url) as client:
        client.create(wanted("a", COUNTY, external_id="x-a"))
        client.create(wanted("b", TOWNSHIP))
        client.create(wanted("c", COUNTY, "case-reviewer"))
        answer = client.query(StaffUser, query_parameters=SearchRequest(filter=filtered))
    assert sorted(user.user_name for user in answer.resources or []) == found


def test_pages_follow_one_another(world: World) -> None:
    plant(world)
    for name in ("du", "xu", "yu", "wu"):
        employ(world, COUNTY, username=name)
    with served_scim(world) as url, scim(url) as client:
        pages = [
            client.query(
                StaffUser,
                query_parameters=SearchRequest(
                    start_index=start, count=2, sort_by="userName", sort_order="descending"
                ),
            )
            for start in (1, 3, 5)
        ]
    names = [[user.user_name for user in page.resources or []] for page in pages]
    assert names == [["yu", "xu"], ["wu", "du"], []]
    assert {page.total_results for page in pages} == {4}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer scim@{CITY}"}, 200),
        ({"Authorization": f"Bearer licence.read@{CITY}"}, 403),
    ],
)
def test_only_a_token_of_the_scope_is_let_in(
    world: World, headers: dict[str, str], status: int
) -> None:
    with served_scim(world) as url, line(url) as http:
        http.headers.pop("Authorization")
        answer = http.get("/Users", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/scim+json"
    assert status != 401 or answer.headers["www-authenticate"] == 'Bearer scope="scim"'


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"schemas": []}', b"\xff"])
def test_what_is_no_resource_is_told_so_in_scims_own_words(world: World, body: bytes) -> None:
    with served_scim(world) as url, line(url) as http:
        answer = http.post("/Users", content=body)
    assert answer.status_code == 400
    error = Error.model_validate(answer.json())
    assert error.scim_type in ("invalidSyntax", "invalidValue")


def test_a_closed_accounts_name_is_free_only_when_it_is_removed(world: World) -> None:
    plant(world)
    subject = employ(world, COUNTY, username="qin.he")
    with world.begin() as tx:
        lifecycle.close(tx, world.provider, subject, by="tester")
    with served_scim(world) as url, scim(url) as client:
        with pytest.raises((SCIMException, SCIMClientException)):
            client.create(wanted())
        client.delete(StaffUser, subject)
        assert client.create(wanted()).id != subject


def test_provisioning_sets_no_administrators_password(world: World) -> None:
    plant(world)
    chief = employ(world, COUNTY, "security-administrator", username="chief")
    with served_scim(world) as url, scim(url) as client, pytest.raises(SCIMException) as refused:
        patched(client, client.query(StaffUser, chief), "replace", "password", PASSWORD)
    assert status_of(refused) == (403, None)
    with world.begin() as tx:
        kept = staff.credentials(tx, world.provider, "chief")
    assert kept is not None
    assert not passwords.is_right(PASSWORD, kept.password_hash)


def test_a_password_that_is_set_ends_the_sign_ons_of_before_and_is_journalled(
    world: World,
) -> None:
    plant(world)
    subject = employ(world, COUNTY)
    sid = signed_on(world, subject)
    with served_scim(world) as url, scim(url) as client:
        user = client.query(StaffUser, subject)
        user.display_name = "周远之"
        client.replace(user)
        assert is_signed_on(world, sid)
        patched(client, user, "replace", "password", PASSWORD)
    assert not is_signed_on(world, sid)
    with world.begin() as tx:
        done = journal_reading.entries(tx, subject=subject)
    told = {entry.action: entry.details for entry in done}
    assert told["staff.changed"] == {"members": "name"}
    assert told["staff.password-set"] == {}


def test_a_removed_account_leaves_no_second_factor_behind(world: World) -> None:
    plant(world)
    subject = world.clerk()
    with served_scim(world) as url, scim(url, employed_at(world, subject)) as client:
        client.delete(StaffUser, subject)
    with world.begin() as tx:
        assert tx.scalar(select(func.count()).where(TotpRow.subject == subject)) == 0


def employed_at(world: World, subject: str) -> str:
    with world.begin() as tx:
        return staff.last_body(tx, subject)


def test_a_transfer_that_is_put_off_leaves_the_old_body_until_then(world: World) -> None:
    plant(world)
    now = world.clock()
    with served_scim(world) as url, scim(url) as client:
        made = client.create(wanted("qin.he", COUNTY, "licence-clerk"))
        for days in (1, 3):
            made[Employment] = Employment(body=TOWNSHIP, since=now + timedelta(days=days))
            made = client.replace(made)
    world.clock.tick(days=2)
    assert employed_now(world, str(made.id)) == COUNTY
    world.clock.tick(days=1)
    assert employed_now(world, str(made.id)) == TOWNSHIP


def employed_now(world: World, subject: str) -> str:
    with world.begin() as tx:
        return staff.member(tx, world.provider, subject).organisation


_USER = {
    "schemas": [StaffUser.__schema__, Employment.__schema__],
    "userName": "qin.he",
    "displayName": "秦禾",
}


def sent(**more: object) -> bytes:
    document = {**_USER, str(Employment.__schema__): {"body": COUNTY}, **more}
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(sent(externalId="a\0"), id="nul"),
        pytest.param(sent(externalId="\ud800"), id="half-a-character"),
        pytest.param(sent(externalId="x" * 257), id="long-external-id"),
        pytest.param(
            sent(
                **{str(Employment.__schema__): {"body": COUNTY, "since": "9999-12-31T23:59:59-14"}}
            ),
            id="beyond-time",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused_in_scims_own_words(world: World, body: bytes) -> None:
    plant(world)
    with served_scim(world) as url, line(url) as http:
        answer = http.post("/Users", content=body)
    assert answer.status_code == 400
    assert Error.model_validate(answer.json()).scim_type in ("invalidSyntax", "invalidValue")


@pytest.mark.parametrize(
    "path",
    ["/Users/%00", "/Groups/%00", '/Users?filter=userName eq "%5Cu0000"', "/Users?count=%00"],
)
def test_a_name_that_nothing_can_have_is_refused_in_scims_own_words(
    world: World, path: str
) -> None:
    with served_scim(world) as url, line(url) as http:
        answer = http.get(path)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/scim+json"


def test_a_body_written_small_is_the_same_body(world: World) -> None:
    plant(world)
    with served_scim(world) as url, scim(url) as client:
        made = client.create(wanted("qin.he", COUNTY.lower()))
        group = client.create(group_of("licence-clerk", COUNTY.lower(), str(made.id)))
        assert (made[Employment].body, group[Post].body) == (COUNTY, COUNTY)
    assert scopes(world, str(made.id)) == {"licence.issue", "licence.read"}


def test_a_member_who_is_nobody_is_a_wrong_value(world: World) -> None:
    plant(world)
    with served_scim(world) as url, scim(url) as client:
        with pytest.raises(SCIMException) as refused:
            client.create(group_of("licence-clerk", COUNTY, "nobody"))
        assert client.query(StaffGroup).total_results == 0
    assert status_of(refused) == (400, "invalidValue")
