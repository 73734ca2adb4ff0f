"""Legal entities: who they are, and how they are found by any number they ever had."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.entities.tables import EntityAliasRow, EntityRow
from idp.entity_errors import AliasTaken, AliasWrong, EntityUnknown
from idp.provider import Provider
from keys import journal
from keys.identity_numbers import NumberWrong, uscc


class Category(StrEnum):
    """What kind of entity, by the service-object codes of GB/T 39046-2020."""

    ENTERPRISE = "2"
    INSTITUTION = "3"
    SOCIAL_ORGANISATION = "4"
    AUTHORITY = "5"
    OTHER = "6"


class Alias(StrEnum):
    """The five numbers that 五码合一 made one."""

    REGISTRATION = "registration-number"
    """工商注册号"""

    ORGANISATION = "organisation-code"
    """组织机构代码"""

    TAX = "tax-number"
    """税务登记号"""

    SOCIAL_INSURANCE = "social-insurance-number"
    """社会保险号"""

    STATISTICS = "statistics-number"
    """统计登记号"""


_CATEGORIES: Mapping[str, Category] = MappingProxyType(
    {
        "11": Category.AUTHORITY,
        "12": Category.INSTITUTION,
        "13": Category.SOCIAL_ORGANISATION,
        "51": Category.SOCIAL_ORGANISATION,
        "52": Category.SOCIAL_ORGANISATION,
        "53": Category.SOCIAL_ORGANISATION,
        "91": Category.ENTERPRISE,
    }
)
"""By the first two characters of GB 32100: the department that registers, and its category."""

_LONGEST_ALIAS = 30


@dataclass(frozen=True, slots=True)
class Entity:
    """A legal entity. None of it is secret: it stands on the licence that hangs on its wall."""

    subject: str
    uscc: str
    name: str
    registration_number: str

    @property
    def category(self) -> Category:
        """What kind of entity its code says it is."""
        return _CATEGORIES.get(self.uscc[:2], Category.OTHER)

    @property
    def organisation_code(self) -> str:
        """The GB 11714 code inside (characters 9 to 17)."""
        return organisation_code(self.uscc)


def organisation_code(code: str) -> str:
    """The organisation code that a 统一社会信用代码 holds."""
    return code[8:17]


def get(tx: Session, subject: str) -> Entity:
    """The entity of a subject. Raises `EntityUnknown`."""
    row = tx.get(EntityRow, subject)
    if row is None:
        raise EntityUnknown
    return _entity(row)


def of_uscc(tx: Session, code: str) -> Entity | None:
    """The entity of this 统一社会信用代码; `None` also for what is no such code."""
    try:
        row = tx.scalar(select(EntityRow).where(EntityRow.uscc == uscc(code)))
    except NumberWrong:
        return None
    return None if row is None else _entity(row)


def find(tx: Session, number: str) -> Entity | None:
    """The entity that has this 统一社会信用代码, or had this number before."""
    typed = number.strip().upper()
    by_alias = select(EntityAliasRow.entity).where(EntityAliasRow.number == typed).distinct()
    try:
        condition = EntityRow.uscc == uscc(typed)
    except NumberWrong:
        condition = EntityRow.subject.in_(by_alias)
    found = tx.scalars(select(EntityRow).where(condition)).all()
    # One number may be of two kinds, and so of two entities: then it names neither.
    return _entity(found[0]) if len(found) == 1 else None


def aliases(tx: Session, subject: str) -> dict[Alias, str]:
    """The numbers that an entity had before, by their kind."""
    query = select(EntityAliasRow).where(EntityAliasRow.entity == subject)
    return {Alias(row.kind): row.number for row in tx.scalars(query.order_by(EntityAliasRow.kind))}


def record_alias(
    tx: Session, provider: Provider, entity: Entity, kind: Alias, number: str, *, source: str
) -> None:
    """Note a number that the entity had; `source` is who vouches for it. Twice is as good as once.

    Raises `AliasWrong`, `AliasTaken` when another entity has it.
    """
    typed = number.strip().upper()
    if not 0 < len(typed) <= _LONGEST_ALIAS or not typed.isascii() or not typed.isalnum():
        raise AliasWrong
    if kind is Alias.ORGANISATION and typed != entity.organisation_code:
        raise AliasWrong
    now = provider.clock()
    row = {"kind": kind, "number": typed, "entity": entity.subject, "source": source}
    statement = insert(EntityAliasRow).values({**row, "recorded_at": now})
    added = tx.scalar(statement.on_conflict_do_nothing().returning(EntityAliasRow.entity))
    if added is None:
        held = tx.get(EntityAliasRow, (kind, typed))
        if held is None or held.entity != entity.subject:
            raise AliasTaken
        return
    journal.append(
        tx,
        at=now,
        actor=source,
        action="entity.alias-recorded",
        subject=entity.subject,
        details={"kind": kind},
    )


def _entity(row: EntityRow) -> Entity:
    return Entity(row.subject, row.uscc, row.name, row.registration_number)
