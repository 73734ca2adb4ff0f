"""The operator's commands on clients, as they are typed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Clone
from tests.console import Console
from tests.idp.world import BODY, CALLBACK

ENTRY: dict[str, Any] = {
    "client_id": "suite-1",
    "client_secret": "a-secret-of-the-file",
    "client_name": "Suite",
    "redirect_uris": [CALLBACK],
}


@pytest.fixture
def yinxin(clone: Clone, template_with_tables: str, tmp_path: Path) -> Iterator[Console]:
    with clone(template_with_tables) as url:
        yield Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path / "var")}, tmp_path)


def file_of(folder: Path, *entries: object) -> Path:
    file = folder / "clients.json"
    file.write_text(json.dumps(entries), "utf-8")
    return file


def test_a_file_points_a_test_tool_here_in_one_command(yinxin: Console, tmp_path: Path) -> None:
    quiet = {"client_id": "suite-2", "redirect_uris": [CALLBACK]}
    done = yinxin("clients import", file_of(tmp_path, ENTRY, quiet))
    assert [(one["client_id"], one["outcome"]) for one in done] == [
        ("suite-1", "registered"),
        ("suite-2", "registered"),
    ]
    assert done[0]["client_secret"] is None
    assert len(done[1]["client_secret"]) == 43
    again = yinxin("clients import", file_of(tmp_path, ENTRY, quiet))
    assert {one["outcome"] for one in again} == {"unchanged"}
    shown = json.loads(yinxin.says("clients show suite-1"))
    assert shown["require_pkce"] is False, "a sandbox takes clients of Core alone"
    assert "client_secret" not in shown


def test_elsewhere_than_in_a_sandbox_imported_clients_use_pkce(
    yinxin: Console, tmp_path: Path
) -> None:
    test = Console({**yinxin.environment, "YINXIN_MODE": "test"}, tmp_path)
    test("clients import", file_of(tmp_path, ENTRY))
    assert json.loads(test.says("clients show suite-1"))["require_pkce"] is True


def test_a_file_with_a_fault_is_refused_as_a_whole(yinxin: Console, tmp_path: Path) -> None:
    wrong = ENTRY | {"client_id": "suite-2", "redirect_uris": ["http://portal.example"]}
    file = file_of(tmp_path, ENTRY, wrong)
    assert yinxin.refused("clients import", file) == "client.entry_wrong"
    assert yinxin("clients list") == []
    file.write_text("[", "utf-8")
    assert yinxin.refused("clients import", file) == "client.file_wrong"
    file.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    assert "4 MiB" in yinxin.refused("clients import", file)


def test_a_client_is_registered_changed_and_removed(yinxin: Console) -> None:
    made = yinxin(f"clients register Portal --id portal --redirect-uri {CALLBACK}")
    assert made["client_id"] == "portal"
    renewed = yinxin("clients new-secret portal --yes")
    assert renewed["client_secret"] != made["client_secret"]
    (listed,) = yinxin("clients list")
    assert (listed["client_id"], listed["authentication"]) == ("portal", "client_secret_basic")
    assert "Say --yes" in yinxin.refused("clients remove portal")
    assert yinxin("clients remove portal --yes") == {"removed": "portal"}
    for command in ("remove portal --yes", "new-secret portal --yes", "show portal"):
        assert yinxin.refused(f"clients {command}") == "client.not_found"


def test_an_operator_decides_what_others_may_not(yinxin: Console) -> None:
    yinxin(
        "clients register Desk --id desk --staff --first-party --scope 'openid client.manage' "
        f"--resource urn:example:api --organisation {BODY} --redirect-uri {CALLBACK}"
    )
    shown = json.loads(yinxin.says("clients show desk"))
    assert (shown["realm"], shown["consent"]) == ("staff", "by-policy")
    refused = yinxin.refused("clients register Desk --redirect-uri javascript:x")
    assert refused == "client.metadata_wrong"


def test_somebody_is_invited_to_register_clients(yinxin: Console) -> None:
    made = yinxin("clients invite lab --uses 3 --days 2")
    assert (made["label"], made["uses_left"]) == ("lab", 3)
    assert len(made["token"]) == 43
    (listed,) = yinxin("clients invitations")
    assert "token" not in listed
    assert yinxin("clients uninvite lab") == {"withdrawn": 1}
    assert yinxin.refused("clients uninvite lab") == "client.invitation_not_found"
    for wrong in ("--uses 0", "--days 0", "--days 400", "--uses 1001"):
        assert yinxin.refused(f"clients invite lab {wrong}") == "client.invitation_wrong"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en_GB.UTF-8", "has the secret"), ("zh_CN.UTF-8", "的密钥是")],
)
def test_a_secret_is_told_in_the_terminals_language(
    yinxin: Console, tmp_path: Path, language: str, sentence: str
) -> None:
    speaking = Console({**yinxin.environment, "LANG": language}, tmp_path)
    said = speaking.says(f"clients register Portal --redirect-uri {CALLBACK}")
    assert sentence in said


def test_the_list_tells_what_ends_soon_and_who_answers_for_it(yinxin: Console) -> None:
    for number, end in enumerate(("2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "")):
        told = f"--ends-at {end}" if end else ""
        yinxin(
            f"clients register s{number} --id s{number} --redirect-uri {CALLBACK} --owner 张 {told}"
        )
    (ended,) = yinxin("clients list --ending 30")
    assert (ended["client_id"], ended["owner"]) == ("s1", "张")
    assert len(yinxin("clients list")) == 3
