"""Put a signature into a PDF: a field with the seal's picture, room for the signature, then itself.

pyHanko lays it out as an incremental update: nothing that was in the file is touched. What goes into
the room is the caller's, made over the digest of everything around it (ISO 32000-1 §12.8.1).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import MappingProxyType
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import (
    MDPPerm,
    SigFieldSpec,
    VisibleSigSettings,
    append_signature_field,
    enumerate_sig_fields,
)
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigAppearanceSetup,
    SigIOSetup,
    SigMDPSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp, PdfSignedData

from keys.errors import DomainError
from seal import pdf_signatures
from seal.face import SealBox
from seal.pdf_attachments import LIMITS
from seal.pdf_errors import (
    PdfCertifiedLate,
    PdfFieldNotReserved,
    PdfFieldTaken,
    PdfLocked,
    PdfNoRoom,
    PdfNotExtendable,
    PdfRidingLate,
)
from seal.pdf_objects import entry
from seal.pdf_picture import Picture, SealStyle, add_picture
from seal.pdf_places import UPRIGHT, Turn, turn_of
from seal.pdf_signatures import PlacedSignature
from seal.pdf_slices import add_slice, field_box, place_on, slices
from seal.pdf_stream import RationedFile, StrangersFile
from seal.stamp_places import Riding, StampPlaceUnsuitable

_MOST_READS = 2_000_000  # some seconds; a file of a thousand pages takes a tenth
NOTHING_RESERVED: Mapping[str, SealBox] = MappingProxyType({})


class _Writer(IncrementalPdfFileWriter):
    """Extends a file without rewriting what it says about itself: no clock, no chance, no producer."""

    def _update_meta(self) -> None:
        return

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        """Return the file's identifiers (ISO 32000-1 §14.4): its own, and one of what is extended."""
        extended = hashlib.sha256(prev.stream.getvalue()).digest()[:16]
        listed = entry(prev.trailer, "/ID")
        first = listed[0].original_bytes if listed else extended
        return generic.ArrayObject(map(generic.ByteStringObject, (first, extended)))


@dataclass(frozen=True, slots=True)
class Prepared:
    """A PDF laid out with an empty room for the signature: what is to be signed."""

    digest: bytes
    byte_range: tuple[int, int, int, int]
    file: bytes

    @property
    def covered(self) -> bytes:
        """Everything but the room."""
        _, first, second, length = self.byte_range
        return self.file[:first] + self.file[second : second + length]


@dataclass(frozen=True, slots=True)
class Looks:
    """What is seen of a signature: the seal's picture, where it goes, and the time of signing.

    `riding` has it over the edges of pages; `box` then gives its size.
    """

    picture: Picture
    box: SealBox
    at: datetime
    riding: Riding | None = None


def extend(pdf: bytes) -> IncrementalPdfFileWriter:
    """Open a PDF to extend it. Raises PdfNotExtendable."""
    with reading():
        return _Writer(RationedFile(pdf, _MOST_READS), decode_limits=LIMITS)


@contextmanager
def reading() -> Iterator[None]:
    """Turn whatever a stranger's bytes do to the parser into PdfNotExtendable."""
    try:
        yield
    except DomainError:
        raise
    except Exception as wrong:  # pyHanko promises no set of exceptions for what is malformed
        raise PdfNotExtendable(reason=type(wrong).__name__) from wrong


def seen_in(
    pdf: bytes, box: SealBox, *, field_name: str = "", riding: Riding | None = None
) -> tuple[SealBox, ...]:
    """Return the boxes that a seal stamped so would be seen in, of `pdf` as it is.

    Raises PdfNotExtendable, PdfFieldTaken, StampPlaceUnsuitable.
    """
    writer = extend(pdf)
    with reading():
        _, there = _field(writer, field_name)
        if there:
            return (field_box(writer, there),)
        return tuple(part.box for part in slices(writer, box, riding))


def at_field(pdf: bytes, name: str) -> SealBox:
    """Return the box of the empty signature field of that name.

    Raises PdfNotExtendable, PdfFieldTaken, and StampPlaceUnsuitable where there is none on a page.
    """
    writer = extend(pdf)
    with reading():
        _, there = _field(writer, name)
        if there is None:
            raise StampPlaceUnsuitable(reason="field")
        return field_box(writer, there)


def embed(
    pdf: bytes,
    signature: PdfSignedData,
    digest: str,
    make: Callable[[Prepared], bytes],
    *,
    looks: Looks | None = None,
    field_name: str = "",
    certify: bool = False,
    reserved: Mapping[str, SealBox] = NOTHING_RESERVED,
) -> bytes:
    """Return `pdf` with `signature` in it, its contents as `make` makes them.

    `digest` names the hash of what is signed. Without `looks` nothing is seen on any page. An empty
    signature field named `field_name` is filled, at its own place; a field is made where there is
    none of that name, under a name of its own for "". `certify` forbids every later change but
    filling in forms and signing in the fields that are there: `reserved` are empty ones made in the
    same update, by their names.

    Raises PdfNotExtendable, PdfFieldTaken, PdfLocked, PdfCertifiedLate, PdfFieldNotReserved,
    PdfRidingLate, PdfNoRoom, StampPlaceUnsuitable, and what `make` raises.
    """
    writer = extend(pdf)
    with reading():
        name, there = _field(writer, field_name)
        seen = bool(reserved) or (there is None and looks is not None)
        signatures = earlier(writer, pdf)
        # A time stamp for the archive changes nothing that was certified (ISO 32000-2 §12.8.2.2.2).
        if not isinstance(signature, DocumentTimestamp):
            _check_permission(signatures, certify, adds_seen_field=seen)
        if looks and looks.riding and (signatures or there):
            raise PdfRidingLate
        _reserve(writer, name, reserved)
        spec, drawn = _drawn(writer, name, there, looks)
        embedding = PdfCMSEmbedder(spec).write_cms(name, writer, existing_fields_only=spec is None)
        next(embedding)
        mdp = SigMDPSetup(digest, certify=True, docmdp_perms=MDPPerm.FILL_FORMS)
        embedding.send(SigObjSetup(signature, mdp if certify else None, drawn))
        laid_out, out = embedding.send(SigIOSetup(digest, output=BytesIO()))
    start, end = laid_out.reserved_region_start, laid_out.reserved_region_end
    file = out.getvalue()
    prepared = Prepared(laid_out.document_digest, (0, start, end, len(file) - end), file)
    content, kept = make(prepared), (end - start - 2) // 2
    if len(content) > kept:
        raise PdfNoRoom(needed=len(content), kept=kept)
    embedding.send(content)
    signed: bytes = out.getvalue()
    return signed


def earlier(writer: IncrementalPdfFileWriter, pdf: bytes) -> tuple[PlacedSignature | str, ...]:
    """Return the signatures that are in the file, or the names of the fields of malformed ones."""
    if "/AcroForm" not in writer.root:
        return ()
    file = StrangersFile(pdf)
    return tuple(pdf_signatures.place(PdfFileReader(file, decode_limits=LIMITS), file))


def _check_permission(
    signatures: tuple[PlacedSignature | str, ...], certify: bool, *, adds_seen_field: bool
) -> None:
    if certify and signatures:
        raise PdfCertifiedLate
    readable = [each for each in signatures if not isinstance(each, str)]
    if any(each.allows is MDPPerm.NO_CHANGES for each in readable):
        raise PdfLocked
    if adds_seen_field and any(each.certifies for each in readable):
        raise PdfFieldNotReserved


def _field(writer: IncrementalPdfFileWriter, wanted: str) -> tuple[str, Any]:
    """Return the name of the field to fill, and the field, or None where it is to be made."""
    fields = {str(name): (value, field) for name, value, field in enumerate_sig_fields(writer)}
    if not wanted:
        free = (f"Seal{number}" for number in range(1, len(fields) + 2))
        return next(name for name in free if name not in fields), None
    value, there = fields.get(wanted, (None, None))
    if value is not None:
        raise PdfFieldTaken
    return wanted, there


def _reserve(writer: IncrementalPdfFileWriter, own: str, reserved: Mapping[str, SealBox]) -> None:
    taken = {own, *(str(name) for name, _, _ in enumerate_sig_fields(writer))}
    if taken & reserved.keys():
        raise PdfFieldTaken
    for name, box in reserved.items():
        (whole,) = slices(writer, box, None)
        append_signature_field(writer, _new_field(writer, name, whole.box)[0])


def _drawn(
    writer: IncrementalPdfFileWriter, name: str, there: Any, looks: Looks | None
) -> tuple[SigFieldSpec | None, SigAppearanceSetup | None]:
    """Return the field to make, if it is not there, and how the signature looks; draw the rest."""
    if looks is None:
        return (None if there else SigFieldSpec(sig_field_name=name)), None
    image = add_picture(writer, looks.picture)
    if there:
        style = SealStyle(image=image, turn=_turn(there))
        return None, SigAppearanceSetup(style, looks.at, None)
    first, *others = slices(writer, looks.box, looks.riding)
    for part in others:
        add_slice(writer, part, image)
    spec, turn = _new_field(writer, name, first.box)
    style = SealStyle(image=image, turn=turn, crop=first.crop)
    return spec, SigAppearanceSetup(style, looks.at, None)


def _turn(field: Any) -> Turn:
    """Return how a picture is turned in a field that is there."""
    said = field.get_object()
    return turn_of(said["/P"]) if "/P" in said else UPRIGHT


def _new_field(
    writer: IncrementalPdfFileWriter, name: str, box: SealBox
) -> tuple[SigFieldSpec, Turn]:
    rectangle: Any
    rectangle, turn = place_on(writer, box)
    spec = SigFieldSpec(
        sig_field_name=name,
        on_page=box.page,
        box=rectangle,  # said to be whole points, but any number is written as it is
        visible_sig_settings=VisibleSigSettings(),
        readable_field_name="电子印章",
    )
    return spec, turn
