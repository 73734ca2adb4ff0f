"""What benchmarks with a database work on: a PostgreSQL of their own, a vault, authorities.

The PostgreSQL is the embedded one, as durable as in use, in a folder that is gone afterwards. So is
the Valkey of what works on the wired service.
"""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from keys.algorithms import Algorithm, Purpose
from keys.certificate_names import Subject
from keys.certificate_profiles import PERSON
from keys.founding import found_issuing, found_root
from keys.kek import key_encryption_keys
from keys.key_use import in_journal
from keys.sandbox_custodians import sandbox_consent
from keys.vault import MAKE, USE, Vault
from service import embedded, migrating, wiring
from service.chance import Chance
from service.db import Begin, beginner, connect
from service.settings import Settings
from service.wiring import Surroundings, World

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_CONNECTIONS = 4
_BY = "bench"


@dataclass(frozen=True, slots=True)
class Ground:
    """A database and a vault on it that writes each use of a key into the journal."""

    begin: Begin
    vault: Vault

    def authority(self, algorithm: Algorithm) -> str:
        """Found a root and, under it, an authority that certifies persons; return its name."""
        name = f"bench-{algorithm.name.lower()}"
        root, purpose = f"{name}-root", Purpose.ROOT_CERTIFICATES
        with self.begin() as tx:
            to_make = sandbox_consent(tx, self.vault, MAKE, purpose, root)
            to_use = sandbox_consent(tx, self.vault, USE, purpose, root)
            found_root(
                tx,
                self.vault,
                root,
                algorithm,
                Subject(root, _BY),
                by=_BY,
                to_make=to_make,
                to_use=to_use,
            )
            found_issuing(
                tx,
                self.vault,
                name,
                root,
                algorithm,
                (PERSON,),
                Subject(name, _BY),
                by=_BY,
                to_use=to_use,
            )
        return name


@contextmanager
def database() -> Iterator[Engine]:
    """Yield an engine on a fresh database with every table."""
    with _folder() as folder, embedded.postgres(folder, print, durable=True) as url:
        engine = connect(url, _CONNECTIONS)
        migrating.upgrade(engine)
        yield engine
        engine.dispose()


@contextmanager
def ground() -> Iterator[Ground]:
    """Yield a fresh ground; its clock stands still."""
    with database() as engine:
        begin, keks = beginner(engine), key_encryption_keys(secrets.token_bytes(32))
        vault = Vault(keks, lambda: NOW, secrets.token_bytes, in_journal(begin))
        yield Ground(begin, vault)


@contextmanager
def wired(chance: Chance) -> Iterator[World]:
    """Yield the service, wired on stores of its own; nobody serves it, and no source is connected."""
    with database() as engine, _folder() as folder, embedded.valkey(folder, print) as redis_url:
        settings = Settings.model_validate({"mode": "test", "var": folder, "worker": False})
        url = engine.url.render_as_string(hide_password=False)
        around = Surroundings(url, redis_url, "http://localhost:8080", "")
        with wiring.build(settings, around, chance) as world:
            yield world


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder with a short name, open to the account that the servers run under."""
    folder = Path(tempfile.mkdtemp(prefix="yinxin-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
