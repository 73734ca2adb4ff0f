"""What an operator can put right is told in a line, without a traceback: `@plainly()` on a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from service.mistakes import OperatorMistake


@contextmanager
def plainly() -> Iterator[None]:
    """End the program with a line for an error that is not the program's fault."""
    try:
        yield
    except (OperatorMistake, OSError) as error:  # an OSError's text names the folder or the disk
        raise SystemExit(f"yinxin: {error}") from None
    except Exception as error:
        # Loaded only here: a command on files starts without a database.
        from sqlalchemy.exc import OperationalError

        if isinstance(error, OperationalError):
            raise SystemExit(f"yinxin: the database cannot be used: {error.orig}") from None
        raise
