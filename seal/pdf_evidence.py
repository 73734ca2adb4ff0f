"""The proofs a PDF carries for long-term checking: its document security store (ETSI EN 319 142-1 §5.4).

Whoever wrote the file chose them; each is believed for its issuer's signature alone. Nothing is
fetched: what is not in the file and not at hand is not there.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

from seal.ground import Ground
from seal.pdf_attachments import Carried, CarriesTooMuch
from seal.pdf_objects import entry, items

_MOST = 64
_MOST_BYTES = 2 * 1024 * 1024  # lists of fifty thousand entries, a second to read


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came with the file, in DER."""

    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsp_answers: tuple[bytes, ...] = ()

    def beside(self, ground: Ground) -> Ground:
        """Return the ground with this beside what is at hand."""
        return replace(
            ground,
            crls=ground.crls + self.crls,
            ocsp_answers=ground.ocsp_answers + self.ocsp_answers,
            intermediates=ground.intermediates + self.certificates,
        )

    def alone(self, ground: Ground) -> Ground:
        """Return the ground with this in place of all but the authorities."""
        return Ground(ground.anchors, self.crls, self.ocsp_answers, intermediates=self.certificates)


def read_evidence(reader: PdfFileReader) -> Evidence:
    """Return what the file's store holds; nothing where there is none.

    What would be too much to read is passed over: whoever wrote the file could have left it out.
    Raises `PdfReadError` for more than a store of ours could hold, and what pyHanko raises for
    malformed objects.
    """
    store = entry(reader.root, "/DSS")
    if store is None:
        return Evidence()
    carried = Carried(_MOST_BYTES)
    return Evidence(
        *(tuple(_streams(store, kind, carried)) for kind in ("/Certs", "/CRLs", "/OCSPs"))
    )


def _streams(store: Any, kind: str, carried: Carried) -> Iterator[bytes]:
    listed = entry(store, kind, ())
    if len(listed) > _MOST:
        raise PdfReadError("a store too large")
    for stream in items(listed):
        with suppress(CarriesTooMuch):
            yield carried.content(stream)
