"""A city's seals at its province: two whole services, two databases, and what may happen between."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from idp.outgoing import Outgoing
from keys import base64url, jose, trust_publishing
from keys.algorithms import ES256
from keys.compact import TokenError
from keys.software_signer import SoftwareSigner, generate
from keys.trust_root import pinned_document
from seal import ofd_verify
from seal.ground import Ground
from seal.life import changes_http, flow, hearing, status, stopping
from seal.life.nodes_below import Standing
from seal.life.tables import NodeRow, NodeSealEventRow, NodeSealRow, SealRow
from seal.report import Outcome
from seal.seal_list import digest_of
from seal.seal_states import Change, SealState
from service import seal_nodes
from service.chance import Chance, real_chance
from service.running import running
from service.seal_nodes import SealNodes
from service.seal_nodes_file import SealNode
from service.wiring import World
from tests.conftest import Clone, settings_of_a_rig
from tests.console import Console
from tests.rig import Crash, Rig, TestClock, breakable
from verification.sources import HttpSources

CHANGES = f"/api/seals{changes_http.PATH}"
DEAD = "http://127.0.0.1:9"
STRANGER = SoftwareSigner(generate(ES256))

NODES = """
[[node]]
name = "dead"
address = "{dead}"
root_keys_file = "{pinned}"

[[node]]
name = "city"
address = "{city}"
root_keys_file = "{pinned}"
"""


@dataclass(frozen=True)
class Bent(Outgoing):
    """A line on which somebody sits: what comes of the register is changed on its way."""

    bend: Callable[[bytes], bytes] = field(default=bytes)

    def get(self, url: str, **how: Any) -> bytes:
        return self.bend(super().get(url, **how))


@dataclass
class Pair:
    """A city and its province, each a service of its own."""

    city: Rig
    province: World
    environment: Mapping[str, str]
    stop_city: Callable[[], None]

    @property
    def node(self) -> SealNode:
        return self.province.seal_nodes.nodes[1]

    def asking(self, line: Outgoing | None = None, **desk: Any) -> SealNodes:
        """The province's asking, as another process of it would do it."""
        outgoing = line or Outgoing(loopback_allowed=True, seconds=5)
        return SealNodes([self.node], replace(self.province.seals, **desk), outgoing)

    def ask(self, line: Outgoing | None = None, **desk: Any) -> Standing:
        return self.asking(line, **desk).ask(self.node)

    def bent(self, bend: Callable[[bytes], bytes]) -> Standing:
        return self.ask(Bent(loopback_allowed=True, bend=bend))

    def told(self) -> int:
        """How many changes of the city the province has."""
        with self.province.begin() as tx:
            return tx.scalar(select(func.count()).select_from(NodeSealEventRow)) or 0

    def listed(self) -> Mapping[bytes, tuple[Change, ...]]:
        """What the province's public list tells."""
        seals = self.province.artefacts.seal_list()
        assert seals is not None
        return seals.histories

    def seal(self) -> SealRow:
        """One of the city's seals."""
        with self.city.world.begin() as tx:
            return tx.scalars(select(SealRow).order_by(SealRow.esid)).first() or SealRow()

    def forget(self) -> None:
        """Let the province know nothing of anybody."""
        with self.province.begin() as tx:
            tx.execute(text("TRUNCATE seal.seal_node CASCADE"))


@pytest.fixture(scope="module")
def running_pair(
    clone: Clone,
    seeded_template: str,
    template_with_tables: str,
    valkey: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("nodes")
    with ExitStack() as stack, ExitStack() as city_only:

        def start(
            on: ExitStack, name: str, number: int, template: str, **told: Any
        ) -> tuple[World, TestClock]:
            url = stack.enter_context(clone(template))
            redis = valkey.replace("db=0", f"db={number}")
            settings = settings_of_a_rig(
                folder / name, database_url=url, redis_url=redis, node=name, **told
            )
            clock = TestClock()
            chance = Chance(clock, real_chance().random)
            return on.enter_context(running(settings, chance, breakable(set()))), clock

        city_world, clock = start(city_only, "city", 1, seeded_template)
        city = Rig(city_world, clock, set())
        stack.callback(city.close)
        pinned, file = folder / "pinned.json", folder / "nodes.toml"
        pinned.write_text(pinned_document(city.root_keys), "utf-8")
        file.write_text(NODES.format(dead=DEAD, city=city.address, pinned=pinned), "utf-8")
        # Seeded by itself, with keys that the city has not.
        province, _ = start(stack, "province", 2, template_with_tables, seal_nodes_file=str(file))
        with province.begin() as tx:
            # Two sandboxes number their seals alike; a city's division is no province's.
            tx.execute(text("TRUNCATE seal.seal CASCADE"))
        environment = {
            "YINXIN_DATABASE_URL": province.engine.url.render_as_string(hide_password=False),
            "YINXIN_VAR": str(folder / "console"),
            "YINXIN_SEAL_NODES_FILE": str(file),
        }
        yield Pair(city, province, environment, city_only.close)


@pytest.fixture
def pair(running_pair: Pair) -> Pair:
    """The two, and nothing told yet."""
    running_pair.forget()
    return running_pair


# --- What the province comes to know ---


def test_the_province_answers_for_a_citys_seals(pair: Pair) -> None:
    pair.province.seal_nodes.ask_all()
    esid = pair.seal().esid
    own, theirs = (
        httpx2.get(f"{address}/api/seals/{esid}/status").json()
        for address in (pair.city.address, pair.province.address)
    )
    assert theirs["origin"] == pair.city.address
    assert {**theirs, "at": 0} == {**own, "at": 0, "origin": pair.city.address}


def test_a_stamp_of_the_city_is_judged_by_the_list_of_the_province(pair: Pair) -> None:
    assert pair.ask().trouble == ""
    ofd = pair.city.file(pair.city.issue(), "ofd")
    anchors = pair.city.world.artefacts.trust_list()
    with httpx2.Client() as client, pair.province.begin() as tx:
        root_keys = trust_publishing.newest_root(tx).root_keys
        sources = HttpSources(client, pair.province.address, root_keys, pair.province.clock)
        seals = sources.seal_list()
    assert anchors is not None
    assert seals is not None
    ground = Ground(anchors.anchors_for, seal_states=seals.state)
    report = ofd_verify.verify(ofd, ground, pair.city.clock())
    assert report.outcome is Outcome.OK, report.all_findings()
    assert "seal.state.in_use" in {finding.code for finding in report.all_findings()}


def test_a_seal_that_the_city_stops_is_stopped_at_the_province_with_the_next_asking(
    pair: Pair,
) -> None:
    pair.ask()
    seal = pair.seal()
    before = pair.listed()
    with pair.city.world.begin() as tx:
        stop = stopping.Stop(seal.id, seal.keeper, "示例理由")
        stopping.suspend(tx, pair.city.world.seals, stop)
    assert pair.ask().trouble == ""
    after = pair.listed()
    with pair.city.world.begin() as tx:
        stopping.resume(tx, pair.city.world.seals, stop)
    digest = digest_of(seal.der or b"")
    assert before[digest][-1].state is SealState.IN_USE
    assert after[digest][-1].state is SealState.SUSPENDED


def test_the_list_tells_nothing_of_a_seal_before_it_is_made(pair: Pair) -> None:
    pair.ask()
    listed = pair.listed()
    assert {change.state for history in listed.values() for change in history} <= status.PUBLIC
    assert digest_of(pair.seal().der or b"") in listed


def test_how_far_it_was_heard_and_when_is_known(pair: Pair) -> None:
    never = pair.province.seal_nodes.standing(pair.node)
    assert never == Standing(pair.city.address)
    heard = pair.ask()
    assert heard == pair.province.seal_nodes.standing(pair.node)
    assert heard.last == heard.newest > 0
    assert heard.asked_at == heard.heard_at is not None


# --- What may happen between ---


def test_what_is_told_twice_or_to_two_at_once_counts_once(pair: Pair) -> None:
    start = threading.Barrier(4)
    standings: list[Standing] = []

    def ask() -> None:
        start.wait()
        standings.append(pair.ask())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {standing.trouble for standing in standings} == {""}
    told = pair.told()
    assert told > 0
    pair.ask()
    assert pair.told() == told


def test_after_a_crash_between_two_pages_it_goes_on_where_it_was(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "PAGE", 2)
    applied: list[int] = []

    def crashing(tx: Session, *told: Any) -> int:
        if len(applied) == 2:
            raise Crash
        applied.append(applying(tx, *told))
        return applied[-1]

    applying = hearing.apply
    monkeypatch.setattr(hearing, "apply", crashing)
    with pytest.raises(Crash):
        pair.ask()
    assert pair.told() == 4
    monkeypatch.setattr(hearing, "apply", applying)
    assert pair.ask().trouble == ""
    whole = pair.told()
    pair.forget()
    pair.ask()
    assert whole == pair.told() > 4


def test_of_a_long_register_so_much_is_taken_at_a_time(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "PAGE", 2)
    monkeypatch.setattr(seal_nodes, "_MOST_PAGES", 2)
    part = pair.ask()
    assert (pair.told(), part.trouble) == (4, "")
    assert part.last < part.newest
    pair.ask()
    assert pair.told() == 8


def test_one_nodes_trouble_stops_no_other(pair: Pair) -> None:
    pair.province.seal_nodes.ask_all()
    dead, city = map(pair.province.seal_nodes.standing, pair.province.seal_nodes.nodes)
    assert (dead.trouble, dead.heard_at) == ("unreachable", None)
    assert dead.asked_at is not None
    assert city.trouble == ""
    assert pair.told() > 0


@pytest.fixture
def tomorrow(pair: Pair) -> Iterator[Callable[[], datetime]]:
    """The city's clock on the next day, when its keys are no longer new."""
    pair.city.clock.tick(days=1)
    yield pair.city.clock
    pair.city.clock.tick(days=-1)


@pytest.mark.parametrize(
    ("ahead", "trouble"),
    [(-1, ""), (1, ""), (-60, "token.not_yet_valid"), (60, "token.expired")],
)
def test_clocks_may_differ_by_a_minute_and_a_clock_put_right_is_enough(
    pair: Pair, tomorrow: Callable[[], datetime], ahead: int, trouble: str
) -> None:
    asked = pair.ask(clock=lambda: tomorrow() + timedelta(minutes=ahead))
    assert asked.trouble == trouble
    assert (pair.told() > 0) is (trouble == "")
    assert pair.ask(clock=tomorrow).trouble == ""


# --- What is not believed ---


def flipped(page: bytes) -> bytes:
    middle = page.index(b".") + 20
    return page[:middle] + bytes([page[middle] ^ 1]) + page[middle + 1 :]


def signed_by_a_stranger(page: bytes) -> bytes:
    claims = _claims(page)
    return jose.sign(claims, STRANGER, flow.TOKEN_TYPE).encode()


def _claims(page: bytes) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(base64url.decode(page.split(b".")[1].decode()))
    return told


@pytest.mark.parametrize(
    ("bend", "trouble"),
    [
        (flipped, "token.bad_signature"),
        (signed_by_a_stranger, "token.unknown_key"),
        (lambda page: b"", "token.malformed"),
        (lambda page: page[:-40], "token.malformed"),
        (lambda page: "印".encode(), "protocol"),
    ],
    ids=["flipped", "stranger", "empty", "cut", "not_ascii"],
)
def test_a_page_that_was_changed_or_forged_is_refused_and_the_next_good_one_taken(
    pair: Pair, bend: Callable[[bytes], bytes], trouble: str
) -> None:
    assert pair.bent(bend).trouble == trouble
    assert pair.told() == 0
    assert pair.ask().trouble == ""


def test_a_page_of_another_node_is_refused(pair: Pair) -> None:
    own = httpx2.get(f"{pair.province.address}{CHANGES}").content
    assert pair.bent(lambda _: own).trouble == "token.unknown_key"
    # Not by the keys of its own list either, when these are not those that were pinned.
    with pair.province.begin() as tx:
        other = trust_publishing.newest_root(tx).root_keys
    stranger = replace(pair.node, root_keys=other)
    asking = SealNodes([stranger], pair.province.seals, Outgoing(loopback_allowed=True))
    assert asking.ask(stranger).trouble == "trust_list"
    assert pair.told() == 0


def test_an_older_page_in_the_place_of_the_newest_is_noticed(pair: Pair) -> None:
    first = httpx2.get(f"{pair.city.address}{CHANGES}").content
    told = pair.ask()
    replayed = pair.bent(lambda _: first)
    assert replayed.trouble == "other"
    assert (replayed.last, replayed.heard_at) == (told.last, told.heard_at)


def test_an_answer_has_an_end(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_nodes, "LARGEST_DOCUMENT", 1000)
    assert pair.ask().trouble == "too_large"


def test_a_city_that_was_restored_is_in_trouble_until_it_is_heard_anew(
    pair: Pair, tmp_path: Path
) -> None:
    pair.ask()
    told = pair.told()
    with pair.province.begin() as tx:
        tx.execute(update(NodeSealEventRow).values(at=NodeSealEventRow.at - timedelta(hours=1)))
    assert pair.ask().trouble == "rewritten"
    assert pair.ask().trouble == "rewritten"
    yinxin = Console(pair.environment, tmp_path)
    listed = pair.listed()
    assert yinxin("seal-nodes forget --yes", pair.city.address) == {"seals": len(listed)}
    assert (pair.told(), pair.listed()) == (0, {})
    assert pair.ask().trouble == ""
    assert (pair.told(), pair.listed()) == (told, listed)


def test_a_seal_that_two_nodes_tell_of_stays_with_the_first(pair: Pair) -> None:
    pair.ask()
    with pair.province.begin() as tx:
        other = "https://other.example.cn"
        tx.add(NodeRow(origin=other))
        tx.flush()
        tx.execute(update(NodeSealRow).values(origin=other))
        tx.execute(update(NodeRow).where(NodeRow.origin == pair.node.address).values(last=0))
    refused = pair.ask()
    assert (refused.trouble, refused.last) == ("taken", 0)
    with pair.province.begin() as tx:
        assert set(tx.scalars(select(NodeSealRow.origin))) == {other}


def test_what_nobody_foresaw_is_a_nodes_trouble_too(pair: Pair) -> None:
    def bend(_: bytes) -> bytes:
        raise RuntimeError

    assert pair.bent(bend).trouble == "internal"


# --- How it is handed out ---


def test_pages_are_for_everybody_and_kept_for_seconds(pair: Pair) -> None:
    answer = httpx2.get(f"{pair.city.address}{CHANGES}", params={"after": 0})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/jose"
    assert answer.headers["Cache-Control"] == "public, max-age=5"
    with pytest.raises(TokenError):
        flow.read_page(answer.text, pair.city.address, {}, pair.city.clock())


@pytest.mark.parametrize("after", ["-1", "x", str(2**31), "", "1.5"])
def test_after_what_is_a_number(pair: Pair, after: str) -> None:
    answer = httpx2.get(f"{pair.city.address}{CHANGES}", params={"after": after})
    assert answer.status_code == 422
    assert answer.json()["code"] == "request.invalid"


# --- What the operator sees ---


def test_the_operator_sees_how_it_stands_and_asks_at_once(pair: Pair, tmp_path: Path) -> None:
    yinxin = Console(pair.environment, tmp_path)
    rows = yinxin("seal-nodes list")
    assert [(row["name"], row["last"], row["asked_at"]) for row in rows] == [
        ("dead", 0, None),
        ("city", 0, None),
    ]
    (asked,) = yinxin("seal-nodes ask city")
    assert asked["last"] == asked["newest"] > 0
    assert "unreachable" in yinxin.refused("seal-nodes ask")
    assert [row["trouble"] for row in yinxin("seal-nodes list")] == ["unreachable", ""]
    assert "YINXIN_SEAL_NODES_FILE" in yinxin.refused("seal-nodes ask elsewhere")


def test_the_page_of_operations_says_what_works(pair: Pair, tmp_path: Path) -> None:
    page = Path(__file__).parents[2].joinpath("docs", "operations.md").read_text("utf-8")
    (part,) = (part for part in page.split("\n## ") if part.startswith("A city's seals in"))
    part = part.replace("https://yinxin.city-a.example", pair.city.address)
    part = re.sub(r"(/etc/yinxin/)?(city-a[a-z-]*\.json)", rf"{tmp_path}/\2", part)
    (file,) = re.findall(r"^```toml\n(.+?)```", part, re.MULTILINE | re.DOTALL)
    (tmp_path / "nodes.toml").write_text(file, "utf-8")
    in_city = {
        "YINXIN_DATABASE_URL": pair.city.world.engine.url.render_as_string(hide_password=False),
        "YINXIN_KEY_ENCRYPTION_KEY": pair.city.world.settings.secret("key_encryption_key"),
    }
    below = Console({**pair.environment, **in_city}, tmp_path)
    nodes = {"YINXIN_SEAL_NODES_FILE": str(tmp_path / "nodes.toml")}
    above = Console({**pair.environment, **nodes}, tmp_path)
    export, *commands = re.findall(r"^yinxin (.+)$", part, re.MULTILINE)
    below.says(export)
    for command in commands:
        above.says(command)
    assert {command.split()[1] for command in commands} == {"ask", "list", "forget"}
    (known,) = above("seal-nodes list")
    assert known["last"] == known["newest"] > 0


def test_the_job_asks_them_all(pair: Pair) -> None:
    job = pair.province.queue.jobs[seal_nodes.JOB]
    assert job.every == "* * * * *"
    job.run()
    assert pair.told() > 0


def test_while_the_city_is_down_the_province_keeps_what_it_was_told(pair: Pair) -> None:
    told, listed = pair.ask(), pair.listed()
    pair.stop_city()
    down = pair.ask()
    assert down.trouble == "unreachable"
    assert (down.last, down.heard_at) == (told.last, told.heard_at)
    assert pair.listed() == listed
