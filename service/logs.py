"""Structured logs: one JSON object a line on standard error, without personal data."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

# Nothing should hand these over; if something does, they stop here. An identifier's parts are
# joined by dots; in an address `%2B` stands before a number.
_APART = r"(?:(?<![\w.])|(?<=%[0-9A-Fa-f]{2}))"
_ID_NUMBER = re.compile(_APART + r"\d{17}[\dXx](?![\w.])")
_PHONE = re.compile(_APART + r"(?:\+?86)?1\d{10}(?![\w.])")


def _without_personal_data(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    return {name: _hidden(value) for name, value in event.items()}


def _hidden(value: Any) -> Any:
    """Return a logged value without numbers of people, however deep they stand."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        hidden = _PHONE.sub("[phone]", _ID_NUMBER.sub("[id number]", str(value)))
        return value if hidden == str(value) else hidden
    if isinstance(value, Mapping):
        return {_hidden(name): _hidden(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(inner) for inner in value]
    return value


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every log line, ours and the libraries', through one JSON renderer to `stream`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_personal_data,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # The libraries' chatter: every job poll, every outgoing request with its URL.
    quiet = max(logging.WARNING, logging.getLogger().level)
    for name in ("alembic", "httpcore2", "httpx2", "procrastinate", "pyhanko", "uvicorn"):
        logging.getLogger(name).setLevel(quiet)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
