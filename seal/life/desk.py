"""Everything a use case of the seals' life needs from outside, in one frozen dataclass."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from keys.vault import Vault
from seal.time_proof import TimeStamper


@dataclass(frozen=True, slots=True)
class SealDesk:
    """The collaborators of the desk where seals are kept.

    `begin` opens a transaction; `clock` is aware UTC in whole seconds; `random(n)` gives n random
    bytes. The keys of a seal are the vault's, owned by its esid; `maker` owns the key that makes
    seals and the one that signs the register's changes, which `public_url`, the service's address,
    tells as its own; `vendor` is the maker's id in seals (ASCII, the `Vid` of GB/T 38540). `in_token` has
    the keys of seals made in the vault's PKCS#11 token. `time_stamper` gives who proves the time of
    stamps by a kind of digest ("sm3", "sha256"); without it a stamp has its own word for it.
    """

    begin: Callable[[], AbstractContextManager[Session]]
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    vault: Vault
    maker: str
    vendor: str
    in_token: bool = False
    time_stamper: Callable[[str], TimeStamper] | None = None
    public_url: str = ""

    def new_id(self) -> UUID:
        """Return an id that nobody can guess."""
        return UUID(bytes=self.random(16), version=4)
