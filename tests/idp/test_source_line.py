"""The line to a source over real HTTP: late, failing, senseless, unsigned and repeated answers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from idp.people_errors import RegisterUnavailable, SmsUnavailable, SourceUnavailable
from idp.sources.line import Answer, Endurance, Line, Source
from idp.sources.live_person import HttpLivePerson
from tests.idp.world import Clock, World, heard, served, source_line

SECRET = "330105188001010018"
AT_ONCE = Endurance(longest_wait=timedelta(0))


class Told(Answer):
    reference: str


class Scripted:
    """A source that answers by a script, its last line again and again."""

    def __init__(self, *script: Response) -> None:
        self.script = list(script)
        self.keys: list[str | None] = []
        self.signatures: list[str] = []

    async def answer(self, request: Request) -> Response:
        await request.body()
        self.keys.append(request.headers.get("idempotency-key"))
        self.signatures.append(request.headers["signature"])
        return self.script[min(len(self.keys), len(self.script)) - 1]


GOOD = JSONResponse({"reference": "r-1"})
DOWN = Response(status_code=503)


@contextmanager
def line_to(source: Scripted, endurance: Endurance = AT_ONCE) -> Iterator[Line]:
    app = Starlette(routes=[Route("/{path:path}", source.answer, methods=["POST"])])
    with served(app) as url, httpx2.Client(base_url=url, timeout=5) as client:
        signed = iter(range(100))
        names = iter(range(100))
        yield Line(
            Source.TAX,
            client,
            lambda *_: {"Signature": str(next(signed))},
            lambda: str(next(names)),
            endurance,
        )


def ask(line: Line, *, once: bool = False) -> Told:
    return line.ask("/ask", {"number": SECRET}, Told, once=once)


@pytest.mark.parametrize("silence", [429, 500, 502, 503, 504])
def test_a_source_that_says_later_is_asked_again(silence: int) -> None:
    source = Scripted(Response(status_code=silence), Response(status_code=silence), GOOD)
    with line_to(source) as line:
        assert ask(line).reference == "r-1"
    assert source.keys == ['"0"'] * 3, "one question, whatever the tries"
    assert len(set(source.signatures)) == 3, "each try is signed anew"


def test_a_source_that_stays_down_is_asked_three_times() -> None:
    source = Scripted(DOWN)
    with line_to(source) as line, pytest.raises(SourceUnavailable) as refused:
        ask(line)
    assert len(source.keys) == 3
    assert refused.value.parameters == {"source": "tax"}


def test_what_may_not_happen_twice_is_tried_once() -> None:
    source = Scripted(DOWN, GOOD)
    with line_to(source) as line, pytest.raises(SourceUnavailable):
        ask(line, once=True)
    assert source.keys == [None]


@pytest.mark.parametrize(
    "answer",
    [
        Response(status_code=400),
        Response(status_code=401),
        Response(status_code=404),
        Response(status_code=302, headers={"Location": "https://elsewhere.example"}),
        Response("no json"),
        JSONResponse({}),
        JSONResponse({"reference": 1}),
        JSONResponse([]),
    ],
    ids=["400", "401", "404", "302", "text", "nothing", "number", "list"],
)
def test_an_answer_that_makes_no_sense_is_not_asked_for_again(answer: Response) -> None:
    source = Scripted(answer)
    with line_to(source) as line, pytest.raises(SourceUnavailable):
        ask(line)
    assert len(source.keys) == 1


def test_after_six_failures_a_source_is_let_alone() -> None:
    source = Scripted(DOWN)
    with line_to(source) as line:
        for _ in range(10):
            with pytest.raises(SourceUnavailable):
                ask(line)
    assert len(source.keys) == 6


def test_after_its_rest_one_question_tells_that_it_is_back() -> None:
    source = Scripted(*[DOWN] * 6, GOOD)
    with line_to(source, Endurance(longest_wait=timedelta(0), rest=timedelta(0))) as line:
        for _ in range(2):
            with pytest.raises(SourceUnavailable):
                ask(line)
        assert ask(line).reference == "r-1"
        assert ask(line).reference == "r-1"
    assert len(source.keys) == 8


def test_rubbish_does_not_close_the_line() -> None:
    source = Scripted(*[Response("rubbish")] * 9, GOOD)
    with line_to(source) as line:
        for _ in range(9):
            with pytest.raises(SourceUnavailable):
                ask(line)
        assert ask(line).reference == "r-1"


def test_nobody_listening_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with httpx2.Client(base_url=url, timeout=1) as client, pytest.raises(SourceUnavailable):
        ask(source_line(Source.TAX, client))


def test_a_late_answer_is_no_answer(world: World) -> None:
    late = {"source": "tax", "down": False, "seconds": 2}
    world.sources.post("/sandbox/outage", json=late).raise_for_status()
    url = world.sources.base_url
    with httpx2.Client(base_url=url, timeout=0.05) as hasty, pytest.raises(SourceUnavailable):
        source_line(Source.TAX, hasty).ask("/tax/states", {"uscc": "9" * 18}, Told)


def test_a_source_that_is_not_connected_never_answers() -> None:
    with httpx2.Client() as client:
        line = source_line(Source.ALIPAY, client)
        with pytest.raises(SourceUnavailable):
            ask(line)
        with pytest.raises(SourceUnavailable):
            _ = line.url


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (Source.POPULATION, RegisterUnavailable),
        (Source.SMS, SmsUnavailable),
        (Source.TAX, SourceUnavailable),
    ],
)
def test_the_error_says_which_source(source: Source, error: type[SourceUnavailable]) -> None:
    with httpx2.Client() as client:
        refused = source_line(source, client).unavailable()
    assert type(refused) is error
    assert refused.parameters == {"source": source.value}


def test_what_was_asked_is_in_no_error_and_no_log_line() -> None:
    with (
        line_to(Scripted(DOWN)) as line,
        heard() as lines,
        pytest.raises(SourceUnavailable) as refused,
    ):
        ask(line)
    assert refused.value.__cause__ is None
    assert SECRET not in " ".join([*lines, repr(refused.value)])


def test_the_simulators_answer_nobody_whose_clock_is_wrong(world: World) -> None:
    clock = Clock()
    clock.tick(minutes=2)
    line = source_line(Source.TAX, world.sources, clock)
    with pytest.raises(SourceUnavailable):
        line.ask("/tax/states", {"uscc": "91990100MAXX91017F"}, Told)
    clock.tick(minutes=-2)
    assert line.ask("/tax/states", {"uscc": "91990100MAXX91017F"}, Told).reference


@pytest.mark.parametrize(
    ("score", "threshold"), [("1.5", "0.8"), ("NaN", "0.8"), ("0.9", "-1"), ("Infinity", "0")]
)
def test_a_score_that_is_none_passes_nobody(score: str, threshold: str) -> None:
    body = (
        '{"reference": "live-1", "outcome": "passed", "method": "face", "liveness": true, '
        f'"score": {score}, "threshold": {threshold}, "threshold_version": "1", '
        '"decided_by": "algorithm"}'
    )
    scripted = Scripted(Response(body, media_type="application/json"))
    with line_to(scripted) as line, pytest.raises(SourceUnavailable):
        HttpLivePerson(line).result("live-1")
