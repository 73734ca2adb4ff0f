"""Typing the commands on documents: at an English terminal, with the keys and files of a trial."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from typer.testing import CliRunner, Result

from service.cli import main
from tests.seal.time_stamping import answer

MADE_AT = "2026-05-20T09:00:00+08:00"
STAMPED_AT = "2026-05-20T09:30:00+08:00"
LATER = "2026-06-20T09:30:00+08:00"
VALUES = Path(__file__).parents[2] / "docs" / "examples" / "food_permit.json"


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, words)), env={"LANG": "en", "LC_ALL": None})


def done(*words: str | Path) -> str:
    result = typed(*words)
    assert result.exit_code == 0, f"{result.output} {result.exception!r}"
    return result.stdout


def by(folder: Path, name: str) -> tuple[str | Path, ...]:
    return "--key", folder / f"{name}.key", "--certificate", folder / f"{name}.pem"


@contextmanager
def authority_online() -> Iterator[str]:
    """Yield the address of a time stamp authority that speaks HTTP (RFC 3161 §3.4)."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/timestamp-query"
            told = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
