"""In what order a page is read aloud: a caption, then what stands beside it, row after row.

A face lists the form first and the licence's text after it; who listens to a tagged document
(ISO 32000-1 §14.8.2.3) hears each value after its caption instead.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seal.face import TextRun
from seal.typesetting import LEADING

_SAME_ROW = 2.0  # mm between the middles of two blocks that are read side by side
_NEAR = 0.01


@dataclass(frozen=True, slots=True)
class Block:
    """The lines of one field or one caption, which are read together."""

    runs: tuple[TextRun, ...]

    @property
    def field(self) -> str:
        return self.runs[0].field

    @property
    def left(self) -> float:
        return min(run.x for run in self.runs)

    @property
    def middle(self) -> float:
        return (self.runs[0].baseline + self.runs[-1].baseline) / 2


def blocks(runs: Iterable[TextRun]) -> tuple[Block, ...]:
    """Gather lines that follow each other into the blocks they are lines of; blank ones are left out."""
    gathered: list[list[TextRun]] = []
    for run in runs:
        if not run.text.strip():
            continue
        if gathered and _goes_on(gathered[-1][-1], run):
            gathered[-1].append(run)
        else:
            gathered.append([run])
    return tuple(Block(tuple(lines)) for lines in gathered)


def _goes_on(before: TextRun, run: TextRun) -> bool:
    if before.field or run.field:
        return before.field == run.field
    alike = before.typeface is run.typeface and before.size == run.size
    return alike and abs(run.baseline - before.baseline - LEADING * run.size) < _NEAR


def in_order(placed: Sequence[Block]) -> list[int]:
    """Return the positions of `placed` in the order they are read: from the top, rows from the left."""
    down = sorted(range(len(placed)), key=lambda at: placed[at].middle)
    rows: list[list[int]] = []
    for at in down:
        if rows and placed[at].middle - placed[rows[-1][0]].middle < _SAME_ROW:
            rows[-1].append(at)
        else:
            rows.append([at])
    return [at for row in rows for at in sorted(row, key=lambda at: placed[at].left)]
