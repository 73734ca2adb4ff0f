"""What an operator can put right is told in a line, without a traceback: `@plainly()` on a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from service import embedded, running
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
    except OperationalError as error:
        raise SystemExit(f"yinxin: the database cannot be used: {error.orig}") from None
