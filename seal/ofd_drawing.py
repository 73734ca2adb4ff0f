"""Page objects of GB/T 33190-2016: text (§11), paths (§9) and the printed code as one filled path.

Every object has a Boundary in page space and draws in its own space with the origin at the
Boundary's top left corner; what leaves the Boundary is clipped, so boxes are made generous.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from seal.face import CodeSquare, Rule, TextRun
from seal.fonts import glyph_ids
from seal.ofd_xml import add

_ABOVE_BASELINE = 1.2
_BELOW_BASELINE = 0.5
_MARGIN = 1.0


_LAST_OF_BASIC_PLANE = "\uffff"


@dataclass(frozen=True, slots=True)
class EmbeddedFont:
    """A font resource of the document: its ST_ID and the bytes of its TrueType file."""

    id: str
    content: bytes


def draw_text(
    layer: etree._Element, object_id: str, font: EmbeddedFont, runs: Sequence[TextRun]
) -> None:
    """Add one TextObject with a TextCode for each of `runs`, which share font, size and colour.

    Spaces at the ends are left out and the run starts later: XML writers lose them (§11.3).
    """
    lines = [_trimmed(run) for run in runs]
    size = runs[0].size
    left = min(run.x for run in lines) - _MARGIN
    top = min(run.baseline for run in lines) - _ABOVE_BASELINE * size
    # An em of room: the last glyph of a reader that sets another font is not cut off.
    right = max(run.x + run.width for run in lines) + size
    bottom = max(run.baseline for run in lines) + _BELOW_BASELINE * size
    text = add(
        layer,
        "TextObject",
        ID=object_id,
        Boundary=_numbers(left, top, right - left, bottom - top),
        Font=font.id,
        Size=_number(size),
    )
    add(text, "FillColor", Value=_colour(runs[0].colour))
    for run in lines:
        # n characters have n-1 distances; without DeltaX all glyphs would fall on one spot.
        spacing = {"DeltaX": _numbers(*run.advances[:-1])} if len(run.text) > 1 else {}
        _map_rare_characters(text, font, run.text)
        place = {"X": _number(run.x - left), "Y": _number(run.baseline - top)}
        add(text, "TextCode", run.text, **place, **spacing)


def has_rare_characters(text: str) -> bool:
    """Say whether `text` has characters beyond the basic plane, as rare names do."""
    return any(character > _LAST_OF_BASIC_PLANE for character in text)


def _map_rare_characters(text: etree._Element, font: EmbeddedFont, line: str) -> None:
    """Give the glyph of each character beyond the basic plane (§11.4).

    Readers in Java and JavaScript count UTF-16 units and look up halves of such a character.
    Positions count from the start of the TextCode in the standard and of the TextObject in
    readers, so such a line has its TextObject to itself.
    """
    position = 0
    for character in line:
        units = 2 if has_rare_characters(character) else 1
        if units > 1:
            (glyph,) = glyph_ids(font.content, character)
            where = {"CodePosition": str(position), "CodeCount": str(units), "GlyphCount": "1"}
            add(add(text, "CGTransform", **where), "Glyphs", str(glyph))
        position += units


def draw_rule(layer: etree._Element, object_id: str, rule: Rule) -> None:
    """Add one straight stroke."""
    half = rule.width / 2
    left, right = sorted((rule.x1, rule.x2))
    top, bottom = sorted((rule.y1, rule.y2))
    x, y = left - half, top - half
    path = add(
        layer,
        "PathObject",
        ID=object_id,
        Boundary=_numbers(x, y, right - left + rule.width, bottom - top + rule.width),
        LineWidth=_number(rule.width),
    )
    add(path, "StrokeColor", Value=_colour(rule.colour))
    start, end = _numbers(rule.x1 - x, rule.y1 - y), _numbers(rule.x2 - x, rule.y2 - y)
    add(path, "AbbreviatedData", f"M {start} L {end}")


def draw_code(layer: etree._Element, object_id: str, code: CodeSquare) -> None:
    """Add the printed code as one filled path: no seams between modules at any magnification."""
    path = add(
        layer,
        "PathObject",
        ID=object_id,
        Boundary=_numbers(code.x, code.y, code.side, code.side),
        Stroke="false",
        Fill="true",
    )
    add(path, "FillColor", Value="0 0 0")
    add(path, "AbbreviatedData", " ".join(_bars(code)))


def _bars(code: CodeSquare) -> Iterator[str]:
    """Yield a rectangle for each run of dark modules in a row."""
    count = len(code.modules)
    edges = [_number(code.side * edge / count) for edge in range(count + 1)]
    for row, modules in enumerate(code.modules):
        top, bottom = edges[row], edges[row + 1]
        for start, end in _dark_runs(modules):
            left, right = edges[start], edges[end]
            yield f"M {left} {top} L {right} {top} L {right} {bottom} L {left} {bottom} C"


def _dark_runs(modules: Sequence[bool]) -> Iterator[tuple[int, int]]:
    start = None
    for at, dark in enumerate((*modules, False)):
        if dark and start is None:
            start = at
        elif not dark and start is not None:
            yield start, at
            start = None


def _trimmed(run: TextRun) -> TextRun:
    text = run.text.strip()
    if text == run.text:
        return run
    first = len(run.text) - len(run.text.lstrip())
    return TextRun(
        text=text,
        x=run.x + sum(run.advances[:first]),
        baseline=run.baseline,
        size=run.size,
        typeface=run.typeface,
        advances=run.advances[first : first + len(text)],
        field=run.field,
        colour=run.colour,
    )


def _number(value: float) -> str:
    """Write a length in mm to a tenth of a micrometre, without exponent or trailing zeros."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _numbers(*values: float) -> str:
    return " ".join(map(_number, values))


def _colour(rgb: tuple[int, int, int]) -> str:
    return " ".join(map(str, rgb))
