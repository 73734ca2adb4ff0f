"""The XML of OFD parts: hardened reading by local name, plain writing in the /2016 namespace.

Real files mix two namespaces and leave children without one, so nothing is looked up by
namespace; what is written has the namespace and prefix of GB/T 33190-2016 §7.3.
"""

import posixpath
from collections.abc import Iterator

from lxml import etree

from seal.ofd_package import NotAnOfd

NAMESPACE = "http://www.ofdspec.org/2016"
MAX_PART_BYTES = 8 * 1024 * 1024
_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def parse(content: bytes, part: str) -> etree._Element:
    """Return the root element of the XML entry `part`.

    No entity is expanded, nothing is fetched, a DOCTYPE is refused. Raises `NotAnOfd`.
    """
    if len(content) > MAX_PART_BYTES:
        raise NotAnOfd("too_large", part)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as e:
        raise NotAnOfd("xml", part) from e
    if etree.DocInfo(root).internalDTD is not None:
        raise NotAnOfd("xml", part)
    return root


def local_name(element: etree._Element) -> str:
    """Return the name of `element` without its namespace."""
    return etree.QName(element).localname


def children(element: etree._Element, *path: str) -> Iterator[etree._Element]:
    """Yield the descendants reached by the child names `path`, in document order."""
    name, *rest = path
    for child in element.iterchildren("{*}" + name):
        if rest:
            yield from children(child, *rest)
        else:
            yield child


def child(element: etree._Element, *path: str) -> etree._Element | None:
    """Return the first descendant on `path`, or None."""
    return next(children(element, *path), None)


def text(element: etree._Element | None, *path: str) -> str:
    """Return the trimmed text of the first descendant on `path` (of `element` itself without one)."""
    if element is not None and path:
        element = child(element, *path)
    return (element.text or "").strip() if element is not None else ""


def descendants(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield every element called `name` below `element`, in document order."""
    return element.iter("{*}" + name)


def resolve(location: str, part: str, base: str = "") -> str:
    """Return the entry name of the ST_Loc `location` found in the entry `part`.

    A leading slash means the package root, anything else the folder of `part` (joined with
    `base`, the BaseLoc of a resource file); `..` cannot climb above the root.
    """
    if location.startswith("/"):
        joined = location
    elif base.startswith("/"):
        joined = posixpath.join(base, location)
    else:
        joined = posixpath.join("/", posixpath.dirname(part), base, location)
    return posixpath.normpath(joined).lstrip("/")


def new_root(name: str, **attributes: str) -> etree._Element:
    """Return a new root element `ofd:name`."""
    return etree.Element(f"{{{NAMESPACE}}}{name}", attributes, nsmap={"ofd": NAMESPACE})


def add(parent: etree._Element, name: str, content: str = "", **attributes: str) -> etree._Element:
    """Append a child in the namespace of `parent`, and return it."""
    namespace = etree.QName(parent).namespace
    tag = f"{{{namespace}}}{name}" if namespace else name
    element = etree.SubElement(parent, tag, attributes)
    if content:
        element.text = content
    return element


def serialise(root: etree._Element) -> bytes:
    """Return the bytes of a part."""
    return _DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False)
