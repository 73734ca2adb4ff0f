"""Judging files in turns: a few at once, a few waiting, the rest told to come back."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from fastapi.testclient import TestClient

from service import problems
from service.locale import locale_of, t
from tests.rig import Rig
from tests.verification.trust_world import NOW, PUBLIC_URL, Draft, Published, code, ofd
from verification.document import judge_file
from verification.errors import NotALicenceFile, VerificationBusy
from verification.http import app
from verification.turns import Turns
from verification.verdict import Answer
from verification.verifier import Verifier


@pytest.fixture
def busy() -> Verifier:
    """A verifier with two turns, of which each test takes what it wants."""
    return Verifier(Published(), lambda: NOW, PUBLIC_URL, Turns(2, waiting=0, patience=0.01))


@pytest.fixture
def client(busy: Verifier) -> Iterator[TestClient]:
    with TestClient(problems.install(app(busy, t, locale_of))) as client:
        yield client


def test_beyond_the_turns_a_file_is_turned_away_and_later_judged(
    busy: Verifier, client: TestClient
) -> None:
    file = {"file": ("a.ofd", ofd(Draft()))}
    with busy.turns.taken(), busy.turns.taken():
        refused = client.post("/files", files=file)
        scanned = client.post("/codes", json={"code": code()})

    assert (refused.status_code, refused.json()["code"]) == (503, "verification.busy")
    assert int(refused.headers["Retry-After"]) > 0
    # Only files are limited: a scan is cheap.
    assert scanned.json()["answer"] == "valid"
    assert client.post("/files", files=file).json()["answer"] == "valid"


def test_the_page_counts_in_the_same_turns(rig: Rig) -> None:
    http = rig.browser().http
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', http.get("/v").text)
    assert found
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(rig.world.verifier.turns.taken())
        page = http.post("/v", data={"csrf": found[1]}, files={"file": ("a.ofd", ofd(Draft()))})

    assert page.status_code == 503
    assert t("zh-CN", "error.verification.busy.detail") in page.text


def test_a_refused_file_gives_its_turn_back(busy: Verifier) -> None:
    for _ in range(3):
        with pytest.raises(NotALicenceFile):
            judge_file(busy, b"hello")


def test_who_waits_gets_the_turn_that_becomes_free() -> None:
    turns = Turns(1, waiting=1, patience=30)
    verifier = Verifier(Published(), lambda: NOW, PUBLIC_URL, turns)
    with ThreadPoolExecutor(1) as pool, ExitStack() as held:
        held.enter_context(turns.taken())
        waiting = pool.submit(judge_file, verifier, ofd(Draft()))
        held.close()
        assert waiting.result(timeout=30).answer is Answer.VALID


def test_nobody_waits_for_ever_and_not_everybody_waits() -> None:
    patient = Turns(1, waiting=1, patience=0.01)
    with patient.taken(), pytest.raises(VerificationBusy), patient.taken():
        pass
    endless = Turns(1, waiting=0, patience=3600)
    with endless.taken(), pytest.raises(VerificationBusy), endless.taken():
        pass
