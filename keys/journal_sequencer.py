"""The journal's sequencer: chains what was written, in batches, and signs where the chain ends.

Signing is between two transactions. A sequencer that dies there leaves a chain without a head, and
the next one signs it; one that was overtaken throws its head away.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy.orm import Session

from keys import journal, journal_heads
from keys.algorithms import Purpose
from keys.journal_heads import Head
from keys.signer import PublicKey
from keys.vault import Vault

OWNER = "service"
_BY = "journal"

_Begin = Callable[[], AbstractContextManager[Session]]


def run(begin: _Begin, vault: Vault, clock: Callable[[], datetime]) -> Head | None:
    """Chain every committed row and sign the end; return the head, None when there is nothing new.

    Raises KeyNotFound, after chaining, when no active key has the purpose `journal`, and
    JournalBroken when what was chained does not follow from the newest head.
    """
    while _chain(begin, clock) == journal.BATCH:
        pass
    with begin() as tx:
        own = keys(tx, vault)
        newest = journal_heads.newest(tx, own)
        # A head is never signed over a chain that does not follow from the head before.
        new = journal.verify(tx, newest.head.position + 1 if newest else 1, keys=own)
        if new.rows == 0:
            return None
        head = journal_heads.following(newest, new.last_position, new.digest, clock())
        signer = vault.signer(tx, Purpose.JOURNAL, OWNER, by=_BY)
    signed = journal_heads.sign(head, signer)
    with begin() as tx:
        journal.hold_sequence(tx)
        return head if journal_heads.store(tx, signed) else None


def keys(tx: Session, vault: Vault) -> dict[str, PublicKey]:
    """Return the keys that heads are or were signed with, by kid, as the vault knows them."""
    records = vault.public_keys(tx, Purpose.JOURNAL)
    return {record.public_key.kid: record.public_key for record in records}


def _chain(begin: _Begin, clock: Callable[[], datetime]) -> int:
    with begin() as tx:
        return journal.chain(tx, clock).count
