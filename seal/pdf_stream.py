"""A stranger's PDF as a stream for pyHanko: what it costs to read is bounded.

pyHanko reads byte by byte, and a cross-reference table cut off at the end of the file for ever. Most
of a signed file's bytes outside its streams are signatures in hexadecimal; of those it is shown the
number alone, and what they hold is taken from the file at once.
"""

import re
from binascii import unhexlify
from io import BytesIO
from itertools import islice

from pyhanko.pdf_utils.misc import PdfReadError

MOST_READS = 100_000
"""A licence of ours takes about 2 000, of a byte or a few each, and 15 000 with two seals."""

LONGEST_WORD = 10_000
"""pyHanko puts a name or a number together byte by byte: one twice as long costs four times as much."""

_READS_IN_A_LARGE_FILE = 400_000
_MOST_OF_A_WORD = 16  # what pyHanko reads of one at once; more is a stream's content
_WORD_END = re.compile(rb"[\0\t\n\f\r ()<>\[\]{}/%]")

_LONG = re.compile(rb"<((?:[0-9A-Fa-f]{2}){256,})>")
_MOST_LONG = 256
_DIGITS = 8


class RationedFile(BytesIO):
    """Bytes that can be read `most` times."""

    def __init__(self, data: bytes, most: int = MOST_READS) -> None:
        super().__init__(data)
        self._left = most

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as a file does. Raises PdfReadError when it was read too often."""
        self._take()
        return super().read(size)

    def _take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise PdfReadError("the file keeps its reader busy")


class StrangersFile(RationedFile):
    """A rationed file with long hexadecimal strings shown as numbers: to be read, not written on.

    A stream's content is read in one piece and shown as it is.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data, min(MOST_READS + len(data) // 8, _READS_IN_A_LARGE_FILE))
        self._data = data
        self._word = 0
        self._had: set[int] = set()
        self._long = [match.span(1) for match in islice(_LONG.finditer(data), _MOST_LONG)]
        self._detours: dict[int, tuple[bytes, int]] = {}
        for number, (start, end) in enumerate(self._long):
            digits = f"{number:0{_DIGITS}x}".encode()
            for place in range(_DIGITS):
                onward = start + place + 1 if place + 1 < _DIGITS else end
                self._detours[start + place] = (digits[place : place + 1], onward)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as a file does. Raises PdfReadError when it was read too often, or a word is too long."""
        self._take()
        detour = self._detours.get(self.tell()) if size == 1 else None
        if detour is None:
            return self._counted(BytesIO.read(self, size))
        digit, onward = detour
        self.seek(onward)
        return digit

    def _counted(self, data: bytes) -> bytes:
        if len(data) > _MOST_OF_A_WORD or _WORD_END.search(data):
            self._word = 0
            return data
        self._word += len(data)
        if self._word > LONGEST_WORD:
            raise PdfReadError("a word without end")
        return data

    def hexadecimal(self, shown: bytes) -> tuple[int, int, bytes]:
        """Return where the long string shown as these bytes stands, with its brackets, and its value.

        Raises LookupError where there is none of that number.
        """
        if len(shown) * 2 != _DIGITS:
            raise LookupError("a short string")
        number = int.from_bytes(shown)
        start, end = self._long[number]
        # Four bytes of a stranger's may look like a number: each string is had once.
        if number in self._had:
            raise LookupError("a string of another place")
        self._had.add(number)
        return start - 1, end + 1, unhexlify(self._data[start:end])
