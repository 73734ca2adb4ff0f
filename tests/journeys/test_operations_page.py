"""The commands of docs/operations.md do what the page says, in the order it tells them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid4

from seal.life import application, handing_over, recording, register, review
from seal.life.application import Draft
from seal.life.desk import SealDesk
from service import wiring
from service.chance import real_chance
from service.public_artefacts import SERVICE
from service.settings import Settings
from tests.conftest import Clone
from tests.console import Console
from tests.seals import APPLICANT, KEEPER, REVIEWER, SEAL_MM, picture

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


def test_the_page_brings_a_seal_from_its_making_to_its_end(
    clone: Clone, template_with_tables: str, tmp_path: Path
) -> None:
    """As in production: each consent of the two custodians is to one thing, and is spent with it."""
    first = tmp_path / "first-password.txt"
    first.write_text("a secret for the first day\n", "utf-8")
    told = {"YINXIN_VAR": str(tmp_path), "YINXIN_MODE": "production", "YINXIN_PARTS": "seal"}
    with clone(template_with_tables) as url:
        yinxin = Console({**told, "YINXIN_DATABASE_URL": url}, tmp_path)
        yinxin.custodians()
        for line in _founding():
            yinxin.says(_with_passphrases(yinxin, line))
        lines = iter(_commands("A stamping service alone"))
        for line in islice(lines, 5):
            yinxin.says(line.replace("first-password.txt", str(first)))
        with _seals(url, tmp_path) as seals:
            seal = seals.approved()
            (listed,) = yinxin(next(lines))
            assert (listed["id"], listed["state"]) == (str(seal), "approved")
            assert yinxin.refused(f"seals make {seal}") == "consent.missing"
            yinxin.says(_with_passphrases(yinxin, next(lines)))
            (asked,) = yinxin("keys requests")
            assert yinxin.refused(f"seals make {seal}") == "consent.missing"
            agree = next(lines).replace("NUMBER", str(asked["id"]))
            assert yinxin.refused(agree.replace("lin", "wen"), *yinxin.one("wen")) != ""
            yinxin.says(_with_passphrases(yinxin, agree))
            made = yinxin(next(lines).replace("SEAL", str(seal)))
            assert re.fullmatch("[0-9]{14}", made["esid"])
            assert yinxin.refused(f"seals make {seals.approved()}") == "consent.missing"
            seals.into_use(seal)
            assert yinxin(next(lines))["client_id"] == "housing-system"
            destroy = next(lines).replace("SEAL", str(seal))
            alone = re.sub(r" --custodian \w+", "", destroy)
            assert yinxin.refused(alone) == "consent.missing"
            assert yinxin.refused(f"seals destroy {uuid4()} --reason x --yes") == "seal.unknown"
            assert yinxin(_with_passphrases(yinxin, destroy)) == {"destroyed": made["esid"]}
            assert next(lines, None) is None
            (ended,) = yinxin("seals list --state destroyed")
            assert ended["id"] == str(seal)
            assert set(seals.witnesses(seal).split(", ")) == {"wen", "lin"}


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


@dataclass(frozen=True)
class _Seals:
    """The steps of a seal's way that people take on pages, on the ground that the commands founded."""

    desk: SealDesk

    def approved(self) -> UUID:
        now = self.desk.clock()
        asked = Draft(
            owner="11990100MBXX90018M",
            owner_name="Example City Housing",
            name="Example seal",
            kind="licence",
            legal_basis="Example",
            keeper=KEEPER,
            picture_png=picture("示例市住房和城乡建设局"),
            width=SEAL_MM,
            height=SEAL_MM,
            until=now + timedelta(days=300),
            by=APPLICANT,
        )
        with self.desk.begin() as tx:
            seal = application.draft(tx, self.desk, asked)
            application.submit(tx, self.desk, application.Submission(seal, APPLICANT))
            review.approve(tx, self.desk, review.Review(seal, REVIEWER, "sound"))
        return seal

    def into_use(self, seal: UUID) -> None:
        with self.desk.begin() as tx:
            recording.record(tx, self.desk, recording.Recording(seal, REVIEWER))
            handing_over.issue(tx, self.desk, handing_over.HandOver(seal, REVIEWER))
            handing_over.accept(tx, self.desk, handing_over.Acceptance(seal, KEEPER))

    def witnesses(self, seal: UUID) -> str:
        with self.desk.begin() as tx:
            return register.history(tx, seal)[-1].witness


@contextmanager
def _seals(url: str, var: Path) -> Iterator[_Seals]:
    settings = Settings(var=var)
    with wiring.ground(settings, url, real_chance()) as on:
        desk = SealDesk(on.begin, on.clock, on.random, on.vault, SERVICE, wiring.SEAL_VENDOR)
        yield _Seals(desk)


def _with_passphrases(yinxin: Console, line: str) -> str:
    for name in ("wen", "lin"):
        line = line.replace(f"--custodian {name}", " ".join(yinxin.one(name)))
    return line
