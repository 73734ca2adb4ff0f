"""The service's own list of seals: signed when something changed, and before the last one runs out."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from keys.algorithms import Purpose
from keys.signer import Signer
from keys.vault import Vault
from seal.life import public_list
from seal.seal_list import SealList, sign_seal_list
from service.db import Begin

_LASTS = timedelta(hours=24)
_SIGNED_AGAIN_BEFORE_THE_END = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignedSeals:
    """A list, its signature, and the mark of the changes it tells."""

    mark: tuple[int, ...]
    seals: SealList
    token: str


class PublicSeals:
    """The list for `uri`, signed by the status list key of `owner`."""

    def __init__(
        self, begin: Begin, vault: Vault, clock: Callable[[], datetime], uri: str, owner: str
    ) -> None:
        self._begin = begin
        self._vault = vault
        self._clock = clock
        self._uri = uri
        self._owner = owner
        self._last: SignedSeals | None = None
        self._signing = threading.Lock()

    def current(self) -> SignedSeals:
        """Return the list of this moment: asked of the database each time, as a loss stops at once."""
        with self._begin() as tx:
            mark = public_list.mark(tx)
        with self._signing:
            last, now = self._last, self._clock()
            if last is None or last.mark != mark or not _lasts(last, now):
                last = self._last = self._sign(now)
        return last

    def _sign(self, now: datetime) -> SignedSeals:
        with self._begin() as tx:
            mark = public_list.mark(tx)
            seals = SealList(self._uri, now + _LASTS, public_list.histories(tx))
            signer: Signer = self._vault.signer(
                tx, Purpose.STATUS_LIST, self._owner, by=self._owner
            )
        return SignedSeals(mark, seals, sign_seal_list(seals, signer, now))


def _lasts(signed: SignedSeals, now: datetime) -> bool:
    # No longer than it was made for either: a clock may have been set back.
    return _SIGNED_AGAIN_BEFORE_THE_END < signed.seals.ends_at - now <= _LASTS
