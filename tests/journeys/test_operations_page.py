"""The commands of docs/operations.md do what the page says, in the order it tells them."""

import re
from pathlib import Path

from tests.conftest import Clone
from tests.console import Console

_PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
_PROVINCE = "11990000MBXX91010Y"


def test_the_page_founds_a_trust_ground(
    clone: Clone, template_with_tables: str, tmp_path: Path
) -> None:
    with clone(template_with_tables) as url:
        yinxin = Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path)}, tmp_path)
        yinxin.custodians()
        for line in _founding():
            yinxin.says(_with_passphrases(yinxin, line))
        issued = {issue for found in yinxin("ca authorities") for issue in found["issues"]}
        assert {"seal-maker", "seal-signer", "pdf-signer", "time-stamp"} <= issued
        assert all(key["state"] == "active" for key in yinxin("keys list"))
        (exported,) = yinxin(f"trust export {tmp_path / 'list.json'}")
        assert exported["authorities"] == 4
        yinxin("audit chain")
        assert yinxin("audit verify")["heads"] == 1


def test_the_page_takes_on_staff(clone: Clone, template_with_tables: str, tmp_path: Path) -> None:
    first = tmp_path / "first-password.txt"
    first.write_text("a secret for the first day\n", "utf-8")
    with clone(template_with_tables) as url:
        yinxin = Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path)}, tmp_path)
        for line in _commands("Staff"):
            yinxin.says(line.replace("first-password.txt", str(first)))
        roles = {one["username"]: one["roles"] for one in yinxin(f"staff list {_PROVINCE}")}
        assert roles["security-admin"] == "security-administrator"
        assert [held["role"] for held in yinxin("staff show clerk")] == [
            "licence-clerk",
            "counter-clerk",
            "case-reviewer",
        ]
        (personnel,) = yinxin("clients list")
        assert personnel["owner"] == "Personnel office"


def _founding() -> list[str]:
    """Return the commands of the page's first part, but for the custodians' own."""
    commands = _commands("Found the trust ground of a production service")
    assert len(commands) > 15
    return [command for command in commands if not command.startswith("keys add-custodian")]


def _commands(heading: str) -> list[str]:
    """Return the commands of a part of the page that stand on lines of their own."""
    parts = _PAGE.read_text("utf-8").split("\n## ")
    (part,) = (part for part in parts if part.startswith(f"{heading}\n"))
    return re.findall(r"^yinxin (.+)$", part, re.MULTILINE)


def _with_passphrases(yinxin: Console, line: str) -> str:
    for name in ("wen", "lin"):
        line = line.replace(f"--custodian {name}", " ".join(yinxin.one(name)))
    return line
