"""The database: its engine, and `begin`, the one way to open a transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, MetaData, create_engine, make_url
from sqlalchemy.orm import Session, sessionmaker

import idp.tables
import keys.tables
import license_store.tables
import seal.tables

Begin = Callable[[], AbstractContextManager[Session]]

METADATA: tuple[MetaData, ...] = (
    keys.tables.metadata,
    seal.tables.metadata,
    license_store.tables.metadata,
    idp.tables.metadata,
)

# Nothing here waits long: a lock or statement that does is a fault to be seen, not sat out.
_OPTIONS = "-c timezone=UTC -c lock_timeout=10s -c statement_timeout=60s"
# The same for a server that is gone without a word: libpq by itself waits a quarter of an hour.
_PATIENCE = {
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def connect(url: str, pool: int) -> Engine:
    """Return an engine with at most `pool` connections; a dead one is replaced before use.

    No overflow: PostgreSQL forks a process for every connection beyond the pool.
    """
    return create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_pre_ping=True,
        hide_parameters=True,  # an error is logged: the row it is about must not be
        connect_args={"options": _OPTIONS, "application_name": "yinxin", **_PATIENCE},
    )


def conninfo(url: str) -> str:
    """Return the SQLAlchemy URL `url` as libpq wants it, for a client beside SQLAlchemy."""
    parts = make_url(url)
    named = parts.translate_connect_args(username="user", database="dbname") | parts.query
    return make_conninfo("", **{name: str(value) for name, value in named.items()})


def beginner(engine: Engine) -> Begin:
    """Return `begin`: `with begin() as tx:` commits at the end of the block, or rolls back."""
    return sessionmaker(engine, expire_on_commit=False).begin
