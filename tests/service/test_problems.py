"""Errors as problem+json: a sentence in the caller's language, the right status, and no secret."""

import asyncio
from typing import Annotated, Any

import httpx2
import pytest
import structlog
from fastapi import FastAPI, Form
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError
from starlette.types import ASGIApp
from structlog.testing import LogCapture

from license_store.errors import FieldProblem, FieldsWrong, TokenMissing, TypeUnknown
from service.middleware import BodyLimit, Numbered, SafeHeaders, safe_headers
from service.problems import install, status_of

_SECRET = "330105188001010018"


class _Body(BaseModel):
    count: int


def _app() -> ASGIApp:
    api = FastAPI()

    @api.get("/fails/{how}")
    def fails(how: str) -> None:
        raise {
            "type": TypeUnknown(type_code="X1"),
            "fields": FieldsWrong((FieldProblem("scale", "licence.field.missing"),)),
            "token": TokenMissing(),
            "unforeseen": RuntimeError(_SECRET),
            "database": OperationalError(_SECRET, {}, Exception(_SECRET)),
        }[how]

    @api.post("/counts")
    def counts(body: _Body) -> int:
        return body.count

    @api.post("/forms")
    def forms(text: Annotated[str, Form()]) -> int:
        return len(text)

    root = FastAPI()
    root.mount("/api", install(api))
    install(root)
    return Numbered(
        SafeHeaders(BodyLimit(root, 1000, 3000), safe_headers(True)), lambda: "number-1"
    )


def _ask(method: str, path: str, locale: str = "en", **how: Any) -> httpx2.Response:
    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=_app())
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers={"Accept-Language": locale}, **how)

    return asyncio.run(ask())


@pytest.mark.parametrize(("locale", "title"), [("en", "type"), ("zh-CN", "类型")])
def test_an_error_is_told_in_the_callers_language(locale: str, title: str) -> None:
    answer = _ask("GET", "/api/fails/type", locale)
    told = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Content-Language"] == locale
    assert title in told["title"]
    assert "X1" in told["detail"]
    assert (told["status"], answer.status_code) == (422, 422)
    assert told["code"] == "licence.type.unknown"
    assert told["type"] == "/problems/licence.type.unknown"


def test_a_problem_carries_the_number_of_its_request() -> None:
    answer = _ask("GET", "/api/fails/type")
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"] == "number-1"


def test_every_wrong_field_is_named() -> None:
    errors = _ask("GET", "/api/fails/fields").json()["errors"]
    assert [(e["field"], e["code"]) for e in errors] == [("scale", "licence.field.missing")]


def test_a_missing_token_is_asked_for() -> None:
    answer = _ask("GET", "/api/fails/token")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer, DPoP")


def test_malformed_input_names_the_field_and_never_its_value() -> None:
    answer = _ask("POST", "/api/counts", json={"count": _SECRET + "x"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["body.count"]
    assert _SECRET not in answer.text


@pytest.mark.parametrize(
    ("body", "locale", "told"),
    [
        ({}, "zh-CN", "缺少此字段。"),
        ({}, "en", "This field is missing."),
        ({"count": "x"}, "zh-CN", "内容不正确。"),
    ],
)
def test_what_is_wrong_with_a_field_is_told_in_the_callers_language(
    body: dict[str, str], locale: str, told: str
) -> None:
    (error,) = _ask("POST", "/api/counts", locale, json=body).json()["errors"]
    assert error["detail"] == told


def test_an_error_nobody_foresaw_says_nothing_but_the_number() -> None:
    answer = _ask("GET", "/api/fails/unforeseen")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal"
    assert answer.json()["request_id"] == "number-1"
    assert _SECRET not in answer.text


def test_an_error_nobody_foresaw_is_logged_once() -> None:
    log = LogCapture()
    structlog.configure(processors=[log])
    try:
        _ask("GET", "/api/fails/unforeseen")
    finally:
        structlog.reset_defaults()
    assert [entry["event"] for entry in log.entries] == ["unforeseen", "request"]


def test_a_database_that_is_away_is_an_outage_and_not_a_fault() -> None:
    answer = _ask("GET", "/api/fails/database")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert _SECRET not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/nowhere", "request.not_found"),
        ("GET", "/nowhere", "request.not_found"),
        ("DELETE", "/api/counts", "request.method_not_allowed"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(method: str, path: str, code: str) -> None:
    assert _ask(method, path).json()["code"] == code


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    answer = _ask("POST", "/api/counts", content=b"x" * 1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


@pytest.mark.parametrize(("size", "status"), [(2000, 200), (3001, 413)])
def test_an_upload_may_be_larger_than_a_text(size: int, status: int) -> None:
    answer = _ask("POST", "/api/forms", data={"text": "printed"}, files={"file": b"x" * size})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/api/counts", "application/json"), ("/api/forms", "application/x-www-form-urlencoded")],
)
def test_a_body_that_turns_out_too_large_is_stopped(path: str, kind: str) -> None:
    async def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 100

    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=_app())
        async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.post(path, content=pieces(), headers={"Content-Type": kind})

    answer = asyncio.run(ask())
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


def test_every_answer_keeps_the_browser_careful() -> None:
    headers = _ask("GET", "/api/fails/type").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("token.expired", 401),
        ("token.scope_missing", 403),
        ("number.resident_id.check", 422),
        ("licence.unknown", 404),
        ("no.such.code", 500),
    ],
)
def test_a_code_has_its_own_status_or_that_of_its_beginning(code: str, status: int) -> None:
    assert status_of(code) == status
