"""Structured logs: one JSON object a line on standard error, without personal data."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

# Nothing should hand these over; if something does, they stop here.
_ID_NUMBER = re.compile(r"(?<![\w.])\d{17}[\dXx](?![\w.])")
_PHONE = re.compile(r"(?<![\w.])(?:\+?86)?1\d{10}(?![\w.])")


def _without_personal_data(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _PHONE.sub("[phone]", _ID_NUMBER.sub("[id number]", value))
    return event


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
    for name in ("alembic", "httpcore2", "httpx2", "procrastinate", "pyhanko", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
