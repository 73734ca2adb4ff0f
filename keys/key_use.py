"""Every use of a private key is told: who, which key, for what, over which bytes, how it ended.

A signature whose telling fails is not given out, so none is out that the journal does not know.
"""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from keys import journal
from keys.algorithms import Purpose
from keys.opener import Opener
from keys.signer import PublicKey, Signer


class Outcome(StrEnum):
    """How the use of a key ended."""

    SIGNED = "signed"
    OPENED = "opened"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One use of a key. `digest` is SHA-256 over the message or the ciphertext, in hexadecimal."""

    at: datetime
    by: str
    kid: str
    purpose: Purpose
    owner: str
    digest: str
    outcome: Outcome


Record = Callable[[KeyUse], None]


@dataclass(frozen=True, slots=True)
class Watch:
    """Tells the uses of one owner's key for one purpose by one part of the system."""

    by: str
    purpose: Purpose
    owner: str
    clock: Callable[[], datetime]
    record: Record

    def tell(self, kid: str, content: bytes, outcome: Outcome) -> None:
        """Record that the key `kid` was used over `content`. Raises what the recording raises."""
        digest = hashlib.sha256(content).hexdigest()
        use = KeyUse(self.clock(), self.by, kid, self.purpose, self.owner, digest, outcome)
        self.record(use)


class Recorded:
    """A Signer that tells of each signature, and of each that failed, before it gives it out."""

    __slots__ = ("_signer", "_watch")

    def __init__(self, signer: Signer, watch: Watch) -> None:
        self._signer = signer
        self._watch = watch

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key that signs."""
        return self._signer.public_key

    def sign(self, message: bytes) -> bytes:
        """Return the signature over `message`, recorded. Raises what signing or recording raises."""
        try:
            signature = self._signer.sign(message)
        except Exception:
            self._watch.tell(self.public_key.kid, message, Outcome.FAILED)
            raise
        self._watch.tell(self.public_key.kid, message, Outcome.SIGNED)
        return signature

    def __repr__(self) -> str:
        return f"Recorded({self._signer!r})"


class RecordedOpener:
    """An Opener that tells of each ciphertext it opened, and of each it could not."""

    __slots__ = ("_opener", "_watch")

    def __init__(self, opener: Opener, watch: Watch) -> None:
        self._opener = opener
        self._watch = watch

    @property
    def public_key(self) -> PublicKey:
        """The public half of the key that opens."""
        return self._opener.public_key

    def open(self, locked: bytes) -> bytes:
        """Return what is in `locked`, recorded. Raises what opening or recording raises."""
        try:
            secret = self._opener.open(locked)
        except Exception:
            self._watch.tell(self.public_key.kid, locked, Outcome.FAILED)
            raise
        self._watch.tell(self.public_key.kid, locked, Outcome.OPENED)
        return secret

    def __repr__(self) -> str:
        return f"RecordedOpener({self._opener!r})"


def in_journal(begin: Callable[[], AbstractContextManager[Session]]) -> Record:
    """Return the recording into the journal: one row, in a transaction of its own.

    Of its own, because a signature exists whether or not the caller's transaction ends well.
    """

    def record(use: KeyUse) -> None:
        details = {
            "purpose": use.purpose.value,
            "owner": use.owner,
            "digest": use.digest,
            "outcome": use.outcome.value,
        }
        with begin() as tx:
            journal.append(
                tx, at=use.at, actor=use.by, action="key.used", subject=use.kid, details=details
            )

    return record
