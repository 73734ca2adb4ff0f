"""The files carried inside a PDF, read from its name tree with every size bounded."""

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

LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_output_size=_MIB),
    document_budget=DocumentDecodeBudget(base_allowance=_MIB, max_ratio=0),
)
"""How far the streams of a stranger's document may unpack: objects in them cost 2 s a MiB to read."""


def read_attachments(reader: PdfFileReader) -> tuple[tuple[str, bytes], ...]:
    """Return (name, content) of every embedded file, in the order of the name tree.

    Raises `PdfReadError` when there are too many, and what pyHanko raises for malformed objects.
    """
    names = entry(reader.root, "/Names", {})
    tree = entry(names, "/EmbeddedFiles")
    if tree is None:
        return ()
    found: list[tuple[str, bytes]] = []
    for name, specification in _leaves(tree):
        if len(found) == MOST_FILES:
            raise PdfReadError("too many embedded files")
        if "/EF" in specification:  # else it names a file elsewhere, which stays there
            found.append((str(name), bytes(specification["/EF"]["/F"].data)))
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
