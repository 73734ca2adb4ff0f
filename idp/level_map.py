"""What another node's `acr` counts for here: a table that may only lower what was asserted.

A value that is not in the table counts for nothing. 高级 is of one transaction at the node where it
was proven, and so counts for no more than what can stand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from idp import levels
from idp.levels import ADVANCED, HIGHEST_STANDING


class LevelMapWrong(ValueError):
    """A row of the table raises a level, or speaks of a rung that is none; the text says which."""


@dataclass(frozen=True, slots=True)
class Row:
    """One `acr` of theirs: which rung of the natural ladder they mean, and which it is here."""

    acr: str
    theirs: int
    here: int


@dataclass(frozen=True, slots=True)
class LevelMap:
    """The table of one upstream. Only `level_map` makes one."""

    rows: Mapping[str, Row]

    def mapped(self, acr: str | None) -> int:
        """The rung that an asserted `acr` is here."""
        row = self.rows.get(acr or "")
        return 0 if row is None else row.here

    def reaching(self, level: int) -> tuple[str, ...]:
        """The values of theirs to ask for when `level` is wanted here, the lowest first."""
        enough = (row for row in self.rows.values() if row.here >= level)
        return tuple(row.acr for row in sorted(enough, key=lambda row: (row.theirs, row.here)))


def level_map(rows: Iterable[Row]) -> LevelMap:
    """Return the table. Raises `LevelMapWrong` unless every row lowers, or leaves what it is."""
    found: dict[str, Row] = {}
    for row in rows:
        _check(row)
        if row.acr in found:
            raise LevelMapWrong(f"{row.acr} stands in the table twice")
        found[row.acr] = row
    return LevelMap(MappingProxyType(found))


def as_it_is() -> LevelMap:
    """The table for a node with our own ladder, whose word is taken as it is given."""
    standing = (level for level in levels.NATURAL if 0 < level.number <= HIGHEST_STANDING)
    return level_map(Row(level.acr, level.number, level.number) for level in standing)


def _check(row: Row) -> None:
    if not 0 <= row.theirs <= ADVANCED or not 0 <= row.here <= HIGHEST_STANDING:
        raise LevelMapWrong(f"{row.acr}: a level is 0 to {ADVANCED}, and no standing one above 2")
    if row.here > row.theirs:
        raise LevelMapWrong(f"{row.acr}: {row.here} here is more than the {row.theirs} asserted")
    ours = levels.by_acr(row.acr)
    if ours is not None and (ours not in levels.NATURAL or ours.number != row.theirs):
        raise LevelMapWrong(f"{row.acr} is a value of ours and means something else")
