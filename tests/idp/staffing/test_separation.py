"""System, security and audit apart: what each of the three reaches, and what none does."""

import httpx2
import pytest
from starlette.requests import Request

import idp.admin.http
from idp.client_errors import ClientMetadataWrong
from idp.staffing.roles import ADMINISTRATORS, ROLE_SCOPES
from keys.access_token import Caller
from service import problems
from tests.idp.staffing.tree import COUNTY, employ
from tests.idp.world import World, served


def asked(world: World, role: str, path: str, **query: str) -> httpx2.Response:
    """Ask the administration with a token of this role's scopes."""

    def check(_: Request) -> Caller:
        return Caller("somebody", "console", ROLE_SCOPES[role], COUNTY, 0, {})

    api = problems.install(idp.admin.http.app(world.provider, check))
    with served(api) as url:
        return httpx2.get(f"{url}{path}", params=query)


def test_no_two_administrators_reach_the_same() -> None:
    scopes = [ROLE_SCOPES[role] for role in sorted(ADMINISTRATORS)]
    assert len(frozenset().union(*scopes)) == sum(len(each) for each in scopes)


def test_the_auditor_reads_what_was_done_to_somebody(world: World) -> None:
    subject = employ(world, COUNTY, "licence-clerk")
    answer = asked(world, "auditor", "/journal", subject=subject)
    assert answer.status_code == 200
    told = answer.json()["entries"]
    assert [entry["action"] for entry in told] == ["staff.opened", "appointment.made"]
    after = asked(world, "auditor", "/journal", subject=subject, after=str(told[0]["id"]))
    assert [entry["action"] for entry in after.json()["entries"]] == ["appointment.made"]


@pytest.mark.parametrize("role", ["identity-administrator", "security-administrator"])
def test_nobody_else_reads_the_journal(world: World, role: str) -> None:
    assert asked(world, role, "/journal").status_code == 403


@pytest.mark.parametrize("path", ["/clients", "/sessions?subject=x"])
def test_the_auditor_reads_nothing_but_the_journal(world: World, path: str) -> None:
    assert asked(world, "auditor", path).status_code == 403


@pytest.mark.parametrize("scope", ["staff.manage", "journal.read"])
def test_no_machine_is_an_administrator(world: World, scope: str) -> None:
    with pytest.raises(ClientMetadataWrong) as refused:
        world.machine(scopes=(scope,))
    assert refused.value.parameters["field"] == "scope"
