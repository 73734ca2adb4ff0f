"""How large a body's seal is and what stands in its centre (国发〔1999〕25号), as data.

Lengths are millimetres. The sizes of enterprises' seals are the practice of seal makers and differ
between provinces; the notice itself only says that they are no larger than 45.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Shape(StrEnum):
    """The outline of a seal."""

    ROUND = "round"
    OVAL = "oval"
    SQUARE = "square"


class Centre(StrEnum):
    """What stands in the middle. The national emblem is never drawn: its place is marked instead."""

    STAR = "star"
    EMBLEM = "emblem"
    NONE = "none"


class Kind(StrEnum):
    """Whose seal it is, or what it is for."""

    STATE_COUNCIL = "state-council"
    PROVINCE_OR_MINISTRY = "province-or-ministry"
    VICE_MINISTRY = "vice-ministry"
    COORDINATING_BODY = "coordinating-body"
    NATIONAL_BUREAU = "national-bureau"
    EMBASSY = "embassy"
    CITY_OR_COUNTY = "city-or-county"
    PREFECTURAL_OFFICE = "prefectural-office"
    TOWNSHIP = "township"
    SUBORDINATE_UNIT = "subordinate-unit"
    COMPANY = "company"
    SPECIAL_PURPOSE = "special-purpose"
    CONTRACT = "contract"
    INVOICE = "invoice"
    PERSON_IN_CHARGE = "person-in-charge"


@dataclass(frozen=True, slots=True)
class Size:
    """Outer measures and the width of the border in mm."""

    width: float
    height: float
    border: float
    shape: Shape
    centre: Centre


def _round(diameter: float, centre: Centre) -> Size:
    return Size(diameter, diameter, 1.2 if diameter > 40 else 1.0, Shape.ROUND, centre)


SIZES: Mapping[Kind, Size] = MappingProxyType(
    {
        Kind.STATE_COUNCIL: _round(60, Centre.EMBLEM),
        Kind.PROVINCE_OR_MINISTRY: _round(50, Centre.EMBLEM),
        Kind.VICE_MINISTRY: _round(45, Centre.EMBLEM),
        Kind.COORDINATING_BODY: _round(50, Centre.STAR),
        Kind.NATIONAL_BUREAU: _round(45, Centre.EMBLEM),
        Kind.EMBASSY: _round(42, Centre.EMBLEM),
        Kind.CITY_OR_COUNTY: _round(45, Centre.EMBLEM),
        Kind.PREFECTURAL_OFFICE: _round(45, Centre.STAR),
        Kind.TOWNSHIP: _round(42, Centre.EMBLEM),
        Kind.SUBORDINATE_UNIT: _round(42, Centre.STAR),
        Kind.COMPANY: _round(40, Centre.STAR),
        Kind.SPECIAL_PURPOSE: _round(38, Centre.NONE),
        Kind.CONTRACT: _round(40, Centre.STAR),
        Kind.INVOICE: Size(40, 30, 1.0, Shape.OVAL, Centre.NONE),
        Kind.PERSON_IN_CHARGE: Size(20, 20, 1.0, Shape.SQUARE, Centre.NONE),
    }
)
