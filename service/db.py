"""The database: its engine, and `begin`, the one way to open a transaction."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, MetaData, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

import idp.entities.tables
import idp.methods.tables
import idp.nodes.tables
import idp.staffing.tables
import idp.tables
import keys.tables
import license_store.tables
import seal.life.tables

_IDLE_SECONDS = 2.0

Begin = Callable[[], AbstractContextManager[Session]]

METADATA: tuple[MetaData, ...] = (
    keys.tables.metadata,
    seal.life.tables.metadata,
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
    engine = create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        hide_parameters=True,  # an error is logged: the row it is about must not be
        connect_args={"options": _OPTIONS, "application_name": "yinxin", **_PATIENCE},
    )
    _look_after_idle_connections(engine)
    return engine


def _look_after_idle_connections(engine: Engine) -> None:
    """Ask a connection that nobody used for a while whether it lives, before it is used.

    Asking each time (`pool_pre_ping`) costs a round trip a transaction, an eighth of a token.
    """

    def remember(_: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        record.info["last_used"] = time.monotonic()

    def ask(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - record.info.get("last_used", time.monotonic()) < _IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as dead:
            raise DisconnectionError from dead

    event.listen(engine, "checkin", remember)
    event.listen(engine, "checkout", ask)


def conninfo(url: str) -> str:
    """Return the SQLAlchemy URL `url` as libpq wants it, for a client beside SQLAlchemy."""
    parts = make_url(url)
    named = parts.translate_connect_args(username="user", database="dbname") | parts.query
    return make_conninfo("", **{name: str(value) for name, value in named.items()})


def reader(engine: Engine) -> Begin:
    """Return `reading`: `with reading() as tx:` asks a question or two, and writes nothing.

    Each statement stands alone: no round trips to begin and to end a transaction.
    """
    return sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"))


def beginner(engine: Engine) -> Begin:
    """Return `begin`: `with begin() as tx:` commits at the end of the block, or rolls back."""
    return sessionmaker(engine, expire_on_commit=False).begin
