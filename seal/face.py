"""A licence face (照面) after layout: what is drawn where, before any file format.

All lengths are millimetres, the origin is the top left corner of the page, y grows downwards
(as in GB/T 33190-2016 §7.2; the PDF writer turns y round). Both writers draw exactly these
items, so an OFD and a PDF of one licence cannot drift apart.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Typeface(StrEnum):
    """The vendored typefaces, by role."""

    SERIF = "serif"
    SERIF_BOLD = "serif-bold"
    SANS = "sans"


BLACK = (0, 0, 0)


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
    colour: tuple[int, int, int] = BLACK

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
    colour: tuple[int, int, int] = BLACK


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
class SealBox:
    """Where the seal goes, at its true size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Face:
    """One page of a licence. `background` is the form (frame, captions), `body` this licence's text."""

    title: str
    page_width: float
    page_height: float
    background: tuple[TextRun | Rule, ...]
    body: tuple[TextRun, ...]
    code: CodeSquare
    seal: SealBox


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
