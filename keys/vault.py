"""Private keys at rest and at hand: wrapped under the key-encryption key in the database, parsed once.

Nobody gets a private key out of here, only a Signer. Each row is bound to its purpose and owner, so
rows cannot be swapped behind the vault's back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.orm import Session

from keys.algorithms import ALGORITHMS, Algorithm, Purpose
from keys.errors import DomainError
from keys.public_keys import public_key
from keys.signer import PublicKey, Signer
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate
from keys.tables import certificate as certificates
from keys.tables import private_key
from keys.wrapping import Wrapper

ACTIVE = "active"


class KeyNotFound(DomainError):
    """There is no active key of this purpose for this owner."""

    code = "key.not_found"


class KeyExists(DomainError):
    """There already is an active key of this purpose for this owner."""

    code = "key.exists"


class PurposeRefused(DomainError):
    """The algorithm may not sign for this purpose."""

    code = "key.purpose_refused"


class CertificateNotFound(DomainError):
    """The key of this purpose and owner has no certificate yet."""

    code = "certificate.not_found"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What may be known of a key. `owner` is a 统一社会信用代码, `service`, or a root's name."""

    public_key: PublicKey
    purpose: Purpose
    owner: str
    made_at: datetime
    state: str


class Vault:
    """The one holder of the key-encryption key."""

    def __init__(
        self, kek: bytes, clock: Callable[[], datetime], random: Callable[[int], bytes]
    ) -> None:
        """Take the 32-byte key-encryption key; ValueError for another size."""
        self._wrapper = Wrapper(kek)
        self.clock = clock
        self.random = random
        self._parsed: dict[str, Signer] = {}
        self._parsing = Lock()

    def make(self, tx: Session, purpose: Purpose, owner: str, algorithm: Algorithm) -> PublicKey:
        """Make the key of a purpose and owner. Raises KeyExists, PurposeRefused."""
        if purpose not in algorithm.may_sign:
            raise PurposeRefused(purpose=purpose.value, algorithm=algorithm.name)
        material = generate(algorithm, self.random)
        key = SoftwareSigner(material, self.random).public_key
        row = {
            "kid": key.kid,
            "purpose": purpose.value,
            "owner": owner,
            "algorithm": algorithm.name,
            "spki": key.spki,
            "wrapped": self._wrapper.wrap(
                material.pkcs8, _belongs_to(key.kid, purpose, owner), self.random
            ),
            "state": ACTIVE,
            "made_at": self.clock(),
        }
        made = insert_unless(private_key).on_conflict_do_nothing().returning(private_key.c.kid)
        if tx.execute(made, row).first() is None:
            raise KeyExists(purpose=purpose.value, owner=owner)
        return key

    def signer(self, tx: Session, purpose: Purpose, owner: str) -> Signer:
        """Return the signer of a purpose and owner; it stays good after the transaction.

        Raises KeyNotFound, and SecretUnreadable under another key-encryption key.
        """
        row = self._active(tx, purpose, owner)
        with self._parsing:
            if row.kid not in self._parsed:
                self._parsed[row.kid] = self._parse(row)
            return self._parsed[row.kid]

    def public_keys(self, tx: Session, purpose: Purpose | None = None) -> list[KeyRecord]:
        """Return every key, or those of one purpose, oldest first."""
        query = select(private_key).order_by(private_key.c.made_at, private_key.c.kid)
        if purpose is not None:
            query = query.where(private_key.c.purpose == purpose.value)
        return [
            KeyRecord(public_key(r.spki), Purpose(r.purpose), r.owner, r.made_at, r.state)
            for r in tx.execute(query)
        ]

    def store_certificate(
        self, tx: Session, purpose: Purpose, owner: str, der: bytes, chain: tuple[bytes, ...]
    ) -> None:
        """Keep a certificate for the key and the issuers above it, nearest first. Raises KeyNotFound."""
        row = self._active(tx, purpose, owner)
        tx.execute(insert(certificates).values(kid=row.kid, der=der, chain=list(chain)))

    def certificate(
        self, tx: Session, purpose: Purpose, owner: str
    ) -> tuple[bytes, tuple[bytes, ...]]:
        """Return the newest certificate of the key and its chain. Raises CertificateNotFound."""
        query = (
            select(certificates.c.der, certificates.c.chain)
            .where(certificates.c.kid == self._active(tx, purpose, owner).kid)
            .order_by(certificates.c.id.desc())
            .limit(1)
        )
        found = tx.execute(query).first()
        if found is None:
            raise CertificateNotFound(purpose=purpose.value, owner=owner)
        return found.der, tuple(found.chain)

    def __repr__(self) -> str:
        return "Vault()"

    def _active(self, tx: Session, purpose: Purpose, owner: str) -> Row[tuple[object, ...]]:
        query = select(private_key).where(
            private_key.c.purpose == purpose.value,
            private_key.c.owner == owner,
            private_key.c.state == ACTIVE,
        )
        row = tx.execute(query).first()
        if row is None:
            raise KeyNotFound(purpose=purpose.value, owner=owner)
        return row

    def _parse(self, row: Row[tuple[object, ...]]) -> Signer:
        belongs_to = _belongs_to(row.kid, Purpose(row.purpose), row.owner)
        pkcs8 = self._wrapper.unwrap(row.wrapped, belongs_to)
        return SoftwareSigner(PrivateMaterial(ALGORITHMS[row.algorithm], pkcs8), self.random)


def _belongs_to(kid: str, purpose: Purpose, owner: str) -> str:
    return f"private-key {kid} {purpose.value} {owner}"
