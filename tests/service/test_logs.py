"""Logs: one JSON object a line, with what identifies a request and nothing that identifies a person."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from service import logs
from service.db import connect
from tests.rig import Rig


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What was logged. The logging of the tests themselves is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("info", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_one_json_object(written: io.StringIO) -> None:
    structlog.get_logger("yinxin.test").info("issued", licence="1.2.156", type="施工许可证")
    line = json.loads(written.getvalue())
    assert (line["event"], line["type"], line["level"]) == ("issued", "施工许可证", "info")


def test_a_librarys_line_looks_like_ours(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("odd %s", "thing")
    assert json.loads(written.getvalue())["event"] == "odd thing"


def test_an_exception_is_told_in_one_line(written: io.StringIO) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("yinxin.test").exception("failed")
    assert "ValueError: broken" in json.loads(written.getvalue())["exception"]


@pytest.mark.parametrize("number", ["11010118990307151X", "110101189903071510", "13800000000"])
@pytest.mark.parametrize(
    "told",
    [
        lambda number: f"number {number}, again",
        lambda number: f"/login?login_hint=%2B{number}&x=1",
        lambda number: [{"deep": (number,)}],
        lambda number: {number: 1},
        lambda number: f"first\n{number}",
    ],
)
def test_a_number_that_identifies_a_person_does_not_reach_the_log(
    written: io.StringIO, number: str, told: Callable[[str], object]
) -> None:
    structlog.get_logger("yinxin.test").info("checked", note=told(number))
    logging.getLogger("some.library").warning("checked %s", told(number))
    assert written.getvalue().count("checked") == 2
    assert number not in written.getvalue()


def test_a_number_that_is_no_text_is_hidden_and_others_stay(written: io.StringIO) -> None:
    structlog.get_logger("yinxin.test").info("checked", phone=13800000000, status=503, good=True)
    line = json.loads(written.getvalue())
    assert (line["phone"], line["status"], line["good"]) == ("[phone]", 503, True)


def test_the_address_of_an_outgoing_request_is_not_logged(written: io.StringIO, rig: Rig) -> None:
    assert rig.sms_code(rig.person().phone)
    rig.http.get("/login", params={"login_hint": "somebody"})
    for query in ("phone=", "login_hint", "somebody"):
        assert query not in written.getvalue()
    assert '"path": "/login"' in written.getvalue()


def test_an_error_about_a_row_does_not_tell_the_row(database: Engine) -> None:
    url = database.url.render_as_string(hide_password=False)
    engine = connect(url, 2)
    with pytest.raises(DBAPIError) as refused, engine.connect() as connection:
        connection.execute(text("SELECT 1 / (length(:name) - 3)"), {"name": "张三丰"})
    engine.dispose()
    assert "张三丰" not in str(refused.value)


def test_the_level_asked_for_holds_for_libraries_too() -> None:
    root, library = logging.getLogger(), logging.getLogger("uvicorn")
    handlers, level, own = root.handlers[:], root.level, library.level
    stream = io.StringIO()
    try:
        logs.configure("error", stream)
        library.warning("odd")
        library.error("broken")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        library.setLevel(own)
        structlog.reset_defaults()
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["broken"]


def test_a_licence_identifier_does(written: io.StringIO) -> None:
    identifier = "1.2.156.3005.2.11100000000013338W009.11100000XX00000001.110101199003071510.001.X"
    structlog.get_logger("yinxin.test").info("issued", licence=identifier)
    assert identifier in written.getvalue()
