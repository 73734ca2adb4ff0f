"""The seals a body owns: recorded when made, found when stamping."""

from dataclasses import asdict, dataclass, fields
from typing import ClassVar

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from keys.errors import DomainError
from seal.tables import e_seal


class SealMissing(DomainError):
    """The body has no seal on record."""

    code: ClassVar[str] = "seal.missing"


@dataclass(frozen=True, slots=True)
class ESeal:
    """A recorded seal: `owner` is a USCC, `der` the SESeal, `width` and `height` are mm."""

    owner: str
    esid: str
    der: bytes
    picture_png: bytes
    width: int
    height: int


def record(
    tx: Session, owner: str, esid: str, der: bytes, picture: bytes, width: int, height: int
) -> None:
    """Record a seal of `owner`; it takes the place of an earlier one, which stays on record.

    An `esid` is recorded once: a second time raises SQLAlchemy's IntegrityError.
    """
    seal = ESeal(owner, esid, der, picture, width, height)
    tx.execute(insert(e_seal).values(asdict(seal)))


def seal_of(tx: Session, owner: str) -> ESeal:
    """Return the seal recorded last for `owner`. Raises `SealMissing`."""
    columns = [e_seal.c[field.name] for field in fields(ESeal)]
    newest = select(*columns).where(e_seal.c.owner == owner).order_by(e_seal.c.number.desc())
    row = tx.execute(newest.limit(1)).one_or_none()
    if row is None:
        raise SealMissing(owner=owner)
    return ESeal(**row._mapping)
