"""A licence face as an OFD package (GB/T 33190-2016): the same face and data give the same bytes.

The form is a background template page, the licence's own text one TextObject a field, the code
filled paths. Custom tags tie each printed field to its datum (数据标引); the data file travels
as a hidden attachment; what marks an annotated copy (加注件) is an annotation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from lxml import etree

from seal import ofd_package
from seal.face import Attachment, DocumentInfo, Face, Page, Rule, TextRun, Typeface
from seal.ofd_annotations import annotation_list, watermark
from seal.ofd_drawing import (
    EmbeddedFont,
    draw_code,
    draw_picture,
    draw_rule,
    draw_text,
    has_rare_characters,
)
from seal.ofd_resources import (
    Ids,
    embedded_fonts,
    font_name,
    font_resources,
    media,
    media_name,
    media_resources,
)
from seal.ofd_tags import CODE_TAG, TAGS_NAMESPACE, Tags, tag_file, tag_list
from seal.ofd_xml import add, new_root, serialise

__all__ = ["CODE_TAG", "DOCUMENT", "TAGS_NAMESPACE", "write_ofd"]

DOCUMENT = "Doc_0/Document.xml"


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A page to be: its number, its ST_ID, and that of the template page that is its form."""

    number: int
    id: str
    template_id: str
    page: Page

    @property
    def location(self) -> str:
        return f"Pages/Page_{self.number}/Content.xml"

    @property
    def template_location(self) -> str:
        return f"Tpls/Tpl_{self.number}/Content.xml"

    @property
    def marks_location(self) -> str:
        return f"Annots/Page_{self.number}/Annotation.xml"


def write_ofd(face: Face, info: DocumentInfo, attachments: tuple[Attachment, ...] = ()) -> bytes:
    """Return the OFD of one licence face, unsigned.

    `info.custom` becomes CustomDatas (§7.4), each attachment a hidden file (§15). Raises
    `ValueError` for an attachment whose name is no plain file name.
    """
    files = _attached_files(attachments)
    ids = Ids()
    leaves = [_Leaf(number, ids.next(), ids.next(), page) for number, page in enumerate(face.pages)]
    fonts = embedded_fonts(face, ids)
    pictures = media(face, ids)
    tags: Tags = {}
    pages: dict[str, bytes] = {}
    for leaf in leaves:
        pages[f"Doc_0/{leaf.template_location}"] = _form(leaf.page, fonts, ids)
        pages[f"Doc_0/{leaf.location}"] = serialise(_page(leaf, fonts, pictures, ids, tags))
    marked = [leaf for leaf in leaves if leaf.page.marks]
    for leaf in marked:
        marks = watermark(leaf.page, fonts, ids, info.created_on)
        pages[f"Doc_0/{leaf.marks_location}"] = serialise(marks)
    parts = {"OFD.xml": _ofd(info), "Doc_0/PublicRes.xml": font_resources(fonts)}
    if pictures:
        parts["Doc_0/DocumentRes.xml"] = media_resources(pictures)
    if marked:
        located = {leaf.id: leaf.marks_location.removeprefix("Annots/") for leaf in marked}
        parts["Doc_0/Annots/Annotations.xml"] = annotation_list(located)
    parts["Doc_0/Tags/CustomTags.xml"] = tag_list()
    parts["Doc_0/Tags/CustomTag.xml"] = tag_file(tags)
    if files:
        parts["Doc_0/Attachs/Attachments.xml"] = _attachment_list(attachments)
    parts[DOCUMENT] = _document(leaves, ids.largest, parts)
    entries = {name: serialise(root) for name, root in parts.items()}
    resources = {f"Doc_0/Res/{font_name(font)}": font.content for font in fonts.values()}
    resources |= {f"Doc_0/Res/{media_name(c, number)}": c for c, number in pictures.items()}
    return ofd_package.write(entries | pages | files | resources)


def _ofd(info: DocumentInfo) -> etree._Element:
    root = new_root("OFD", Version="1.0", DocType="OFD")
    body = add(root, "DocBody")
    about = add(body, "DocInfo")
    add(about, "DocID", info.document_id)
    add(about, "Title", info.title)
    add(about, "Author", info.author)
    add(about, "CreationDate", info.created_on)
    add(about, "Creator", "Yinxin")
    if info.custom:
        custom = add(about, "CustomDatas")
        for name, value in info.custom:
            add(custom, "CustomData", value, Name=name)
    add(body, "DocRoot", DOCUMENT)
    return root


def _document(
    leaves: Sequence[_Leaf], largest_id: int, parts: Mapping[str, object]
) -> etree._Element:
    """Return Document.xml, which announces what there is of `parts` in the order of the schema."""
    root = new_root("Document")
    common = add(root, "CommonData")
    add(common, "MaxUnitID", str(largest_id))
    _area(common, "PageArea", (leaves[0].page.width, leaves[0].page.height))
    _announce(common, "PublicRes", "PublicRes.xml", parts)
    _announce(common, "DocumentRes", "DocumentRes.xml", parts)
    pages = add(root, "Pages")
    for leaf in leaves:
        form = {"ID": leaf.template_id, "Name": "form", "BaseLoc": leaf.template_location}
        add(common, "TemplatePage", **form)
        add(pages, "Page", ID=leaf.id, BaseLoc=leaf.location)
    _announce(root, "Annotations", "Annots/Annotations.xml", parts)
    _announce(root, "CustomTags", "Tags/CustomTags.xml", parts)
    _announce(root, "Attachments", "Attachs/Attachments.xml", parts)
    return root


def _announce(
    parent: etree._Element, name: str, location: str, parts: Mapping[str, object]
) -> None:
    if f"Doc_0/{location}" in parts:
        add(parent, name, location)


def _area(parent: etree._Element, name: str, size: tuple[float, float]) -> None:
    width, height = size
    add(add(parent, name), "PhysicalBox", f"0 0 {width:g} {height:g}")


# --- Pages ---


def _form(page: Page, fonts: Mapping[Typeface, EmbeddedFont], ids: Ids) -> bytes:
    """Return the template page that is the form of `page`; most licences of a type share it."""
    captions = (item.text for item in page.background if isinstance(item, TextRun))
    # The glyph numbers of rare characters alone depend on how this document's font was cut.
    rare = any(map(has_rare_characters, captions))
    known = tuple((t, font if rare else EmbeddedFont(font.id, b"")) for t, font in fonts.items())
    size = page.width, page.height
    content, ids.largest = _drawn_form(page.background, size, known, ids.largest)
    return content


@lru_cache(maxsize=16)
def _drawn_form(
    background: tuple[TextRun | Rule, ...],
    size: tuple[float, float],
    fonts: tuple[tuple[Typeface, EmbeddedFont], ...],
    largest_id: int,
) -> tuple[bytes, int]:
    """Return a template page and the largest number in it; those before are up to `largest_id`."""
    ids, cut = Ids(largest_id), dict(fonts)
    root = new_root("Page")
    _area(root, "Area", size)
    layer = add(add(root, "Content"), "Layer", ID=ids.next(), Type="Background")
    for item in background:
        if isinstance(item, Rule):
            draw_rule(layer, ids.next(), item)
        elif item.text.strip():
            draw_text(layer, ids.next(), cut[item.typeface], [item])
    return serialise(root), ids.largest


def _page(
    leaf: _Leaf,
    fonts: Mapping[Typeface, EmbeddedFont],
    pictures: Mapping[bytes, str],
    ids: Ids,
    tags: Tags,
) -> etree._Element:
    """Return the page, and add to `tags` which of its objects print each field."""
    root, page = new_root("Page"), leaf.page
    add(root, "Template", TemplateID=leaf.template_id, ZOrder="Background")
    _area(root, "Area", (page.width, page.height))
    layer = add(add(root, "Content"), "Layer", ID=ids.next(), Type="Body")

    def tagged(name: str) -> str:
        object_id = ids.next()
        if name:
            tags.setdefault(name, []).append((leaf.id, object_id))
        return object_id

    for picture in page.pictures:
        draw_picture(layer, tagged(picture.field), pictures[picture.content], picture)
    printed = (run for run in page.body if run.text.strip())
    for (name, typeface, *_), runs in groupby(printed, _one_object):
        draw_text(layer, tagged(name), fonts[typeface], list(runs))
    if page.code:
        draw_code(layer, tagged(CODE_TAG), page.code)
    return root


def _one_object(run: TextRun) -> tuple[str, Typeface, float, tuple[int, int, int], float]:
    """The lines of one field share a TextObject where its attributes can hold for all of them."""
    alone = run.baseline if has_rare_characters(run.text) else 0.0
    return run.field, run.typeface, run.size, run.colour, alone


# --- Attachments ---


def _attachment_list(attachments: tuple[Attachment, ...]) -> etree._Element:
    root = new_root("Attachments")
    for number, attachment in enumerate(attachments, start=1):
        entry = add(
            root,
            "Attachment",
            ID=f"a{number:03}",
            Name=attachment.name,
            Format=attachment.media_type.rpartition("/")[2],
            Size=f"{len(attachment.content) / 1024:.4f}",
            Visible="false",
            Usage="none",
        )
        add(entry, "FileLoc", attachment.name)
    return root


def _attached_files(attachments: tuple[Attachment, ...]) -> dict[str, bytes]:
    for name in (attachment.name for attachment in attachments):
        if not name or name in {".", "..", "Attachments.xml"} or set(name) & set("/\\:"):
            raise ValueError(f"no plain file name: {name!r}")
    return {f"Doc_0/Attachs/{a.name}": a.content for a in attachments}
