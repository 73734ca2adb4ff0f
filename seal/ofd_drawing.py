"""Page objects of GB/T 33190-2016: text (§11), paths (§9), pictures (§10) and the printed code.

Every object has a Boundary in page space and draws in its own space with the origin at the
Boundary's top left corner; what leaves the Boundary is clipped, so boxes are made generous.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from seal.face import CodeSquare, Mark, Picture, Rule, TextRun
from seal.fonts import glyph_ids
from seal.ofd_xml import add
from seal.qr import dark_runs

_ABOVE_BASELINE = 1.2
_BELOW_BASELINE = 0.5
_MARGIN = 1.0
_MARK_ALPHA = 110  # of 255: what lies under a watermark stays readable

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
        _write_line(text, font, run, run.x - left, run.baseline - top)


def _write_line(text: etree._Element, font: EmbeddedFont, run: TextRun, x: float, y: float) -> None:
    if has_rare_characters(run.text):
        _map_rare_characters(text, font, run.text)
    # n characters have n-1 distances; without DeltaX all glyphs would fall on one spot.
    spacing = {"DeltaX": _numbers(*run.advances[:-1])} if len(run.text) > 1 else {}
    add(text, "TextCode", run.text, X=_number(x), Y=_number(y), **spacing)


def has_rare_characters(text: str) -> bool:
    """Say whether `text` has characters beyond the basic plane, as rare names do."""
    return max(text, default="") > _LAST_OF_BASIC_PLANE


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
    # To a micrometre: the path is most of a page, and shorter numbers make it a tenth smaller.
    edges = [_number(round(code.side * edge / count, 3)) for edge in range(count + 1)]
    for column, row, length in dark_runs(code.modules):
        left, right = edges[column], edges[column + length]
        top, bottom = edges[row], edges[row + 1]
        yield f"M {left} {top} L {right} {top} L {right} {bottom} L {left} {bottom} C"


def draw_picture(layer: etree._Element, object_id: str, media_id: str, picture: Picture) -> None:
    """Add a picture: the unit square stretched over its Boundary (§10)."""
    add(
        layer,
        "ImageObject",
        ID=object_id,
        Boundary=_numbers(picture.x, picture.y, picture.width, picture.height),
        CTM=_numbers(picture.width, 0, 0, picture.height, 0, 0),
        ResourceID=media_id,
    )


def draw_mark(
    block: etree._Element, object_id: str, font: EmbeddedFont, mark: Mark, boundary: str
) -> None:
    """Add a line of a watermark to an appearance that covers the page, `boundary`.

    Annotations lie over the page, so the line is drawn darker than seen and lets through.
    """
    run, turn = mark.run, math.radians(mark.angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    text = add(
        block,
        "TextObject",
        ID=object_id,
        Boundary=boundary,
        CTM=_numbers(cosine, -sine, sine, cosine, run.x, run.baseline),
        Font=font.id,
        Size=_number(run.size),
        # Of the object, not of its colour: there are readers that pass over the latter.
        Alpha=str(_MARK_ALPHA),
    )
    darker = [255 - round((255 - part) * 255 / _MARK_ALPHA) for part in run.colour]
    add(text, "FillColor", Value=_numbers(*(max(part, 0) for part in darker)))
    _write_line(text, font, run, 0, 0)


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
