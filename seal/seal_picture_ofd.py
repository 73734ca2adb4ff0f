"""The picture of a seal as an OFD of one page (`picture.type` "ofd"), sharp at any magnification.

All its text is paths: unlike the seals of the field, which want a 楷体 installed, it looks the same
everywhere.
"""

from lxml import etree

from seal import ofd_package
from seal.ofd_xml import add, new_root, serialise
from seal.seal_design import Design, outlines
from seal.seal_outline import Outline
from seal.seal_picture import centre

_DOCUMENT = "Doc_0/Document.xml"
_RESOURCES = "Doc_0/DocumentRes.xml"
_PAGE_ID, _LAYER_ID, _PICTURE_ID, _FIRST_OBJECT_ID = range(1, 5)
_RED = "255 0 0"


def draw_design_ofd(design: Design) -> bytes:
    """Return the OFD of a seal; its page is as large as the seal. Same design, same bytes.

    Raises SealPictureRefused.
    """
    drawn = outlines(design)
    largest_id = _FIRST_OBJECT_ID + len(drawn)
    parts = {
        "OFD.xml": _root(),
        _DOCUMENT: _document(design, largest_id),
        "Doc_0/Pages/Page_0/Content.xml": _page(design, drawn, largest_id),
    }
    files = {}
    if design.picture:
        parts[_RESOURCES] = _resources()
        files["Doc_0/Res/centre.png"] = centre(design)
    return ofd_package.write({name: serialise(root) for name, root in parts.items()} | files)


def _root() -> etree._Element:
    root = new_root("OFD", Version="1.0", DocType="OFD")
    body = add(root, "DocBody")
    add(add(body, "DocInfo"), "DocID", "0" * 32)
    add(body, "DocRoot", _DOCUMENT)
    return root


def _document(design: Design, largest_id: int) -> etree._Element:
    root = new_root("Document")
    common = add(root, "CommonData")
    add(common, "MaxUnitID", str(largest_id))
    width, height = design.size
    add(add(common, "PageArea"), "PhysicalBox", f"0 0 {width:g} {height:g}")
    if design.picture:
        add(common, "DocumentRes", "DocumentRes.xml")
    add(add(root, "Pages"), "Page", ID=str(_PAGE_ID), BaseLoc="Pages/Page_0/Content.xml")
    return root


def _resources() -> etree._Element:
    root = new_root("Res", BaseLoc="Res")
    listed = add(root, "MultiMedias")
    media = add(listed, "MultiMedia", ID=str(_PICTURE_ID), Type="Image", Format="PNG")
    add(media, "MediaFile", "centre.png")
    return root


def _page(design: Design, drawn: tuple[Outline, ...], largest_id: int) -> etree._Element:
    width, height = design.size
    root = new_root("Page")
    layer = add(add(root, "Content"), "Layer", ID=str(_LAYER_ID))
    for number, outline in enumerate(drawn, start=_FIRST_OBJECT_ID):
        # One box for all of them: what is in it needs no shifting.
        path = add(
            layer,
            "PathObject",
            ID=str(number),
            Boundary=f"0 0 {width:g} {height:g}",
            Stroke="false",
            Fill="true",
        )
        add(path, "FillColor", Value=_RED)
        add(path, "AbbreviatedData", _abbreviated(outline))
    if design.picture:
        left, top, side = (f"{mm:.3f}" for mm in design.centre_box)
        add(
            layer,
            "ImageObject",
            ID=str(largest_id),
            Boundary=f"{left} {top} {side} {side}",
            CTM=f"{side} 0 0 {side} 0 0",
            ResourceID=str(_PICTURE_ID),
        )
    return root


def _abbreviated(outline: Outline) -> str:
    return " ".join(
        " ".join(
            (segment.letter, *(f"{number:.3f}" for point in segment.points for number in point))
        )
        for segment in outline.segments
    )
