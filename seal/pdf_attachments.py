"""The files carried inside a PDF, read from its name tree with every size bounded."""

import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from pyhanko.pdf_utils.decode_limits import (
    DecodeLimits,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

from seal.pdf_objects import entry, items

MOST_FILES = 32
_MOST_NODES = 256
_MIB = 1024 * 1024
MOST_BYTES = 32 * _MIB
"""What the files in a document may hold, all together: scans of what was handed in, and the like."""

LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=_MIB),
    document_budget=DocumentDecodeBudget(base_allowance=_MIB, max_ratio=0),
)
"""How far the streams of a stranger's document may unpack: objects in them cost 2 s a MiB to read.

What is carried inside costs less, and has bounds of its own (`Carried`).
"""


class CarriesTooMuch(PdfReadError):
    """The document carries more than it may."""


class Carried:
    """Unpacks what a document carries, up to `most` bytes for all together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def content(self, stream: Any) -> bytes:
        """Return a stream's content. Raises `CarriesTooMuch`, and what pyHanko raises."""
        if self._left < 0:
            raise CarriesTooMuch("a document that carries too much")
        if stream.get("/Filter") == "/FlateDecode" and "/DecodeParms" not in stream:
            content = zlib.decompressobj().decompress(stream.encoded_data, self._left + 1)
        elif "/Filter" not in stream:
            content = stream.encoded_data
        else:
            content = stream.data
        self._left -= len(content)
        if self._left < 0:
            raise CarriesTooMuch("a document that carries too much")
        return bytes(content)


def read_attachments(reader: PdfFileReader) -> tuple[tuple[str, bytes], ...]:
    """Return (name, content) of every embedded file, in the order of the name tree.

    Raises `PdfReadError` when there are too many, and what pyHanko raises for malformed objects.
    """
    names = entry(reader.root, "/Names", {})
    tree = entry(names, "/EmbeddedFiles")
    if tree is None:
        return ()
    found: list[tuple[str, bytes]] = []
    carried = Carried(MOST_BYTES)
    for name, specification in _leaves(tree):
        if len(found) == MOST_FILES:
            raise PdfReadError("too many embedded files")
        if "/EF" in specification:  # else it names a file elsewhere, which stays there
            found.append((str(name), carried.content(specification["/EF"]["/F"])))
    return tuple(found)


def _leaves(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Walk a name tree (ISO 32000-1 §7.9.6), its nodes in order."""
    waiting, seen = [tree], 0
    while waiting:
        node, seen = waiting.pop(), seen + 1
        if seen > _MOST_NODES:
            raise PdfReadError("a name tree too large")
        pairs = entry(node, "/Names", ())
        yield from ((pairs[at], pairs[at + 1]) for at in range(0, len(pairs), 2))
        waiting.extend(reversed([*islice(items(entry(node, "/Kids", ())), _MOST_NODES + 1)]))
