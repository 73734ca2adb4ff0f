"""The walks of `./run demo`, and their faults."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.demo.cast import cast_of
from service.demo.journey import Journey
from service.demo.main_job import Walk, walk
from service.demo.people import WalkError
from tests.rig import CASES, Rig

# A legal entity with licences of both types, a person, and two people together.
_CASE_NUMBERS = {"SGXK-2025-0144", "SPJY-2025-00915", "SPJY-2025-00933", "SPJY-2025-00958"}


def walk_of(rig: Rig, folder: Path, said: list[str]) -> Walk:
    return Walk(
        base_url=rig.address,
        simulators_url=rig.world.simulators_url,
        cast=cast_of(rig.world),
        cases=[copy.deepcopy(case) for case in CASES if case["case"]["number"] in _CASE_NUMBERS],
        folder=folder,
        journey=Journey(said.append),
    )


def test_the_main_job_is_walked_from_registration_to_verdict(rig: Rig, tmp_path: Path) -> None:
    said: list[str] = []
    told = walk_of(rig, tmp_path, said)
    walk(told)
    told.journey.write(tmp_path / "journey.json")

    written = json.loads((tmp_path / "journey.json").read_text("utf-8"))
    assert written["outcome"] == "done"
    assert [step["outcome"] for step in written["steps"]] == ["done"] * len(said)
    for licence in told.licences:
        for suffix in ("ofd", "pdf", "png", "qr.png"):
            assert (tmp_path / f"{licence['identifier']}.{suffix}").stat().st_size > 500
    assert {path.name for path in (tmp_path / "certificates").iterdir()} >= {
        "sandbox-seal-ca.pem",
        "sandbox-document-ca.pem",
        "trust-root.json",
        "trust-list.jws",
    }
    rig.check_everything()


def test_a_step_that_fails_stops_the_walk_and_is_written_down(rig: Rig, tmp_path: Path) -> None:
    said: list[str] = []
    told = walk_of(rig, tmp_path, said)
    told.cases[0]["case"]["decision"] = "refused"
    with pytest.raises(WalkError, match=r"licence\.case\.undecided"):
        walk(told)
    told.journey.write(tmp_path / "journey.json")

    written = json.loads((tmp_path / "journey.json").read_text("utf-8"))
    assert written["outcome"] == "failed"
    assert [step["outcome"] for step in written["steps"]][-2:] == ["done", "failed"]
    assert said[-1].lstrip().startswith("✗")


def test_the_demo_keeps_to_servers_of_its_own_whatever_the_environment_names(
    server_folder: Path,
) -> None:
    var = server_folder / "demo"
    named = {
        "YINXIN_VAR": str(var),
        "YINXIN_DATABASE_URL": "postgresql+psycopg://yinxin@127.0.0.1:1/yinxin",
        "YINXIN_REDIS_URL": "redis://127.0.0.1:1",
        "YINXIN_SIMULATORS": "false",
    }
    done = subprocess.run(
        [sys.executable, "-m", "service.demo", "--once"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        env=os.environ | named,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    journey = json.loads((var / "demo" / "journey.json").read_text("utf-8"))
    assert journey["outcome"] == "done"
    assert "at the city by the province" in journey["steps"][-1]["name"], "identity is walked too"
    assert len(list((var / "demo").glob("1.2.156.*.ofd"))) == len(CASES)
