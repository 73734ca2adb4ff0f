"""Everything a use case of the licence store needs from outside, in one frozen dataclass."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from keys.algorithms import Purpose
from keys.protected_numbers import NumberProtector
from keys.signer import Signer
from license_store.catalogue import Catalogue, own_catalogue
from license_store.files import FileStore
from seal.life.desk import SealDesk


@dataclass(frozen=True, slots=True)
class Desk:
    """The collaborators of the issuing desk.

    `begin` opens a transaction; `clock` is aware UTC in whole seconds; `random(n)` gives n random
    bytes. `signer` is found by purpose and owner. `seals` is where the stamping service works.
    `defer` puts a job (see `jobs`) in the caller's transaction. `public_url` has no slash at its end.
    """

    begin: Callable[[], AbstractContextManager[Session]]
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    signer: Callable[[Session, Purpose, str], Signer]
    seals: SealDesk
    files: FileStore
    defer: Callable[[Session, str, Mapping[str, str]], None]
    protector: NumberProtector
    public_url: str
    catalogue: Catalogue = field(default_factory=own_catalogue)

    def status_list_url(self, number: int) -> str:
        """Return where status list `number` is published."""
        return f"{self.public_url}/api/licences/status-lists/{number}"
