"""Streams of a PDF, deflated by us: what licences share is deflated once a process, the rest faster."""

import zlib

from pikepdf import Name, Object, Pdf

# Half the time of the default for one twentieth more bytes: fonts, most of a file, hardly shrink.
_LEVEL = 1


def deflated(content: bytes) -> bytes:
    """Return `content` as a FlateDecode stream has it (ISO 32000-1 §7.4.4)."""
    return zlib.compress(content, _LEVEL)


def add_stream(pdf: Pdf, packed: bytes, **entries: object) -> Object:
    """Add a stream to `pdf` whose content is `deflated`, and return it."""
    return pdf.make_stream(packed, Filter=Name.FlateDecode, **entries)
