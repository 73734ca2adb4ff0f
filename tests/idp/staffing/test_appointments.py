"""Roles held at bodies, for a time; and which nobody holds together."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.people_errors import AccountUnknown
from idp.staff_errors import (
    AppointmentUnknown,
    GrantsToThemselves,
    RolesExclusive,
    RoleUnknown,
    TimesWrong,
)
from idp.staffing import appointments, roles
from idp.staffing.appointments import Post
from idp.staffing.roles import ADMINISTRATORS, ROLE_SCOPES, Term
from tests.idp.staffing.tree import (
    BUREAU,
    BY,
    CITY,
    COUNTY,
    OTHER_COUNTY,
    TOWNSHIP,
    VILLAGE,
    employ,
    plant,
    scopes,
)
from tests.idp.world import World

_DAWN = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS = st.integers(0, 9).map(lambda days: _DAWN + timedelta(days=days))
_TERMS = st.builds(
    lambda role, since, days: Term(role, since, days and since + timedelta(days=days)),
    st.sampled_from(sorted(ROLE_SCOPES)),
    _DAYS,
    st.none() | st.integers(1, 5),
)


def appoint(world: World, subject: str, post: Post, by: str = BY) -> int:
    with world.begin() as tx:
        return appointments.appoint(tx, world.provider, subject, post, by=by)


def permits(world: World, subject: str, body: str, scope: str = "licence.issue") -> bool:
    with world.begin() as tx:
        return appointments.permits(tx, world.provider, subject, scope, body)


def test_a_role_reaches_the_body_and_all_below_it_and_nothing_else(world: World) -> None:
    plant(world)
    subject = employ(world, COUNTY, "licence-clerk")
    reached = {body for body in (CITY, BUREAU, COUNTY, TOWNSHIP, VILLAGE, OTHER_COUNTY)
               if permits(world, subject, body)}  # fmt: skip
    assert reached == {COUNTY, TOWNSHIP, VILLAGE}
    assert not permits(world, subject, COUNTY, "licence.revoke")


def test_a_role_at_one_body_alone_reaches_nothing_below(world: World) -> None:
    plant(world)
    subject = employ(world, COUNTY)
    appoint(world, subject, Post("licence-clerk", COUNTY, below=False))
    assert permits(world, subject, COUNTY)
    assert not permits(world, subject, TOWNSHIP)


def test_a_clerk_works_at_a_village(world: World) -> None:
    plant(world)
    subject = employ(world, VILLAGE, "licence-clerk")
    assert permits(world, subject, VILLAGE)
    assert not permits(world, subject, TOWNSHIP)


def test_tokens_carry_only_what_reaches_the_members_own_body(world: World) -> None:
    plant(world)
    subject = employ(world, TOWNSHIP)
    appoint(world, subject, Post("licence-clerk", COUNTY))
    appoint(world, subject, Post("licence-officer", OTHER_COUNTY))
    assert scopes(world, subject) == {"licence.issue", "licence.read"}


def test_a_role_is_held_from_its_beginning_to_its_end(world: World) -> None:
    plant(world)
    subject, now = employ(world, COUNTY), world.clock()
    since, until = now + timedelta(days=1), now + timedelta(days=3)
    appoint(world, subject, Post("licence-clerk", COUNTY, since=since, until=until))
    held = []
    for _ in range(4):
        held.append(bool(scopes(world, subject)))
        world.clock.tick(days=1)
    assert held == [False, True, True, False]


def test_nothing_is_given_for_the_past(world: World) -> None:
    subject, now = employ(world, COUNTY), world.clock()
    appoint(world, subject, Post("licence-clerk", COUNTY, since=now - timedelta(days=9)))
    with world.begin() as tx:
        (held,) = appointments.unended(tx, subject, now)
    assert held.since == now


def test_an_ended_role_is_gone_at_once_and_ends_once(world: World) -> None:
    plant(world)
    subject = employ(world, COUNTY)
    number = appoint(world, subject, Post("licence-clerk", COUNTY))
    with world.begin() as tx:
        appointments.end(tx, world.provider, number, by=BY)
    assert not scopes(world, subject)
    with world.begin() as tx, pytest.raises(AppointmentUnknown):
        appointments.end(tx, world.provider, number, by=BY)


def test_what_cannot_be_appointed_is_refused(world: World) -> None:
    subject, now = employ(world, COUNTY), world.clock()
    with pytest.raises(RoleUnknown):
        appoint(world, subject, Post("emperor", COUNTY))
    with pytest.raises(TimesWrong):
        appoint(world, subject, Post("licence-clerk", COUNTY, until=now))
    with pytest.raises(AccountUnknown):
        appoint(world, "nobody", Post("licence-clerk", COUNTY))


def test_nobody_appoints_themselves(world: World) -> None:
    subject = employ(world, COUNTY, "security-administrator")
    with pytest.raises(GrantsToThemselves):
        appoint(world, subject, Post("security-administrator", CITY), by=f"desk/{subject}")


@pytest.mark.parametrize("role", sorted(ADMINISTRATORS))
def test_an_administrator_holds_nothing_else(world: World, role: str) -> None:
    subject = employ(world, COUNTY, role)
    for other in sorted(set(ROLE_SCOPES) - {role}):
        with pytest.raises(RolesExclusive):
            appoint(world, subject, Post(other, COUNTY))


def test_an_administrator_may_be_another_when_the_first_role_has_ended(world: World) -> None:
    subject, now = employ(world, COUNTY), world.clock()
    ends = now + timedelta(days=1)
    appoint(world, subject, Post("auditor", COUNTY, until=ends))
    appoint(world, subject, Post("security-administrator", COUNTY, since=ends))
    assert scopes(world, subject) == {"journal.read"}
    world.clock.tick(days=1)
    assert scopes(world, subject) == {"staff.manage"}


def test_of_two_that_appoint_at_once_one_is_refused(world: World) -> None:
    subject = employ(world, COUNTY)
    outcomes: list[str] = []

    def give(role: str) -> None:
        try:
            appoint(world, subject, Post(role, COUNTY))
            outcomes.append("given")
        except RolesExclusive:
            outcomes.append("refused")

    wanted = ["auditor", "security-administrator", "identity-administrator"]
    threads = [threading.Thread(target=give, args=(role,)) for role in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["given", "refused", "refused"]


@given(st.lists(_TERMS, max_size=5), _DAYS)
def test_at_no_moment_are_exclusive_roles_held_where_the_check_passes(
    terms: list[Term], moment: datetime
) -> None:
    try:
        roles.check_together(terms)
    except RolesExclusive:
        return
    held = {term.role for term in terms if term.overlaps(Term("", moment, moment + timedelta(1)))}
    at_once = {t.role for t in terms if t.since <= moment and (not t.until or moment < t.until)}
    assert at_once <= held
    assert len(at_once) < 2 or not at_once & ADMINISTRATORS
