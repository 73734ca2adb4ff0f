"""What a page of a PDF draws (ISO 32000-1 §8, §9), in millimetres with y turned upwards.

Text stands in marked content, a block a number, for the structure tree to point at; rules and
watermarks are artifacts (§14.8.2.2), which nobody reads aloud.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seal import fonts
from seal.face import BLACK, CodeSquare, Mark, Page, Picture, Rule, TextRun
from seal.pdf_fonts import RESOURCE, Characters
from seal.qr import dark_runs
from seal.reading_order import Block

POINTS_PER_MM = 72 / 25.4

_SEEN = 0.5  # thousandths of the em; less is rounding


@dataclass(frozen=True, slots=True)
class Canvas:
    """A page to draw on: its height in mm, and the number of each character of each typeface."""

    height: float
    numbers: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, height: float, characters: Characters) -> "Canvas":
        """Number `characters` from 1 on."""
        return cls(
            height, {t: {c: n for n, c in enumerate(said, 1)} for t, said in characters.items()}
        )


def draw_form(canvas: Canvas, rules: Iterable[Rule], captions: Sequence[Block]) -> bytes:
    """Return the content that licences of one type share; `captions` are numbered from 0 on."""
    lines = ["/Artifact BMC", *(_stroke(rule, canvas.height) for rule in rules), "EMC"]
    lines += (_block(block, number, canvas) for number, block in enumerate(captions))
    return _framed(lines)


def draw_marks(canvas: Canvas, marks: Iterable[Mark]) -> bytes:
    """Return the content of a watermark, which lies under everything else."""
    return _framed(_watermark(mark, canvas) for mark in marks)


def draw_body(
    canvas: Canvas, page: Page, texts: Sequence[Block], images: Sequence[str], first: int
) -> bytes:
    """Return the content of one licence: its pictures, text and code.

    Numbered from `first` on: texts, then pictures (`images` are their resource names), the code.
    """
    height = canvas.height
    after = first + len(texts)
    lines: list[str] = []
    placed = zip(page.pictures, images, strict=True)
    for number, (picture, name) in enumerate(placed, after):
        lines.append(_marked("Figure", number, _image(picture, name, height)))
    lines += (_block(block, number, canvas) for number, block in enumerate(texts, first))
    if page.code:
        drawn = _code(page.code, height)
        lines.append(_marked("Figure", after + len(page.pictures), drawn))
    return _framed(lines)


def _framed(lines: Iterable[str]) -> bytes:
    scale = number(POINTS_PER_MM)
    return "\n".join((f"q {scale} 0 0 {scale} 0 0 cm", *lines, "Q\n")).encode("ascii")


def _marked(kind: str, mcid: int, drawn: str) -> str:
    return f"/{kind} <</MCID {mcid}>> BDC\n{drawn}\nEMC"


def _stroke(rule: Rule, height: float) -> str:
    start = f"{number(rule.x1)} {number(height - rule.y1)} m"
    end = f"{number(rule.x2)} {number(height - rule.y2)} l"
    return f"{_colour(rule.colour)} RG {number(rule.width)} w {start} {end} S"


def _block(block: Block, mcid: int, canvas: Canvas) -> str:
    return _marked("P", mcid, "\n".join(_text(run, canvas) for run in block.runs))


def _text(run: TextRun, canvas: Canvas, turn: str = "1 0 0 1") -> str:
    place = f"{turn} {number(run.x)} {number(canvas.height - run.baseline)} Tm"
    font = f"/{RESOURCE[run.typeface]} {number(run.size)} Tf"
    shown = " ".join(_shown(run, canvas.numbers[run.typeface]))
    return f"BT {_colour(run.colour)} rg {font} {place} [{shown}] TJ ET"


def _shown(run: TextRun, numbers: Mapping[str, int]) -> Iterator[str]:
    """Character numbers, and where an advance is not the glyph's own, by how much it is less."""
    widths = fonts.advances(run.typeface, run.text, 1000)
    together = ""
    for character, own, advance in zip(run.text, widths, run.advances, strict=True):
        together += f"{numbers[character]:04X}"
        tighter = own - advance * 1000 / run.size  # thousandths of the em
        if abs(tighter) >= _SEEN:
            yield f"<{together}> {number(tighter)}"
            together = ""
    if together:
        yield f"<{together}>"


def _watermark(mark: Mark, canvas: Canvas) -> str:
    turn = math.radians(mark.angle)
    cosine, sine = number(math.cos(turn)), number(math.sin(turn))
    drawn = _text(mark.run, canvas, f"{cosine} {sine} {number(-math.sin(turn))} {cosine}")
    return f"/Artifact <</Type /Pagination /Subtype /Watermark>> BDC\n{drawn}\nEMC"


def _image(picture: Picture, name: str, height: float) -> str:
    sides = f"{number(picture.width)} 0 0 {number(picture.height)}"
    foot = f"{number(picture.x)} {number(height - picture.y - picture.height)}"
    return f"q {sides} {foot} cm /{name} Do Q"


def _code(code: CodeSquare, height: float) -> str:
    """The code in modules: rows count downwards from its top left corner."""
    side = number(code.side / len(code.modules))
    place = f"{side} 0 0 -{side} {number(code.x)} {number(height - code.y)}"
    squares = (f"{column} {row} {length} 1 re" for column, row, length in dark_runs(code.modules))
    # One path: where two squares touch, no reader draws a seam.
    return f"q {place} cm {_colour(BLACK)} rg\n" + "\n".join(squares) + " f Q"


def _colour(colour: tuple[int, int, int]) -> str:
    return " ".join(number(part / 255) for part in colour)


def number(value: float) -> str:
    """Write a number without exponent or trailing zeros (ISO 32000-1 §7.3.3)."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
