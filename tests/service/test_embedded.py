"""The embedded servers: what a test, a demo and a small installation stand on."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import redis
from sqlalchemy import Engine, create_engine, text

from service import embedded
from service.unprivileged import NOBODY, Account, under_a_name

_SERVE_UNTIL_KILLED = """
import sys, time
from pathlib import Path
from typing import LiteralString
from service import embedded
var = Path(sys.argv[1])
with embedded.claim(var), embedded.postgres(var, print) as database, embedded.valkey(var, print) as cache:
    print("ready", database, cache, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def var(server_folder: Path, request: pytest.FixtureRequest) -> Path:
    """A folder of its own for one test's servers."""
    return server_folder / f"var-{request.node.name[-20:]}"


@pytest.fixture
def own_temporary_folder(server_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what goes to the system's temporary folder go with this test's files."""
    monkeypatch.setattr(tempfile, "tempdir", str(server_folder))


def test_the_database_of_a_test_is_a_real_postgresql(database: Engine) -> None:
    with database.connect() as connection:
        assert str(connection.scalar(text("SHOW server_version"))).startswith("17.")


def test_the_database_keeps_chinese_whatever_the_machines_locale(database: Engine) -> None:
    with database.connect() as connection:
        assert connection.scalar(text("SELECT length('示例市𬭎')")) == 4


def test_the_cache_of_a_test_is_a_real_valkey(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.info("server")["server_name"] == "valkey"


def test_no_server_runs_as_root(postgres: str, server_folder: Path) -> None:
    owner = (server_folder / "postgres").stat().st_uid
    assert owner == (NOBODY if os.geteuid() == 0 else os.geteuid())


def test_an_account_without_a_name_is_lent_one() -> None:
    nameless = Account(4_000_000_001, 4_000_000_001)
    assert under_a_name(nameless, ["initdb"])[0] == "unshare"
    assert under_a_name(Account(None, None), ["initdb"]) == ["initdb"]


def test_rows_are_there_again_after_an_orderly_stop(var: Path) -> None:
    _write_a_row(var)
    with embedded.postgres(var, print) as url:
        assert _ask(url, "SELECT count(*) FROM kept") == 1


def test_a_stopped_server_is_gone(var: Path) -> None:
    with embedded.postgres(var, print, durable=False) as url:
        pass
    with pytest.raises(psycopg.OperationalError):
        _ask(url, "SELECT 1")


def test_a_client_that_hangs_on_does_not_hold_up_the_stop(var: Path) -> None:
    with embedded.postgres(var, print, durable=False) as url:
        client = psycopg.connect(_for_libpq(url))
        began = time.monotonic()
    assert time.monotonic() - began < 5
    client.close()


def test_a_killed_service_leaves_no_server_behind_and_its_rows_are_recovered(var: Path) -> None:
    _write_a_row(var)
    service = subprocess.Popen(
        [sys.executable, "-c", _SERVE_UNTIL_KILLED, str(var)], stdout=subprocess.PIPE, text=True
    )
    assert service.stdout is not None
    *_, database, cache = next(line for line in service.stdout if line.startswith("ready")).split()
    _ask(database, "INSERT INTO kept VALUES (2) RETURNING n")
    service.send_signal(signal.SIGKILL)
    service.wait()
    service.stdout.close()
    _wait_until(lambda: not _answers(cache))
    with embedded.claim(var), embedded.postgres(var, print) as url:
        assert _ask(url, "SELECT count(*) FROM kept") == 2


def test_a_second_service_on_one_folder_is_told_who_has_it(var: Path) -> None:
    second = embedded.claim(var)
    with embedded.claim(var), pytest.raises(embedded.FolderInUse, match=str(os.getpid())):
        second.__enter__()


@pytest.mark.usefixtures("own_temporary_folder")
def test_a_folder_too_deep_for_a_socket_gets_its_sockets_elsewhere(server_folder: Path) -> None:
    deep = server_folder / ("d" * 90) / ("e" * 90)
    with embedded.valkey(deep, print) as url, redis.Redis.from_url(url) as client:
        assert client.ping()


def test_a_folder_with_a_space_in_its_path_will_do(server_folder: Path) -> None:
    spaced = server_folder / "with a space"
    with (
        embedded.postgres(spaced, print, durable=False) as url,
        embedded.valkey(spaced, print) as cache,
    ):
        assert _ask(url, "SELECT 1") == 1
        assert _answers(cache)


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has folders closed to the servers' account"
)
@pytest.mark.usefixtures("own_temporary_folder")
def test_roots_closed_folder_is_left_and_the_log_says_where_to(server_folder: Path) -> None:
    closed = server_folder / "closed"
    closed.mkdir(mode=0o700)
    said: list[str] = []
    with embedded.postgres(closed / "var", said.append, durable=False) as url:
        assert _ask(url, "SELECT 1") == 1
    with embedded.postgres(closed / "var", said.append, durable=False) as again:
        assert again == url
    assert any("the database is kept in" in line for line in said)


def _write_a_row(var: Path) -> None:
    with embedded.postgres(var, print) as url, psycopg.connect(_for_libpq(url)) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def _ask(url: str, query: LiteralString) -> int:
    with psycopg.connect(_for_libpq(url)) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _for_libpq(url: str) -> str:
    return url.replace("+psycopg", "")


def _answers(cache: str) -> bool:
    with redis.Redis.from_url(cache) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def _wait_until(so: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_command_joins_the_database_of_a_running_service_or_runs_one(var: Path) -> None:
    def rows(url: str) -> int:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS kept (number int)"))
            connection.execute(text("INSERT INTO kept VALUES (1)"))
            found = connection.scalar(text("SELECT count(*) FROM kept"))
        engine.dispose()
        return int(found or 0)

    with embedded.database(var, print) as own:
        assert rows(own) == 1
        with embedded.database(var, print) as joined:
            assert rows(joined) == 2
        assert rows(own) == 3
