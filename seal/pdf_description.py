"""What a PDF says of itself, and whether that is still what was signed.

It says it twice: in the information dictionary (ISO 32000-1 §14.3.3) and in XMP (ISO 16684-1). It is on
no page, but it is what windows, lists and archives call the file.
"""

from collections.abc import Iterator

from lxml import etree
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.rw_common import PdfHandler

from seal.pdf_objects import entry
from seal.pdf_signatures import PlacedSignature
from seal.report import Finding, Outcome

_DESCRIBING = ("/Title", "/Author", "/Subject", "/Keywords")
# Dublin Core, and the keywords; dates and the names of programs are in namespaces of their own.
_DESCRIBING_XMP = (
    "{http://purl.org/dc/elements/1.1/}",
    "{http://ns.adobe.com/pdf/1.3/}Keywords",
)
_LARGEST_XMP = 1024 * 1024
_UNREADABLE = "unreadable"

_Words = frozenset[tuple[str, str]]


def described_anew(placed: PlacedSignature) -> Iterator[Finding]:
    """What the file says of itself is as it was signed: pyHanko lets anybody change that.

    Dates and the names of programs may change, as those who add a seal set them.
    """
    reader = placed.reader
    if placed.signed_revision + 1 < reader.xrefs.total_revisions:
        then = reader.get_historical_resolver(placed.signed_revision)
        if _information(reader) - _information(then) or _metadata(reader) != _metadata(then):
            yield Finding("pdf.metadata", Outcome.WARNING, "pdf.metadata_changed", placed.fq_name)


def _information(version: PdfHandler) -> _Words:
    trailer = version.trailer_view
    if "/Info" not in trailer:
        return frozenset()
    # By the version itself: what is in a trailer leads to the newest one.
    info = version.get_object(trailer.raw_get("/Info").reference)
    return frozenset((key, str(info[key])) for key in _DESCRIBING if key in info)


def _metadata(version: PdfHandler) -> _Words:
    stream = entry(version.root, "/Metadata")
    if not isinstance(stream, generic.StreamObject):
        return frozenset()
    packet = stream.data
    try:
        tree = etree.fromstring(packet, _parser()) if len(packet) <= _LARGEST_XMP else None
    except etree.XMLSyntaxError:
        tree = None
    if tree is None:
        return frozenset({(_UNREADABLE, packet.hex())})
    return frozenset(_words(tree))


def _words(tree: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield each property and its text, written as an element or as an attribute (ISO 16684-1 §7.4)."""
    for element in tree.iter(etree.Element):
        name = str(element.tag)
        if name.startswith(_DESCRIBING_XMP):
            yield name, " ".join("".join(map(str, element.itertext())).split())
        for key, value in element.attrib.items():
            if str(key).startswith(_DESCRIBING_XMP):
                yield str(key), str(value)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
