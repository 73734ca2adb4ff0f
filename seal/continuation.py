"""Values too long for their place, printed in full on pages that follow (附页).

Every line has the same height, so pages are filled by counting lines. A caption never stands
alone at the foot of a page.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from seal.face import Box, TextRun
from seal.template import Continuation, Slot, Style
from seal.typesetting import ASCENT, LEADING, FieldTooLong, set_text

MOST_PAGES = 20

Lines = Sequence[TextRun | None]
"""Lines of one page from the top, None for an empty one."""


def flow(
    further: Continuation, spilt: Iterable[Slot], values: Mapping[str, str]
) -> list[tuple[TextRun, ...]]:
    """Return the text of each page that follows, `spilt` being the slots whose value goes on there.

    Raises `FieldTooLong` above `MOST_PAGES`, and `GlyphMissing`.
    """
    style, box = further.style, further.flow
    step = LEADING * style.size
    rows = int((box.height - style.size) / step) + 1
    lines: list[TextRun | None] = []
    for slot in spilt:
        entry = list(_entry(slot, values[slot.field].strip(), box, style))
        if len(lines) % rows:
            lines.append(None)
        if len(lines) % rows == rows - 1:
            lines.append(None)
        lines += entry
        if len(lines) > MOST_PAGES * rows:
            raise FieldTooLong(field=slot.field)
    first = box.y + ASCENT * style.size
    pages = (lines[start : start + rows] for start in range(0, len(lines), rows))
    return [tuple(_placed(page, first, step)) for page in pages]


def _entry(slot: Slot, text: str, box: Box, style: Style) -> Iterator[TextRun]:
    """Yield the lines of a caption and of the value under it, at the full size of `style`."""
    room = Box(box.x, 0, box.width, MOST_PAGES * box.height)
    full = replace(style, least_size=style.size)
    yield from set_text(f"{slot.caption.replace(chr(10), '')}：", room, full)
    yield from set_text(text, room, full, slot.field)


def _placed(lines: Lines, first: float, step: float) -> Iterator[TextRun]:
    for row, line in enumerate(lines):
        if line is not None:
            yield replace(line, baseline=first + row * step)
