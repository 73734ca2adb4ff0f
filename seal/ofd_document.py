"""Which entries an OFD document is made of: everything reachable from OFD.xml, and its attachments.

The table below is the part structure of GB/T 33190-2016 §7–§18 with the additions of GM/T 0099-2020
to signatures. Locations are followed by local name wherever real files put them.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from seal.ofd_package import MAX_ENTRIES, NotAnOfd, Package
from seal.ofd_xml import children, parse, resolve, text

ROOT = "OFD.xml"
MAX_LINKS = 4 * MAX_ENTRIES
"""Locations one part may name; the package cannot hold that many entries."""


@dataclass(frozen=True, slots=True)
class _Link:
    """Where a part names another: an element path, the attribute that holds it, the kind it leads to."""

    path: tuple[str, ...]
    attribute: str = ""
    kind: str = ""


_SIGNATURES = "Signatures"
_PARTS: dict[str, tuple[_Link, ...]] = {
    "OFD": (
        _Link(("DocBody", "DocRoot"), kind="Document"),
        _Link(("DocBody", "DocInfo", "Cover")),
        _Link(("DocBody", "Versions", "Version"), "BaseLoc", "DocVersion"),
        _Link(("DocBody", "Signatures"), kind=_SIGNATURES),
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
    _SIGNATURES: (_Link(("Signature",), "BaseLoc", "Signature"),),
    "Signature": (
        _Link(("SignedValue",)),
        _Link(("SignedInfo", "Seal", "BaseLoc")),
        _Link(("SignedInfo", "Seal", "ImageLoc")),
    ),
}


@dataclass(frozen=True, slots=True)
class Structure:
    """The entries reached from OFD.xml with the kind of each ("" for a plain file), in the order met.

    `body` are those that are the document itself, reached without its signatures. `missing` are
    named but not there, `unreadable` are there but no XML, or name too much.
    """

    reached: Mapping[str, str]
    body: tuple[str, ...]
    missing: tuple[str, ...]
    unreadable: tuple[str, ...]


def structure(package: Package) -> Structure:
    """Follow every location from OFD.xml on; each entry is read once, so no cycle holds it up."""
    reached: dict[str, str] = {}
    missing: dict[str, None] = {}
    unreadable: list[str] = []
    body: tuple[str, ...] = ()
    waiting, signatures = deque([(ROOT, "OFD")]), deque[tuple[str, str]]()
    while waiting:
        name, kind = waiting.popleft()
        if name in package.entries and name not in reached:
            reached[name] = kind
            try:
                for link in _links(package.entries[name], name, kind):
                    (signatures if link[1] == _SIGNATURES else waiting).append(link)
            except NotAnOfd:
                unreadable.append(name)
        elif name not in package.entries and len(missing) < MAX_ENTRIES:
            missing[name] = None
        if signatures and not waiting:
            # What the document consists of is known before a list that anybody may have changed is read.
            body = tuple(reached)
            waiting, signatures = signatures, deque()
    return Structure(reached, body or tuple(reached), tuple(missing), tuple(unreadable))


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


def _links(content: bytes, part: str, kind: str) -> list[tuple[str, str]]:
    """Return the entries that `part` names, with their kinds. Raises `NotAnOfd`."""
    if not kind:
        return []
    links = list(islice(_named(parse(content, part), part, kind), MAX_LINKS + 1))
    if len(links) > MAX_LINKS:
        raise NotAnOfd("entries", part)
    return links


def _named(root: etree._Element, part: str, kind: str) -> Iterator[tuple[str, str]]:
    base = root.get("BaseLoc", "") if kind == "Res" else ""
    for link in _PARTS[kind]:
        for element in children(root, *link.path):
            location = _location(element, link.attribute)
            if location:
                yield resolve(location, part, base), link.kind


def _location(element: etree._Element, attribute: str) -> str:
    return element.get(attribute, "").strip() if attribute else text(element)
