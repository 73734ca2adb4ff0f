"""A licence face as an OFD package (GB/T 33190-2016): the same face and data give the same bytes.

The form is a background template page, the licence's own text one TextObject a field, the code
filled paths. Custom tags tie each printed field to its datum (数据标引); the data file travels
as a hidden attachment.
"""

from collections.abc import Iterable, Mapping
from itertools import groupby

from lxml import etree

from seal import ofd_package
from seal.face import Attachment, DocumentInfo, Face, Rule, TextRun, Typeface
from seal.fonts import FONT_FILES, subset
from seal.ofd_drawing import EmbeddedFont, draw_code, draw_rule, draw_text, has_rare_characters
from seal.ofd_xml import add, new_root, serialise

DOCUMENT = "Doc_0/Document.xml"
TAGS_NAMESPACE = "urn:yinxin:ofd:licence-tags:1"
CODE_TAG = "code"

_PUBLIC_RES = "Doc_0/PublicRes.xml"
_TEMPLATE = "Doc_0/Tpls/Tpl_0/Content.xml"
_PAGE = "Doc_0/Pages/Page_0/Content.xml"
_ATTACHMENTS = "Doc_0/Attachs/Attachments.xml"
_TAGS = "Doc_0/Tags/CustomTags.xml"
_TAG = "Doc_0/Tags/CustomTag.xml"


class _Ids:
    """The ST_IDs of one document, over pages, layers, objects and resources alike (§7.2)."""

    def __init__(self) -> None:
        self.largest = 0

    def next(self) -> str:
        self.largest += 1
        return str(self.largest)


def write_ofd(face: Face, info: DocumentInfo, attachments: tuple[Attachment, ...] = ()) -> bytes:
    """Return the OFD of one licence face, unsigned.

    `info.custom` becomes CustomDatas (§7.4), each attachment a hidden file (§15). Raises
    `ValueError` for an attachment whose name is no plain file name.
    """
    ids = _Ids()
    page_id, template_id = ids.next(), ids.next()
    fonts = _fonts(face, ids)
    template = _template_page(face, fonts, ids)
    page, tags = _page(face, template_id, fonts, ids)
    files = _attached_files(attachments)
    parts = {
        "OFD.xml": _ofd(info),
        DOCUMENT: _document(face, page_id, template_id, ids.largest, attached=bool(files)),
        _PUBLIC_RES: _public_resources(fonts),
        _TEMPLATE: template,
        _PAGE: page,
        _TAGS: _custom_tags(),
        _TAG: _custom_tag(page_id, tags),
    }
    if files:
        parts[_ATTACHMENTS] = _attachment_list(attachments)
    entries = {name: serialise(root) for name, root in parts.items()}
    font_files = {f"Doc_0/Res/{_file_name(font)}": font.content for font in fonts.values()}
    return ofd_package.write(entries | files | font_files)


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
    face: Face, page_id: str, template_id: str, largest_id: int, *, attached: bool
) -> etree._Element:
    root = new_root("Document")
    common = add(root, "CommonData")
    add(common, "MaxUnitID", str(largest_id))
    _area(common, "PageArea", face)
    add(common, "PublicRes", "PublicRes.xml")
    add(common, "TemplatePage", ID=template_id, Name="form", BaseLoc="Tpls/Tpl_0/Content.xml")
    add(add(root, "Pages"), "Page", ID=page_id, BaseLoc="Pages/Page_0/Content.xml")
    add(root, "CustomTags", "Tags/CustomTags.xml")
    if attached:
        add(root, "Attachments", "Attachs/Attachments.xml")
    return root


def _area(parent: etree._Element, name: str, face: Face) -> None:
    area = add(parent, name)
    add(area, "PhysicalBox", f"0 0 {face.page_width:g} {face.page_height:g}")


def _public_resources(fonts: Mapping[Typeface, EmbeddedFont]) -> etree._Element:
    root = new_root("Res", BaseLoc="Res")
    listed = add(root, "Fonts")
    for typeface, embedded in fonts.items():
        file = FONT_FILES[typeface]
        # Readers that ignore the embedded file look the typeface up by this name.
        names = {"FontName": file.system_name, "FamilyName": file.system_name}
        weight = {"Bold": "true"} if file.bold else {}
        font = add(listed, "Font", ID=embedded.id, **names, **weight)
        add(font, "FontFile", _file_name(embedded))
    return root


def _template_page(face: Face, fonts: Mapping[Typeface, EmbeddedFont], ids: _Ids) -> etree._Element:
    root = new_root("Page")
    _area(root, "Area", face)
    layer = add(add(root, "Content"), "Layer", ID=ids.next(), Type="Background")
    for item in face.background:
        if isinstance(item, Rule):
            draw_rule(layer, ids.next(), item)
        elif item.text.strip():
            draw_text(layer, ids.next(), fonts[item.typeface], [item])
    return root


def _page(
    face: Face, template_id: str, fonts: Mapping[Typeface, EmbeddedFont], ids: _Ids
) -> tuple[etree._Element, dict[str, list[str]]]:
    """Return the page, and the object ids that print each field."""
    root = new_root("Page")
    add(root, "Template", TemplateID=template_id, ZOrder="Background")
    _area(root, "Area", face)
    layer = add(add(root, "Content"), "Layer", ID=ids.next(), Type="Body")
    tags: dict[str, list[str]] = {}
    printed = (run for run in face.body if run.text.strip())
    for (name, typeface, *_), runs in groupby(printed, _one_object):
        object_id = ids.next()
        draw_text(layer, object_id, fonts[typeface], list(runs))
        if name:
            tags.setdefault(name, []).append(object_id)
    code_id = ids.next()
    draw_code(layer, code_id, face.code)
    tags.setdefault(CODE_TAG, []).append(code_id)
    return root, tags


def _one_object(run: TextRun) -> tuple[str, Typeface, float, tuple[int, int, int], float]:
    """The lines of one field share a TextObject where its attributes can hold for all of them."""
    alone = run.baseline if has_rare_characters(run.text) else 0.0
    return run.field, run.typeface, run.size, run.colour, alone


def _custom_tags() -> etree._Element:
    root = new_root("CustomTags")
    tag = add(root, "CustomTag", NameSpace=TAGS_NAMESPACE)
    add(tag, "FileLoc", "CustomTag.xml")
    return root


def _custom_tag(page_id: str, tags: Mapping[str, Iterable[str]]) -> etree._Element:
    root = etree.Element(f"{{{TAGS_NAMESPACE}}}Licence", nsmap={"yx": TAGS_NAMESPACE})
    for name, object_ids in tags.items():
        datum = add(root, "Datum", Name=name)
        for object_id in object_ids:
            add(datum, "ObjectRef", object_id, PageRef=page_id)
    return root


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


def _runs(face: Face) -> tuple[TextRun, ...]:
    captions = tuple(item for item in face.background if isinstance(item, TextRun))
    return captions + face.body


def _fonts(face: Face, ids: _Ids) -> dict[Typeface, EmbeddedFont]:
    texts: dict[Typeface, set[str]] = {}
    for run in _runs(face):
        texts.setdefault(run.typeface, set()).update(run.text)
    return {
        typeface: EmbeddedFont(ids.next(), subset(typeface, "".join(sorted(texts[typeface]))))
        for typeface in Typeface
        if typeface in texts
    }


def _file_name(font: EmbeddedFont) -> str:
    return f"font_{font.id}.ttf"
