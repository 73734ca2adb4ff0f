"""The signatures in a PDF as they stand there: what each holds, and which bytes it is over.

Nothing of it is believed yet. pyHanko reads the file; its own class of a signature knows CMS alone,
and one that is no CMS would make the whole file unreadable.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from itertools import islice
from types import MappingProxyType
from typing import Any

from asn1crypto import parser
from pyhanko.pdf_utils.generic import DictionaryObject, parse_pdf_date
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, extract_contents

from seal.pdf_objects import entry, items
from seal.pdf_stream import StrangersFile

_MOST_WIDGETS = 256
_BEIJING = timezone(timedelta(hours=8))


class Kind(StrEnum):
    """What a signature's /Contents hold."""

    CMS = "cms"
    SEAL = "seal"
    TIME_STAMP = "time-stamp"
    OTHER = "other"


_KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "/ETSI.CAdES.detached": Kind.CMS,
        "/adbe.pkcs7.detached": Kind.CMS,
        "/GM.sm2seal": Kind.SEAL,
        "/ETSI.RFC3161": Kind.TIME_STAMP,
    }
)
"""By /SubFilter (ISO 32000-2 §12.8.3, ETSI EN 319 142-1 §5; GM.sm2seal as Chinese readers have it)."""


class PlacedSignature(EmbeddedPdfSignature):
    """A signature dictionary in its field, of whatever kind.

    Of pyHanko's class it keeps what asks about the file: which revision was signed, how much of it
    is covered, what was changed since, which changes are allowed.
    """

    def __init__(self, reader: PdfFileReader, field: Any, name: str, file: StrangersFile) -> None:
        """Raises what pyHanko and Python raise on malformed objects."""
        self.reader = reader
        self.fq_name = name
        self.sig_field = field.get_object()
        reference = self.sig_field.raw_get("/V")
        self.sig_object = reference.get_object()
        if not isinstance(self.sig_object, DictionaryObject):
            raise TypeError("a signature is a dictionary")
        self.byte_range = [int(number) for number in items(self.sig_object["/ByteRange"])]
        shown = extract_contents(self.sig_object)
        self._start, self._end, self.pkcs7_content = file.hexadecimal(shown)
        self.signed_revision = reader.xrefs.get_last_change(reference.reference)
        self.coverage: Any = None  # set before the revisions are compared; pyHanko's own says None
        self._docmdp_queried = self._fieldmdp_queried = False
        self._pdf = file.getvalue()

    @property
    def kind(self) -> Kind:
        """What the contents are said to be."""
        return _KINDS.get(str(entry(self.sig_object, "/SubFilter")), Kind.OTHER)

    @property
    def is_pades(self) -> bool:
        """Say whether it is said to be as PAdES asks."""
        return bool(entry(self.sig_object, "/SubFilter") == "/ETSI.CAdES.detached")

    @property
    def covered(self) -> bytes:
        """The bytes the byte range names. Raises ValueError where it names none of this file."""
        if len(self.byte_range) != 4 or not all(0 <= n <= len(self._pdf) for n in self.byte_range):
            raise ValueError("a byte range")
        start, length, second, rest = self.byte_range
        return self._pdf[start : start + length] + self._pdf[second : second + rest]

    @property
    def leaves_out_itself_alone(self) -> bool:
        """Say whether what the byte range leaves out is the value of /Contents, no more.

        Room for more would be room for what nobody signed (ISO 32000-2 §12.8.1).
        """
        return bool(self.byte_range[1:3] == [self._start, self._end])

    @property
    def content(self) -> bytes:
        """The DER value in /Contents, without what fills the rest. Raises ValueError for none."""
        return self.pkcs7_content[: parser.peek(self.pkcs7_content)]

    @property
    def is_padded_with_nothing(self) -> bool:
        """Say whether only zeros fill the room behind the value: no signature covers that room."""
        return not self.pkcs7_content[len(self.content) :].strip(b"\0")

    @property
    def dictionary_time(self) -> datetime | None:
        """The time of signing as the dictionary's /M states it; by Beijing time where no zone is."""
        try:
            told = parse_pdf_date(str(self.sig_object["/M"]), strict=False)
        except (KeyError, PdfError, ValueError):
            return None
        return told if told.tzinfo else told.replace(tzinfo=_BEIJING)

    @property
    def allows(self) -> MDPPerm | None:
        """Which later changes the signer allows (DocMDP); None where nothing is said."""
        return self.docmdp_level

    @property
    def certifies(self) -> bool:
        """Say whether it is a certification: it says itself which changes it allows."""
        references = items(entry(self.sig_object, "/Reference", ()))
        return any(entry(r, "/TransformMethod") == "/DocMDP" for r in references)


def place(reader: PdfFileReader, file: StrangersFile) -> Iterator[PlacedSignature | str]:
    """Yield each signature of the file, or the name of its field where it is malformed.

    Raises what pyHanko raises where the form itself is malformed.
    """
    for name, _, field in enumerate_sig_fields(reader, filled_status=True):
        try:
            yield PlacedSignature(reader, field, str(name), file)
        except Exception:  # whatever a stranger's objects do, the answer is the same
            yield str(name)


def longest_side(field: Any) -> float:
    """Return the longest side in points of what a field shows on pages; 0 for one that is not seen."""
    return max((_side(widget) for widget in _widgets(field)), default=0.0)


def shows_something(field: Any) -> bool:
    """Say whether a field is seen as its file draws it, and not as each reader marks an empty one."""
    return any(_side(widget) > 0 and _is_drawn(widget) for widget in _widgets(field))


def _widgets(field: Any) -> Iterator[Any]:
    """Yield the field and the widgets below it (ISO 32000-2 §12.7.4.1)."""
    own = field.get_object()
    yield own
    yield from islice(items(entry(own, "/Kids", ())), _MOST_WIDGETS)


def _is_drawn(widget: Any) -> bool:
    """Say whether its appearance (ISO 32000-2 §12.5.5) has any operator in it."""
    appearance = entry(entry(widget, "/AP", {}), "/N")
    return appearance is not None and getattr(appearance, "data", b"?").strip() != b""


def _side(widget: Any) -> float:
    x0, y0, x1, y1 = (float(side) for side in items(entry(widget, "/Rect", (0, 0, 0, 0))))
    width, height = abs(x1 - x0), abs(y1 - y0)
    return max(width, height) if width and height else 0.0
