"""The operator's commands on staff, as they are typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.console import Console
from tests.idp.staffing.tree import CITY, COUNTY
from tests.idp.world import CALLBACK


@pytest.fixture
def yinxin(clone: Clone, template_with_tables: str, tmp_path: Path) -> Iterator[Console]:
    with clone(template_with_tables) as url:
        yield Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path / "var")}, tmp_path)


def opened(yinxin: Console, tmp_path: Path, *roles: str) -> None:
    secret = tmp_path / "password"
    secret.write_text("a secret for the first day\n", "utf-8")
    given = " ".join(f"--role {role}" for role in roles)
    yinxin(f"staff open qin.he --name 秦禾 --body {CITY} {given} --password-file", secret)


def test_a_clerk_comes_moves_and_goes(yinxin: Console, tmp_path: Path) -> None:
    yinxin(f"staff place {CITY} --name 示例市 --tier city --region 990100")
    yinxin(f"staff place {COUNTY} --name 示例县 --tier county --region 990102 --parent {CITY}")
    assert [body["uscc"] for body in yinxin("staff bodies")] == [CITY, COUNTY]
    opened(yinxin, tmp_path, "licence-clerk")
    (clerk,) = yinxin(f"staff list {CITY}")
    assert (clerk["username"], clerk["roles"]) == ("qin.he", "licence-clerk")
    yinxin(
        f"staff transfer qin.he --body {COUNTY} --role case-reviewer --yes".replace(" --yes", "")
    )
    (moved,) = yinxin(f"staff list {COUNTY}")
    assert moved["roles"] == "case-reviewer"
    yinxin("staff close qin.he --yes")
    assert yinxin(f"staff list {CITY}") == []


def test_roles_are_given_for_a_time_and_taken(yinxin: Console, tmp_path: Path) -> None:
    opened(yinxin, tmp_path)
    given = yinxin("staff give qin.he licence-officer --until 2999-01-01")
    (held,) = yinxin("staff show qin.he")
    assert (held["role"], held["until"]) == ("licence-officer", "2999-01-01 00:00:00+00:00")
    assert yinxin.refused("staff give qin.he auditor") == "staff.roles_exclusive"
    yinxin(f"staff take {given['appointment']}")
    assert yinxin("staff show qin.he") == []


def test_an_applications_account_is_linked_and_unlinked(yinxin: Console, tmp_path: Path) -> None:
    opened(yinxin, tmp_path)
    yinxin(f"clients register Desk --id desk --staff --scope openid --redirect-uri {CALLBACK}")
    yinxin("staff link desk qin.he A-17 --label 登记科")
    (linked,) = yinxin("staff links desk")
    assert (linked["local_id"], linked["label"]) == ("A-17", "登记科")
    yinxin("staff unlink desk qin.he A-17")
    assert yinxin("staff links desk") == []
    assert yinxin.refused("staff unlink desk qin.he A-17")
