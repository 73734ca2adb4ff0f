"""A prepared document as the rules see it, whatever its format; and what it is meant to be.

All lengths are mm from the top left corner of the page; pages count from 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from seal.report import Finding

MOST_SCANNED = 50
"""Pages on which printed codes are looked for: a licence has its code on one of the first."""


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle on a page."""

    page: int
    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Area", clear: float = 0.0) -> bool:
        """Say whether the two come closer than `clear`."""
        return (
            self.page == other.page
            and self.x < other.x + other.width + clear
            and other.x < self.x + self.width + clear
            and self.y < other.y + other.height + clear
            and other.y < self.y + self.height + clear
        )


@dataclass(frozen=True, slots=True)
class FontUse:
    """A font of the document: the file embedded (None without), and what is printed in it as far as known."""

    name: str
    file: bytes | None
    characters: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """A QR symbol as a scanner reads it off the page."""

    area: Area
    text: str


@dataclass(frozen=True, slots=True)
class Specimen:
    """One document under a throw-away key.

    `printed` is the text of each datum, where the format tells them apart; `text` all there is.
    `stamps` are the parts of seals that show. `troubles` is what our own verifier has to say of it,
    `unreferenced` the entries of a package that nothing in it leads to.
    """

    content: bytes
    page_sizes: tuple[tuple[float, float], ...]
    printed: Mapping[str, str]
    text: str
    fonts: tuple[FontUse, ...]
    codes: tuple[PrintedCode, ...]
    stamps: tuple[Area, ...]
    attachments: tuple[tuple[str, bytes], ...]
    troubles: tuple[Finding, ...] = ()
    unreferenced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """What the document is to be: what the rules compare the specimen with.

    `fields` are the texts as printed, by the datum's name; `code` the text of the printed code, ""
    for none; `usable` is the term of the seal or certificate; times are aware, days local.
    """

    signed_at: datetime
    usable: tuple[datetime, datetime]
    fields: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    attachments: tuple[tuple[str, bytes], ...] = ()
    issued_on: date | None = None
    valid_until: date | None = None
