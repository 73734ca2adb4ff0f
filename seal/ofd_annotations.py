"""Watermarks as annotations of a page (GB/T 33190-2016 §14.2): seen, printed, not to be moved."""

from collections.abc import Mapping

from lxml import etree

from seal.face import Page, Typeface
from seal.ofd_drawing import EmbeddedFont, draw_mark
from seal.ofd_resources import Ids
from seal.ofd_xml import add, new_root


def annotation_list(locations: Mapping[str, str]) -> etree._Element:
    """Return Annotations.xml: where the annotations of each page are, by its id."""
    root = new_root("Annotations")
    for page_id, location in locations.items():
        add(add(root, "Page", PageID=page_id), "FileLoc", location)
    return root


def watermark(
    page: Page, fonts: Mapping[Typeface, EmbeddedFont], ids: Ids, marked_on: str
) -> etree._Element:
    """Return the annotation file of a page with marks: one Watermark that covers the page.

    `marked_on` is an ISO 8601 calendar date.
    """
    root = new_root("PageAnnot")
    told = {"Type": "Watermark", "Creator": "Yinxin", "LastModDate": marked_on}
    annotation = add(root, "Annot", ID=ids.next(), ReadOnly="true", **told)
    boundary = f"0 0 {page.width:g} {page.height:g}"
    appearance = add(annotation, "Appearance", Boundary=boundary)
    for mark in page.marks:
        draw_mark(appearance, ids.next(), fonts[mark.run.typeface], mark, boundary)
    return root
