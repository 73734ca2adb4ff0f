"""The numbers of the register: esids and record numbers, each given once, region by region.

An esid is 14 digits, six of the division and eight that count (as e-licence seals in the field
have it); a record number is 16: division, year, and six that count.
"""

from datetime import datetime, timedelta, timezone

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seal.life.errors import NumbersExhausted
from seal.life.tables import SealNumberRow

# The year of a record is that of the calendar in China, which keeps one time zone.
_CHINA = timezone(timedelta(hours=8))
_ESID_DIGITS, _RECORD_DIGITS = 8, 6


def new_esid(tx: Session, owner: str) -> str:
    """Return the next esid for a seal of `owner` (USCC). Raises NumbersExhausted."""
    region = region_of(owner)
    return region + _next(tx, f"esid {region}", region, _ESID_DIGITS)


def new_record_number(tx: Session, owner: str, at: datetime) -> str:
    """Return the next record number of the year for a seal of `owner`. Raises NumbersExhausted."""
    region, year = region_of(owner), f"{at.astimezone(_CHINA):%Y}"
    return region + year + _next(tx, f"record {region} {year}", region, _RECORD_DIGITS)


def region_of(owner: str) -> str:
    """Return the division that registered a body: characters 3 to 8 of its USCC (GB 32100 §4.3)."""
    return owner[2:8]


def _next(tx: Session, series: str, region: str, digits: int) -> str:
    taken = (
        insert(SealNumberRow)
        .values(series=series, last=1)
        .on_conflict_do_update(index_elements=["series"], set_={"last": SealNumberRow.last + 1})
        .returning(SealNumberRow.last)
    )
    number = f"{tx.execute(taken).scalar_one():0{digits}}"
    if len(number) > digits:
        raise NumbersExhausted(region=region)
    return number
