"""What has lapsed is deleted, a batch at a time, so that no table grows for ever."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Table, delete, or_, select, tuple_
from sqlalchemy.orm import Session

from idp import releases
from idp.levels import EvidenceKind
from idp.methods import devices
from idp.tables import metadata

BATCH = 1000
"""How many rows one transaction deletes: none holds its locks for long."""

SHOWN_FOR = timedelta(days=30)
"""How long an ended sign-on is kept, and with it how its clients were told of the end."""

Begin = Callable[[], AbstractContextManager[Session]]

_RELEASE = metadata.tables["idp.release"]
_REFRESH_TOKEN = metadata.tables["idp.refresh_token"]
_REVOCATION = metadata.tables["idp.revocation"]
_SESSION = metadata.tables["idp.session"]
_SESSION_CLIENT = metadata.tables["idp.session_client"]
_LOGOUT_NOTICE = metadata.tables["idp.logout_notice"]
_DEVICE = metadata.tables["idp.device"]
_EVIDENCE = metadata.tables["idp.evidence"]


def run(begin: Begin, now: datetime) -> dict[str, int]:
    """Delete what has lapsed at `now`; return how many rows of which table."""
    long_ago = now - SHOWN_FOR
    over = or_(_SESSION.c.ended_at < long_ago, _SESSION.c.expires_at < long_ago)
    # In this order: what tells of a sign-on goes before the sign-on.
    lapsed = (
        (_REFRESH_TOKEN, _REFRESH_TOKEN.c.expires_at <= now),
        (_REVOCATION, _REVOCATION.c.until <= now),
        (_LOGOUT_NOTICE, _LOGOUT_NOTICE.c.asked_at < long_ago),
        (_SESSION_CLIENT, _SESSION_CLIENT.c.sid.in_(select(_SESSION.c.sid).where(over))),
        (_SESSION, over),
        (_RELEASE, _RELEASE.c.at < now - releases.KEPT),
        (_DEVICE, _DEVICE.c.seen_at < now - devices.KEPT),
        # Another node's word comes anew with every sign-in there, and stands for that one alone.
        (_EVIDENCE, _is_lapsed_word(long_ago)),
    )
    return {table.name: _delete(begin, table, condition) for table, condition in lapsed}


def _is_lapsed_word(long_ago: datetime) -> ColumnElement[bool]:
    is_word = _EVIDENCE.c.kind == EvidenceKind.UPSTREAM
    return is_word & (_EVIDENCE.c.valid_until < long_ago)


def _delete(begin: Begin, table: Table, condition: ColumnElement[bool]) -> int:
    names = table.primary_key.columns
    batch = select(*names).where(condition).limit(BATCH).cte("batch").prefix_with("MATERIALIZED")
    # The condition once more: a row that somebody kept from lapsing meanwhile stays.
    chosen = tuple_(*names).in_(select(batch))
    statement = delete(table).where(chosen, condition).returning(names[0])
    deleted, last = 0, BATCH
    while last == BATCH:
        with begin() as tx:
            last = len(tx.scalars(statement).all())
        deleted += last
    return deleted
