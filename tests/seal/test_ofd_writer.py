"""The OFD writer keeps to GB/T 33190-2016 and to what readers in the field need."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace

import ofdkit
import pytest
import uharfbuzz
from lxml import etree

from seal.face import Attachment, Face, TextRun
from seal.fonts import glyph_ids
from seal.ofd_writer import TAGS_NAMESPACE, write_ofd
from seal.ofd_xml import NAMESPACE, child, children, descendants, local_name, parse, text
from tests.seal.ofd_builders import DATA, FIELDS, PAGE, entries, face, info, plain_ofd, run

ORDER = {
    "OFD": ["DocBody"],
    "DocBody": ["DocInfo", "DocRoot", "Signatures"],
    "DocInfo": ["DocID", "Title", "Author", "CreationDate", "Creator", "CustomDatas"],
    "Document": ["CommonData", "Pages", "Annotations", "CustomTags", "Attachments"],
    "CommonData": ["MaxUnitID", "PageArea", "PublicRes", "DocumentRes", "TemplatePage"],
    "Page": ["Template", "Area", "Content"],
    "TextObject": ["FillColor", "CGTransform", "TextCode"],
    "PathObject": ["StrokeColor", "FillColor", "AbbreviatedData"],
}
TABLES = {"cmap", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post", "loca", "glyf"}


def root(name: str, ofd: bytes | None = None) -> etree._Element:
    return parse(entries(ofd or plain_ofd())[name], name)


def parts(ofd: bytes) -> Iterator[etree._Element]:
    return (parse(body, name) for name, body in entries(ofd).items() if name.endswith(".xml"))


def text_of(element: etree._Element) -> str:
    return "".join(code.text or "" for code in children(element, "TextCode"))


def with_body(*runs: TextRun) -> Face:
    (page,) = face().pages
    return replace(face(), pages=(replace(page, body=runs),))


def test_the_same_face_and_data_give_the_same_bytes() -> None:
    assert write_ofd(face(), info(), (DATA,)) == write_ofd(face(), info(), (DATA,))


def test_an_independent_reader_finds_every_field() -> None:
    with ofdkit.open(io.BytesIO(plain_ofd())) as document:
        page = document.pages[0]
        by_id = {name: page.object_text(ids[0]) for name, ids in tagged(plain_ofd()).items()}
    assert {name: by_id[name] for name in FIELDS} == FIELDS


def test_an_independent_reader_finds_captions_page_size_and_metadata() -> None:
    with ofdkit.open(io.BytesIO(plain_ofd())) as document:
        assert "施工许可证" in document.text()
        assert (document.pages[0].width, document.pages[0].height) == (297.0, 210.0)
        assert document.info.title == "建筑工程施工许可证"
        assert document.info.custom_data == dict(info().custom)


def tagged(ofd: bytes) -> dict[str, list[str]]:
    return {
        datum.get("Name", ""): [text(reference) for reference in children(datum, "ObjectRef")]
        for datum in children(root("Doc_0/Tags/CustomTag.xml", ofd), "Datum")
    }


def test_each_field_is_one_object_and_its_tag_leads_to_it() -> None:
    objects = {e.get("ID"): e for e in descendants(root(PAGE), "TextObject")}
    tags = tagged(plain_ofd())
    assert {name: text_of(objects[tags[name][0]]) for name in FIELDS} == FIELDS
    assert all(len(ids) == 1 for ids in tags.values())
    assert len(objects) == len(FIELDS)


def test_the_tag_file_is_announced_under_its_namespace() -> None:
    tag = child(root("Doc_0/Tags/CustomTags.xml"), "CustomTag")
    assert tag is not None
    assert tag.get("NameSpace") == TAGS_NAMESPACE
    assert etree.QName(root("Doc_0/Tags/CustomTag.xml")).namespace == TAGS_NAMESPACE


def test_the_code_is_tagged_too() -> None:
    (code,) = descendants(root(PAGE), "PathObject")
    assert tagged(plain_ofd())["code"] == [code.get("ID")]


def test_n_characters_have_n_minus_one_distances() -> None:
    codes = list(descendants(root(PAGE), "TextCode"))
    counts = [(len(c.text or ""), len(c.get("DeltaX", "").split())) for c in codes]
    assert counts
    assert all(distances == length - 1 for length, distances in counts)


def test_a_single_character_has_no_distances() -> None:
    page = root(PAGE, write_ofd(with_body(run("男", 10, 10, "sex")), info()))
    (code,) = descendants(page, "TextCode")
    assert code.get("DeltaX") is None


def test_children_come_in_the_order_of_the_schema() -> None:
    for part in parts(plain_ofd()):
        for element in part.iter():
            order = ORDER.get(local_name(element))
            if order:
                positions = [order.index(local_name(c)) for c in element]
                assert positions == sorted(positions), local_name(element)


def test_ids_are_unique_and_the_largest_is_stated() -> None:
    ids = [
        int(element.get("ID", ""))
        for part in parts(plain_ofd())
        for element in part.iter()
        if element.get("ID", "").isdigit() and local_name(element) not in {"Page", "TemplatePage"}
    ]
    document = root("Doc_0/Document.xml")
    ids += [int(e.get("ID", "")) for e in document.iter() if e.get("ID")]
    assert len(ids) == len(set(ids))
    assert int(text(document, "CommonData", "MaxUnitID")) == max(ids)


def test_elements_carry_the_namespace_and_attributes_do_not() -> None:
    for name, body in entries(plain_ofd()).items():
        if name.endswith(".xml") and name != "Doc_0/Tags/CustomTag.xml":
            part = parse(body, name)
            assert part.prefix == "ofd"
            for element in part.iter():
                assert etree.QName(element).namespace == NAMESPACE
                assert not any("{" in str(key) for key in element.attrib)


def test_the_embedded_fonts_are_truetype_with_a_character_map() -> None:
    fonts = list(descendants(root("Doc_0/PublicRes.xml"), "Font"))
    assert len(fonts) == 2
    for font in fonts:
        content = entries(plain_ofd())["Doc_0/Res/" + text(font, "FontFile")]
        assert content.startswith(b"\x00\x01\x00\x00")
        assert set(uharfbuzz.Face(content).table_tags) == TABLES
        assert font.get("FontName")


def test_every_printed_character_is_in_its_embedded_font() -> None:
    fonts = {
        f.get("ID"): text(f, "FontFile") for f in descendants(root("Doc_0/PublicRes.xml"), "Font")
    }
    for element in descendants(root(PAGE), "TextObject"):
        content = entries(plain_ofd())["Doc_0/Res/" + fonts[element.get("Font")]]
        assert 0 not in glyph_ids(content, text_of(element))


def test_the_code_is_drawn_module_by_module() -> None:
    code = face().pages[0].code
    assert code is not None
    module = code.side / len(code.modules)
    (path,) = descendants(root(PAGE), "PathObject")
    drawn = set()
    for bar in re.findall(
        r"M (\S+) (\S+) L (\S+) \S+ L \S+ \S+ L \S+ \S+ C", text(path, "AbbreviatedData")
    ):
        left, top, right = (round(float(number) / module) for number in bar)
        drawn |= {(top, column) for column in range(left, right)}
    dark = {
        (r, c) for r, row in enumerate(code.modules) for c, is_dark in enumerate(row) if is_dark
    }
    assert drawn == dark
    assert (path.get("Fill"), path.get("Stroke")) == ("true", "false")


def test_the_form_is_a_background_template() -> None:
    template = child(root(PAGE), "Template")
    announced = child(root("Doc_0/Document.xml"), "CommonData", "TemplatePage")
    assert template is not None
    assert announced is not None
    assert template.get("TemplateID") == announced.get("ID")
    assert template.get("ZOrder") == "Background"
    form = root("Doc_0/Tpls/Tpl_0/Content.xml")
    assert [text_of(e) for e in descendants(form, "TextObject")] == ["施工许可证"]


def test_the_data_file_is_a_hidden_attachment() -> None:
    listed = child(root("Doc_0/Attachs/Attachments.xml"), "Attachment")
    assert listed is not None
    assert listed.get("Visible") == "false"
    assert entries(plain_ofd())["Doc_0/Attachs/" + text(listed, "FileLoc")] == DATA.content


def test_a_face_without_attachments_announces_none() -> None:
    ofd = write_ofd(face(), info())
    assert not [name for name in entries(ofd) if "Attach" in name]
    assert child(root("Doc_0/Document.xml", ofd), "Attachments") is None


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "c:d", "Attachments.xml"])
def test_an_attachment_needs_a_plain_file_name(name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        write_ofd(face(), info(), (Attachment(name, "text/plain", b""),))


def test_spaces_at_the_ends_are_left_out_and_the_run_starts_later() -> None:
    padded = run("  住建  ", 30.0, 60.0, "holder")
    page = root(PAGE, write_ofd(with_body(padded), info()))
    (element,) = descendants(page, "TextObject")
    (code,) = children(element, "TextCode")
    left = float(element.get("Boundary", "").split()[0]) + float(code.get("X", ""))
    assert code.text == "住建"
    assert left == pytest.approx(30.0 + sum(padded.advances[:2]), abs=1e-3)


def test_text_is_inside_its_boundary() -> None:
    for element in descendants(root(PAGE), "TextObject"):
        _, _, width, height = map(float, element.get("Boundary", "").split())
        size = float(element.get("Size", ""))
        for code in children(element, "TextCode"):
            reach = (
                float(code.get("X", "")) + sum(map(float, code.get("DeltaX", "").split())) + size
            )
            assert reach <= width + 1e-6
            assert 0 < float(code.get("Y", "")) - size < float(code.get("Y", "")) < height


def test_a_blank_run_prints_nothing() -> None:
    page = root(PAGE, write_ofd(with_body(run("  ", 10, 10, "remarks")), info()))
    assert not list(descendants(page, "TextObject"))


def test_a_rare_character_is_given_its_glyph_at_its_utf16_position() -> None:
    ofd = write_ofd(with_body(run("陈𬭎和李𬭎", 10, 10, "person")), info())
    (element,) = descendants(root(PAGE, ofd), "TextObject")
    font = entries(ofd)[f"Doc_0/Res/font_{element.get('Font')}.ttf"]
    (glyph,) = glyph_ids(font, "𬭎")
    mapped = [
        (e.get("CodePosition"), e.get("CodeCount"), e.get("GlyphCount"), text(e, "Glyphs"))
        for e in children(element, "CGTransform")
    ]
    assert mapped == [("1", "2", "1", str(glyph)), ("5", "2", "1", str(glyph))]
    assert glyph


def test_a_line_with_a_rare_character_is_an_object_of_its_own() -> None:
    lines = run("陈一二三", 10, 10, "person"), run("李𬭎", 10, 20, "person")
    ofd = write_ofd(with_body(*lines), info())
    assert [text_of(e) for e in descendants(root(PAGE, ofd), "TextObject")] == ["陈一二三", "李𬭎"]
    assert len(tagged(ofd)["person"]) == 2


def test_rare_characters_of_a_form_get_their_glyphs_in_every_licence_on_it() -> None:
    (page,) = face().pages
    form = (run("陈𬭎监制", 100, 30),)
    for name in ("甲乙", "一二三四五六"):
        body = (run(name, 30, 60, "holder"),)
        drawn = replace(face(), pages=(replace(page, background=form, body=body),))
        ofd = write_ofd(drawn, info())
        (caption,) = descendants(root("Doc_0/Tpls/Tpl_0/Content.xml", ofd), "TextObject")
        font = entries(ofd)[f"Doc_0/Res/font_{caption.get('Font')}.ttf"]
        told = text(child(caption, "CGTransform"), "Glyphs")
        assert (int(told),) == glyph_ids(font, "𬭎")


def test_licences_on_one_form_share_the_bytes_of_it() -> None:
    form = "Doc_0/Tpls/Tpl_0/Content.xml"
    other = write_ofd(with_body(run("龘", 30, 60, "holder")), info())
    assert entries(other)[form] == entries(plain_ofd())[form]
