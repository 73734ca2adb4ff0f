"""Government bodies as a tree with division codes: who stands above whom.

Division codes are those of GB/T 2260 (province, city, county: 6 digits), GB/T 10114 (township: 9)
and the statistical codes below them (village: 12). A body outside the tree stands alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from idp.errors import FieldWrong
from idp.provider import Provider
from idp.staff_errors import BodyMisplaced, BodyUnknown
from idp.staffing.tables import BodyRow
from keys import journal
from keys.identity_numbers import uscc

# One change of the tree at a time: two moves at once could make a ring.
_TREE_LOCK = 0x59584254  # "YXBT"
_LONGEST_NAME = 100


class Tier(StrEnum):
    """How high a body stands, by the division it is of: 省, 市, 县, 乡, 村."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


@dataclass(frozen=True, slots=True)
class _Digits:
    """Of a division code: how many digits it has, and how many of them say where it is."""

    length: int
    significant: int


_DIGITS: Mapping[Tier, _Digits] = MappingProxyType(
    {
        Tier.PROVINCE: _Digits(6, 2),
        Tier.CITY: _Digits(6, 4),
        Tier.COUNTY: _Digits(6, 6),
        Tier.TOWNSHIP: _Digits(9, 9),
        Tier.VILLAGE: _Digits(12, 12),
    }
)
_ORDER = tuple(Tier)


@dataclass(frozen=True, slots=True)
class Body:
    """A body; `parent` is the USCC of the one above it."""

    uscc: str
    name: str
    tier: Tier
    region: str
    parent: str | None = None


def place(tx: Session, provider: Provider, body: Body, *, by: str) -> None:
    """Put a body into the tree, or change its name, its place or what stands above it.

    Raises `NumberWrong` (USCC), `FieldWrong`, `BodyUnknown` (of the parent), and `BodyMisplaced` for
    one that does not fit below its parent, or above what stands below it.
    """
    _check(body)
    tx.execute(select(func.pg_advisory_xact_lock(_TREE_LOCK)))
    if body.parent is not None:
        parent = get(tx, body.parent)
        if not _fits_below(body, parent) or body.uscc in chain(tx, body.parent):
            raise BodyMisplaced(body=body.uscc, parent=body.parent)
    if find(tx, body.uscc) == body:
        return
    for child in tx.scalars(select(BodyRow).where(BodyRow.parent == body.uscc)):
        if not _fits_below(_body(child), body):
            raise BodyMisplaced(body=child.uscc, parent=body.uscc)
    row = {
        "uscc": body.uscc,
        "name": body.name,
        "tier": body.tier,
        "region": body.region,
        "parent": body.parent,
    }
    statement = insert(BodyRow).values(row)
    tx.execute(statement.on_conflict_do_update(index_elements=["uscc"], set_=row))
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action="body.placed",
        subject=body.uscc,
        details={"tier": body.tier, "region": body.region, "parent": body.parent or ""},
    )


def get(tx: Session, code: str) -> Body:
    """The body of a USCC. Raises `BodyUnknown`."""
    row = tx.get(BodyRow, code, populate_existing=True)
    if row is None:
        raise BodyUnknown(body=code)
    return _body(row)


def find(tx: Session, code: str) -> Body | None:
    """The body of a USCC, if it is in the tree."""
    row = tx.get(BodyRow, code, populate_existing=True)
    return None if row is None else _body(row)


def every(tx: Session) -> list[Body]:
    """All bodies, by division code, the higher first."""
    rows = [_body(row) for row in tx.scalars(select(BodyRow))]
    return sorted(rows, key=lambda body: (body.region, _ORDER.index(body.tier), body.uscc))


def chain(tx: Session, code: str) -> tuple[str, ...]:
    """The body and all that stand above it, in no order; itself alone outside the tree."""
    above = select(BodyRow.uscc, BodyRow.parent).where(BodyRow.uscc == code).cte(recursive=True)
    upper = aliased(BodyRow)
    above = above.union(select(upper.uscc, upper.parent).join(above, upper.uscc == above.c.parent))
    return tuple({code, *tx.scalars(select(above.c.uscc))})


def below(tx: Session, code: str) -> frozenset[str]:
    """The body and all that stand below it; itself alone outside the tree."""
    found = select(BodyRow.uscc).where(BodyRow.uscc == code).cte(recursive=True)
    lower = aliased(BodyRow)
    found = found.union(select(lower.uscc).join(found, lower.parent == found.c.uscc))
    return frozenset({code, *tx.scalars(select(found.c.uscc))})


def _check(body: Body) -> None:
    if uscc(body.uscc) != body.uscc:
        raise FieldWrong(field="uscc")
    if not 0 < len(body.name) <= _LONGEST_NAME or not body.name.isprintable():
        raise FieldWrong(field="name")
    digits = _DIGITS[body.tier]
    rest = body.region[digits.significant :]
    is_number = body.region.isascii() and body.region.isdigit()
    if not is_number or len(body.region) != digits.length or rest.strip("0"):
        raise FieldWrong(field="region")


def _fits_below(body: Body, parent: Body) -> bool:
    """Of no higher tier than the parent, and within its division."""
    if _ORDER.index(body.tier) < _ORDER.index(parent.tier):
        return False
    return body.region.startswith(parent.region[: _DIGITS[parent.tier].significant])


def _body(row: BodyRow) -> Body:
    return Body(row.uscc, row.name, Tier(row.tier), row.region, row.parent)
