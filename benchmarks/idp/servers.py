"""The two servers of these benchmarks, each a process of its own: ours with its stores, and the anchor."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.idp.load import CALLBACK
from service import sandbox_citizen

ANCHOR = Path(__file__).parent / "anchor"
SECRET = "bench-secret-of-more-than-32-characters"  # noqa: S105 - of a server that lives for a minute
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 120
_CLIENTS = [
    {
        "client_id": "machine",
        "client_secret": SECRET,
        "client_name": "Bench machine",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "scope": "licence.lookup",
        "organisation": "11990100MBXX90034B",
        "resources": ["http://localhost/api/licences"],
    },
    {
        "client_id": "portal",
        "client_secret": SECRET,
        "client_name": "Bench portal",
        "redirect_uris": [CALLBACK],
        "scope": "openid profile",
        "id_token_signed_response_alg": "ES256",
        "consent": "by-policy",
    },
]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its port, and the process whose family does the work.

    `paths` are those of the endpoints by name, `sign_in` what its sign-in form is filled in with.
    """

    port: int
    pid: int
    secret: str
    paths: Mapping[str, str]
    sign_in: Mapping[str, str]

    def cpu_seconds(self) -> float:
        """The processor time of the process and all that came from it, stores included."""
        return sum(_cpu_seconds(pid) for pid in _family(self.pid))


@contextmanager
def ours() -> Iterator[Server]:
    """Yield the service as `yinxin serve` runs it, PostgreSQL and Valkey embedded."""

    folder = Path(tempfile.mkdtemp(prefix="yinxin-bench-"))
    folder.chmod(0o755)
    port = _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("YINXIN_")},
        "YINXIN_VAR": str(folder / "var"),
        "YINXIN_PORT": str(port),
        "YINXIN_LOG_LEVEL": "error",
    }
    command = Path(sys.executable).with_name("yinxin")
    (folder / "clients.json").write_text(json.dumps(_CLIENTS), "utf-8")
    try:
        with _running([str(command), "serve"], environment, port) as pid:
            imported = [str(command), "clients", "import", str(folder / "clients.json")]
            subprocess.run(imported, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
            yield Server(
                port,
                pid,
                SECRET,
                {
                    "discovery": "/oidc/.well-known/openid-configuration",
                    "jwks": "/oidc/jwks",
                    "authorize": "/oidc/authorize",
                    "token": "/oidc/token",
                    "introspection": "/oidc/introspect",
                    "userinfo": "/oidc/userinfo",
                },
                {"username": sandbox_citizen.USERNAME, "password": sandbox_citizen.PASSWORD},
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def anchor() -> Iterator[Server | None]:
    """Yield npm oidc-provider in one process, in memory; `None` where it is not installed."""
    node = shutil.which("node")
    if node is None or not (ANCHOR / "node_modules").is_dir():
        yield None
        return
    port = _free_port()
    with _running([node, str(ANCHOR / "server.mjs"), str(port)], dict(os.environ), port) as pid:
        yield Server(
            port,
            pid,
            "bench-secret",
            {
                "discovery": "/.well-known/openid-configuration",
                "jwks": "/jwks",
                "authorize": "/auth",
                "token": "/token",
                "introspection": "/token/introspection",
                "userinfo": "/me",
            },
            {"login": "bench", "password": "bench"},
        )


@contextmanager
def _running(command: list[str], environment: Mapping[str, str], port: int) -> Iterator[int]:
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _family(pid: int) -> set[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except OSError:
                continue
    family = {pid}
    while found := {child for child, parent in parents.items() if parent in family} - family:
        family |= found
    return family


def _cpu_seconds(pid: int) -> float:
    try:
        fields = _stat(pid)
    except OSError:
        return 0.0
    # proc(5): user and system time, of the process and of its children that have ended.
    return sum(int(fields[place]) for place in (11, 12, 13, 14)) / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on: the second may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
