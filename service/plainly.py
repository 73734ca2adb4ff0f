"""What an operator can put right is told in a line, without a traceback: `@plainly()` on a command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from keys.errors import DomainError
from service import embedded, locale, running
from service.locale import t
from service.settings import UnknownSettingError, WrongSettingError
from service.wiring import SandboxKeysError

_EXPECTED = (
    UnknownSettingError,
    WrongSettingError,
    SandboxKeysError,
    running.RefusedSettingsError,
    running.WeakSm2Error,
    running.PortTakenError,
    embedded.EmbeddedServerError,
    OSError,  # a folder that cannot be written, a full disk: the text names it
)


@contextmanager
def plainly() -> Iterator[None]:
    """End the program with a line for an error that is not the program's fault."""
    try:
        yield
    except _EXPECTED as error:
        raise SystemExit(f"yinxin: {error}") from None
    except DomainError as error:
        told = locale.of_terminal(os.environ)
        title = t(told, f"error.{error.code}.title", **error.parameters)
        detail = t(told, f"error.{error.code}.detail", **error.parameters)
        raise SystemExit(f"yinxin: {title}. {detail} [{error.code}]") from None
    except OperationalError as error:
        raise SystemExit(f"yinxin: the database cannot be used: {error.orig}") from None
