"""A licence face (照面) after layout: what is drawn where, before any file format.

All lengths are millimetres, the origin is the top left corner of each page, y grows downwards
(as in GB/T 33190-2016 §7.2; the PDF writer turns y round). Both writers draw exactly these
items, so an OFD and a PDF of one licence cannot drift apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class Typeface(StrEnum):
    """The vendored typefaces, by role."""

    SERIF = "serif"
    SERIF_BOLD = "serif-bold"
    SANS = "sans"


Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that what is set in it stays inside."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class TextRun:
    """One line of text. `advances` has one width (mm) a character: len(advances) == len(text).

    `x` and `baseline` place the first glyph's origin; `size` is the em in mm. `field` names the
    datum that is printed (数据标引), or is empty for a caption.
    """

    text: str
    x: float
    baseline: float
    size: float
    typeface: Typeface
    advances: tuple[float, ...]
    field: str = ""
    colour: Colour = BLACK

    @property
    def width(self) -> float:
        return sum(self.advances)


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight stroke from (x1, y1) to (x2, y2), `width` mm thick."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    colour: Colour = BLACK


@dataclass(frozen=True, slots=True)
class CodeSquare:
    """The printed code (QR): `modules` rows of dark/light without quiet zone, drawn in a square.

    (x, y) is the symbol's top left corner, `side` its length without the quiet zone.
    """

    x: float
    y: float
    side: float
    modules: tuple[tuple[bool, ...], ...]
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG or JPEG drawn to fill its box, e.g. the holder's photograph.

    `content` is a file as `seal.pictures.cleaned` makes it, `field` the datum it shows; `says`
    is read to who cannot see it.
    """

    x: float
    y: float
    width: float
    height: float
    content: bytes
    field: str = ""
    says: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of a watermark: `run` turned about its start, `angle` degrees counterclockwise.

    Its colour is the one seen on white paper.
    """

    run: TextRun
    angle: float


@dataclass(frozen=True, slots=True)
class SealBox:
    """Where the seal goes, at its true size: `page` counts from 0."""

    x: float
    y: float
    width: float
    height: float
    page: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `background` is the form (frame, captions), `body` this licence's text.

    Pictures lie over the form and under the text.
    """

    width: float
    height: float
    background: tuple[TextRun | Rule, ...]
    body: tuple[TextRun, ...]
    code: CodeSquare | None = None
    pictures: tuple[Picture, ...] = ()
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, slots=True)
class Face:
    """A licence as it is printed: its pages in their order, and where its seal goes."""

    title: str
    pages: tuple[Page, ...]
    seal: SealBox

    @property
    def runs(self) -> Iterator[TextRun]:
        """Every line of text, page by page: the form's, the licence's, the watermark's."""
        for page in self.pages:
            yield from (item for item in page.background if isinstance(item, TextRun))
            yield from page.body
            yield from (mark.run for mark in page.marks)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file carried inside the document, e.g. the canonical data file."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What the document says about itself. `document_id` is 32 hex digits (OFD DocID)."""

    document_id: str
    title: str
    author: str
    created_on: str
    custom: tuple[tuple[str, str], ...] = field(default=())
