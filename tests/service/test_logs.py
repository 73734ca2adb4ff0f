"""Logs: one JSON object a line, with what identifies a request and nothing that identifies a person."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from service import logs


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
def test_a_number_that_identifies_a_person_does_not_reach_the_log(
    written: io.StringIO, number: str
) -> None:
    structlog.get_logger("yinxin.test").info("checked", note=f"number {number}, again")
    assert number not in written.getvalue()


def test_a_licence_identifier_does(written: io.StringIO) -> None:
    identifier = "1.2.156.3005.2.11100000000013338W009.11100000XX00000001.110101199003071510.001.X"
    structlog.get_logger("yinxin.test").info("issued", licence=identifier)
    assert identifier in written.getvalue()
