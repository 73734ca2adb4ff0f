"""The resources of an OFD by ST_ID (GB/T 33190-2016 §7.9): fonts, pictures, drawing parameters, units."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from seal.ofd_document import structure
from seal.ofd_package import Package
from seal.ofd_xml import children, parse, resolve, text


@dataclass(frozen=True, slots=True)
class Font:
    """A font by name, with its file where one is embedded (b"" without)."""

    name: str
    bold: bool
    file: bytes


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything objects refer to. Parameters (§8.2) and units (§13) are kept as elements."""

    fonts: dict[str, Font] = field(default_factory=dict)
    media: dict[str, bytes] = field(default_factory=dict)
    draw_params: dict[str, etree._Element] = field(default_factory=dict)
    units: dict[str, etree._Element] = field(default_factory=dict)


def read_resources(package: Package) -> Resources:
    """Return the resources of all readable resource files, those of single pages included."""
    found = Resources()
    reached = structure(package)
    for part, kind in reached.reached.items():
        if kind == "Res" and part not in reached.unreadable:
            _add(found, package, part)
    return found


def _add(found: Resources, package: Package, part: str) -> None:
    root = parse(package.entries[part], part)

    def file(element: etree._Element, name: str) -> bytes:
        location = resolve(text(element, name), part, root.get("BaseLoc", ""))
        return package.entries.get(location, b"")

    for id_, element in _listed(root, "Fonts", "Font"):
        name = element.get("FontName", "") or element.get("FamilyName", "")
        found.fonts[id_] = Font(name, element.get("Bold") == "true", file(element, "FontFile"))
    for id_, element in _listed(root, "MultiMedias", "MultiMedia"):
        found.media[id_] = file(element, "MediaFile")
    found.draw_params.update(_listed(root, "DrawParams", "DrawParam"))
    found.units.update(_listed(root, "CompositeGraphicUnits", "CompositeGraphicUnit"))


def _listed(root: etree._Element, *path: str) -> Iterator[tuple[str, etree._Element]]:
    return ((element.get("ID", ""), element) for element in children(root, *path))
