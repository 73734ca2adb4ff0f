"""Which entries an OFD document is made of: everything reachable from OFD.xml, and its attachments.

The table below is the part structure of GB/T 33190-2016 §7–§18 with the additions of GM/T 0099-2020
to signatures. Locations are followed by local name wherever real files put them.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

from seal.ofd_package import MAX_ENTRIES, NotAnOfd, Package
from seal.ofd_xml import children, parse, resolve, text

ROOT = "OFD.xml"


@dataclass(frozen=True, slots=True)
class _Link:
    """Where a part names another: an element path, the attribute that holds it, the kind it leads to."""

    path: tuple[str, ...]
    attribute: str = ""
    kind: str = ""


_PARTS: dict[str, tuple[_Link, ...]] = {
    "OFD": (
        _Link(("DocBody", "DocRoot"), kind="Document"),
        _Link(("DocBody", "DocInfo", "Cover")),
        _Link(("DocBody", "Versions", "Version"), "BaseLoc", "DocVersion"),
        _Link(("DocBody", "Signatures"), kind="Signatures"),
    ),
    "Document": (
        _Link(("CommonData", "PublicRes"), kind="Res"),
        _Link(("CommonData", "DocumentRes"), kind="Res"),
        _Link(("CommonData", "TemplatePage"), "BaseLoc", "Page"),
        _Link(("Pages", "Page"), "BaseLoc", "Page"),
        _Link(("Annotations",), kind="Annotations"),
        _Link(("CustomTags",), kind="CustomTags"),
        _Link(("Attachments",), kind="Attachments"),
        _Link(("Extensions",), kind="Extensions"),
    ),
    "Page": (_Link(("PageRes",), kind="Res"),),
    "Res": (
        _Link(("Fonts", "Font", "FontFile")),
        _Link(("MultiMedias", "MultiMedia", "MediaFile")),
        _Link(("ColorSpaces", "ColorSpace"), "Profile"),
    ),
    "Annotations": (_Link(("Page", "FileLoc")),),
    "CustomTags": (_Link(("CustomTag", "FileLoc")), _Link(("CustomTag", "SchemaLoc"))),
    "Attachments": (_Link(("Attachment", "FileLoc")),),
    "Extensions": (_Link(("Extension", "ExtendData")),),
    "DocVersion": (_Link(("FileList", "File")), _Link(("DocRoot",), kind="Document")),
    "Signatures": (_Link(("Signature",), "BaseLoc", "Signature"),),
    "Signature": (
        _Link(("SignedValue",)),
        _Link(("SignedInfo", "Seal", "BaseLoc")),
        _Link(("SignedInfo", "Seal", "ImageLoc")),
    ),
}


@dataclass(frozen=True, slots=True)
class Structure:
    """The entries reached from OFD.xml with the kind of each ("" for a plain file), in the order met.

    `missing` are named but not there, `unreadable` are there but no XML.
    """

    reached: Mapping[str, str]
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]


def structure(package: Package) -> Structure:
    """Follow every location from OFD.xml on; each entry is read once, so no cycle holds it up."""
    reached: dict[str, str] = {}
    missing: dict[str, None] = {}
    unreadable: list[str] = []
    waiting = deque([(ROOT, "OFD")])
    while waiting:
        name, kind = waiting.popleft()
        if name in reached:
            continue
        if name not in package.entries:
            if len(missing) < MAX_ENTRIES:
                missing[name] = None
            continue
        reached[name] = kind
        try:
            waiting.extend(_links(package.entries[name], name, kind))
        except NotAnOfd:
            unreadable.append(name)
    return Structure(reached, tuple(missing), tuple(unreadable))


def attachments(package: Package, document: Structure) -> tuple[tuple[str, bytes], ...]:
    """Return the name and content of each attachment that is there (§15), in their order."""
    found = []
    for element, part in _elements(package, document, "Attachments", "Attachment"):
        entry = resolve(text(element, "FileLoc"), part)
        if entry in package.entries:
            found.append((element.get("Name", entry), package.entries[entry]))
    return tuple(found)


def _elements(
    package: Package, document: Structure, kind: str, name: str
) -> Iterator[tuple[etree._Element, str]]:
    """Yield the elements `name` in the readable parts of one kind, each with its part."""
    for part, its_kind in document.reached.items():
        if its_kind == kind and part not in document.unreadable:
            root = parse(package.entries[part], part)
            yield from ((element, part) for element in children(root, name))


def _links(content: bytes, part: str, kind: str) -> Iterator[tuple[str, str]]:
    """Yield the entries that `part` names, with their kinds."""
    if not kind:
        return
    root = parse(content, part)
    base = root.get("BaseLoc", "") if kind == "Res" else ""
    for link in _PARTS[kind]:
        for element in children(root, *link.path):
            location = _location(element, link.attribute)
            if location:
                yield resolve(location, part, base), link.kind


def _location(element: etree._Element, attribute: str) -> str:
    return element.get(attribute, "").strip() if attribute else text(element)
