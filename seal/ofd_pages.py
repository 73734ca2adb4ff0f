"""The pages of an OFD document in order, with their ids, sizes and templates (GB/T 33190-2016 §7.5–§7.7)."""

import math
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from seal.ofd_package import NotAnOfd, Package
from seal.ofd_xml import child, children, parse, resolve, text

MAX_PAGES = 1000
MAX_LENGTH = 100_000.0
"""Millimetres. No page is longer, and arithmetic with what is said to be so is not worth doing."""

_A4 = (0.0, 0.0, 210.0, 297.0)


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """One page: its ST_ID, the entry of its content, its size in mm, the entries drawn under and over it."""

    id: str
    part: str
    width: float
    height: float
    under: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def layers(self) -> tuple[str, ...]:
        """The entries drawn, in order."""
        return (*self.under, self.part, *self.over)


def document_part(package: Package) -> str:
    """Return the entry name of the (first) Document.xml. Raises `NotAnOfd`."""
    root = parse(_entry(package, "OFD.xml"), "OFD.xml")
    name = resolve(text(root, "DocBody", "DocRoot"), "OFD.xml")
    _entry(package, name)
    return name


def pages(package: Package) -> tuple[DocumentPage, ...]:
    """Return the pages of the first document. Raises `NotAnOfd` without any, or above `MAX_PAGES`."""
    name = document_part(package)
    root = parse(package.entries[name], name)
    templates = {
        element.get("ID", ""): resolve(element.get("BaseLoc", ""), name)
        for element in children(root, "CommonData", "TemplatePage")
    }
    box = _box(child(root, "CommonData", "PageArea"), _A4)
    listed = list(islice(children(root, "Pages", "Page"), MAX_PAGES + 1))
    if not listed:
        raise NotAnOfd("structure", name)
    if len(listed) > MAX_PAGES:
        raise NotAnOfd("entries", name)
    return tuple(
        _page(
            package,
            element.get("ID", ""),
            resolve(element.get("BaseLoc", ""), name),
            templates,
            box,
        )
        for element in listed
    )


def numbers(value: str) -> tuple[float, ...]:
    """Read an ST_Array. Raises `ValueError` for what is no number or none of this world."""
    read = tuple(map(float, value.split()))
    if not all(math.isfinite(number) and abs(number) <= MAX_LENGTH for number in read):
        raise ValueError("number")
    return read


def _page(
    package: Package,
    page_id: str,
    part: str,
    templates: dict[str, str],
    box: tuple[float, ...],
) -> DocumentPage:
    root = parse(_entry(package, part), part)
    _, _, width, height = _box(child(root, "Area"), box)
    drawn = [
        (templates[element.get("TemplateID", "")], element.get("ZOrder", "Background"))
        for element in children(root, "Template")
        if templates.get(element.get("TemplateID", ""), "") in package.entries
    ]
    return DocumentPage(
        page_id,
        part,
        width,
        height,
        under=tuple(name for name, order in drawn if order != "Foreground"),
        over=tuple(name for name, order in drawn if order == "Foreground"),
    )


def _box(area: etree._Element | None, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    try:
        box = numbers(text(area, "PhysicalBox"))
    except ValueError:
        return otherwise
    return box if len(box) == len(otherwise) and min(box[2:]) > 0 else otherwise


def _entry(package: Package, name: str) -> bytes:
    try:
        return package.entries[name]
    except KeyError:
        raise NotAnOfd("structure", name) from None
