"""What an OFD licence prints, field by field: its custom tags tie each datum to page objects.

GB/T 33190-2016 §16 leaves the schema of a tag file to its maker; read here is the one
`seal.ofd_writer` writes: `Datum Name="…"` with `ObjectRef PageRef="…"`.
"""

import io
import re
from collections.abc import Iterator, Mapping

from lxml import etree
from PIL import Image, ImageDraw

from seal import ofd_package
from seal.ofd_writer import CODE_TAG, TAGS_NAMESPACE
from seal.ofd_xml import child, children, descendants, parse, resolve, text
from seal.qr import read_picture
from seal.report import SealReport
from verification.printed import Printed

_SIDE = 800
_QUIET = 80
_MOST_PATH = 200_000
_MOST_CODES = 4
_BAR = re.compile(r"M (\S+) (\S+) L (\S+) (\S+) L (\S+) (\S+) L (\S+) (\S+) C")

Entries = Mapping[str, bytes]


def read_ofd_page(ofd: bytes, _report: SealReport) -> Printed:
    """Return the printed fields and codes; raise `NotAnOfd` when a part is missing or malformed."""
    entries = ofd_package.read(ofd).entries
    root_name = resolve(text(_part(entries, "OFD.xml"), "DocBody", "DocRoot"), "OFD.xml")
    document = _part(entries, root_name)
    objects = _objects(entries, document, root_name)
    fields: dict[str, str] = {}
    squares: list[etree._Element] = []
    for name, element in _tagged(entries, document, root_name, objects):
        if name == CODE_TAG:
            squares.append(element)
        else:
            fields[name] = fields.get(name, "") + _text_of(element)
    if len(squares) > _MOST_CODES:
        raise ofd_package.NotAnOfd("too_large", root_name)
    codes = (told for square in squares for told in read_picture(_draw(square)))
    return Printed(fields=fields, codes=tuple(codes))


def _part(entries: Entries, name: str) -> etree._Element:
    if name not in entries:
        raise ofd_package.NotAnOfd("structure", name)
    return parse(entries[name], name)


Objects = dict[tuple[str, str], etree._Element]


def _objects(entries: Entries, document: etree._Element, document_name: str) -> Objects:
    """Return every identified object by (page id, object id); each page entry is read once."""
    pages = {
        resolve(page.get("BaseLoc", ""), document_name): page.get("ID", "")
        for page in children(document, "Pages", "Page")
    }
    return {
        (page_id, element.get("ID", "")): element
        for name, page_id in pages.items()
        for element in _part(entries, name).iter()
        if element.get("ID")
    }


def _tagged(
    entries: Entries, document: etree._Element, document_name: str, objects: Objects
) -> Iterator[tuple[str, etree._Element]]:
    """Yield each datum's name with each object that prints it, in the order of the tag file.

    An object prints one datum: it is taken from `objects`, so what follows is bounded by the page.
    """
    list_name = resolve(text(document, "CustomTags"), document_name)
    tag_files = dict.fromkeys(
        resolve(text(tag, "FileLoc"), list_name)
        for tag in children(_part(entries, list_name), "CustomTag")
        if tag.get("NameSpace") == TAGS_NAMESPACE
    )
    for name in tag_files:
        for datum in descendants(_part(entries, name), "Datum"):
            for reference in children(datum, "ObjectRef"):
                element = objects.pop((reference.get("PageRef", ""), text(reference)), None)
                if element is not None:
                    yield datum.get("Name", ""), element


def _text_of(element: etree._Element) -> str:
    return "".join(code.text or "" for code in children(element, "TextCode"))


def _draw(path: etree._Element) -> bytes:
    """Return a PNG of the printed code, a path of upright rectangles in its own square."""
    picture = Image.new("L", (_SIDE + 2 * _QUIET, _SIDE + 2 * _QUIET), 255)
    pen = ImageDraw.Draw(picture)
    data = text(child(path, "AbbreviatedData"))[:_MOST_PATH]
    try:
        side = float(path.get("Boundary", "").split()[2])
        for bar in _BAR.finditer(data):
            left, top, _, _, right, bottom, _, _ = (
                _QUIET + _SIDE * min(max(float(n) / side, 0), 1) for n in bar.groups()
            )
            if left < right and top < bottom:
                pen.rectangle((left, top, right - 1, bottom - 1), fill=0)
    except (ValueError, IndexError, ZeroDivisionError):
        return _png(Image.new("L", (_SIDE, _SIDE), 255))
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    target = io.BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()
