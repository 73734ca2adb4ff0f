"""The commands of docs/operations.md do what the page says, in the order it tells them."""

import re
from pathlib import Path

from tests.conftest import Clone
from tests.console import Console

_PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


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


def _founding() -> list[str]:
    """Return the commands of the page's first part, but for the custodians' own."""
    part = _PAGE.read_text("utf-8").split("\n## ")[1]
    commands = re.findall(r"^yinxin (.+)$", part, re.MULTILINE)
    assert len(commands) > 15
    return [command for command in commands if not command.startswith("keys add-custodian")]


def _with_passphrases(yinxin: Console, line: str) -> str:
    for name in ("wen", "lin"):
        line = line.replace(f"--custodian {name}", " ".join(yinxin.one(name)))
    return line
