"""The files carried inside a PDF, read from its name tree with every size bounded."""

from collections.abc import Iterator
from typing import Any

from pyhanko.pdf_utils.decode_limits import (
    DecodeLimits,
    DocumentDecodeBudget,
    StreamDecodeLimits,
)
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

MOST_FILES = 32
_DEEPEST = 8
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
    names = reader.root.get("/Names")
    tree = names.get("/EmbeddedFiles") if names is not None else None
    if tree is None:
        return ()
    found: list[tuple[str, bytes]] = []
    for name, specification in _leaves(tree, 0):
        if len(found) == MOST_FILES:
            raise PdfReadError("too many embedded files")
        found.append((str(name), bytes(specification["/EF"]["/F"].data)))
    return tuple(found)


def _leaves(node: Any, depth: int) -> Iterator[tuple[Any, Any]]:
    """Walk a name tree (ISO 32000-1 §7.9.6)."""
    if depth > _DEEPEST:
        raise PdfReadError("a name tree too deep")
    pairs, kids = node.get("/Names", ()), node.get("/Kids", ())
    # By index: pyHanko follows references there, and not when iterating.
    yield from ((pairs[at], pairs[at + 1]) for at in range(0, len(pairs), 2))
    for at in range(len(kids)):
        yield from _leaves(kids[at], depth + 1)
