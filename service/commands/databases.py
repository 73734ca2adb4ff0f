"""Databases of commands that look at no more than the tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from service import embedded
from service.db import connect


@contextmanager
def connected(url: str) -> Iterator[Engine]:
    """Yield an engine on the database at `url`, closed afterwards."""
    engine = connect(url, 2)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def empty_database() -> Iterator[Engine]:
    """Yield an engine on a database that is thrown away, with its server."""
    with embedded.thrown_away() as url, connected(url) as engine:
        yield engine
