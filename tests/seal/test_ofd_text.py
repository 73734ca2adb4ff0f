"""Text with its place: our own files and files as others write them."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal import ofd_package
from seal.face import TextRun
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_text import TextLine, find, objects_box, read_text, tagged
from tests.seal.ofd_builders import FIELDS, face, plain_ofd

PARTS: Mapping[str, str] = MappingProxyType(
    {
        "OFD.xml": "<OFD><DocBody><DocRoot>Doc_0/Document.xml</DocRoot></DocBody></OFD>",
        "Doc_0/Document.xml": """<Document><CommonData><PageArea><PhysicalBox>0 0 100 50</PhysicalBox>
            </PageArea><TemplatePage ID="9" BaseLoc="T.xml"/></CommonData>
            <Pages><Page ID="1" BaseLoc="P.xml"/></Pages></Document>""",
        "Doc_0/P.xml": "<Page/>",
        "Doc_0/T.xml": "<Page/>",
    }
)


def package(objects: str, **parts: str) -> Package:
    """Return a document with these page objects; `Doc_0__P_xml` stands for the part Doc_0/P.xml."""
    page = f"<Page><Content><Layer>{objects}</Layer></Content></Page>"
    changed = {
        name.replace("__", "/").replace("_xml", ".xml"): body for name, body in parts.items()
    }
    texts = dict(PARTS) | {"Doc_0/P.xml": page} | changed
    return Package({name: body.encode() for name, body in texts.items()})


def line(text_code: str, attributes: str = "") -> TextLine:
    written = (
        f'<TextObject ID="5" Boundary="10 20 80 8" Size="4" {attributes}>{text_code}</TextObject>'
    )
    (only,) = read_text(package(written))
    return only


def test_every_field_and_caption_is_where_the_face_puts_it() -> None:
    read = {text.text: text for text in read_text(ofd_package.read(plain_ofd()))}
    for run in face().runs:
        assert isinstance(run, TextRun)
        text = read[run.text]
        assert (text.x, text.y + text.height) == pytest.approx((run.x, run.baseline), abs=1e-3)
        assert text.width == pytest.approx(run.width, abs=run.size / 2)


def test_a_box_is_in_page_space() -> None:
    read = line('<TextCode X="1" Y="5" DeltaX="3 3">甲乙丙</TextCode>')
    assert (read.x, read.y, read.width, read.height) == (11, 21, 10, 4)
    assert read.starts == (11, 14, 17)
    assert (read.page, read.object_id) == (0, "5")


@pytest.mark.parametrize("delta", ["g 2 3", "3 3", "3 g 1 3", "g 99999 3", "3 3 3 3 3"])
def test_distances_may_be_abbreviated(delta: str) -> None:
    assert line(f'<TextCode X="1" Y="5" DeltaX="{delta}">甲乙丙</TextCode>').starts == (11, 14, 17)


def test_without_distances_all_characters_stand_on_one_spot() -> None:
    assert line('<TextCode X="1" Y="5">甲乙丙</TextCode>').starts == (11, 11, 11)


def test_a_matrix_scales_moves_and_turns() -> None:
    code = '<TextCode X="1" Y="5" DeltaX="3">甲乙</TextCode>'
    twice = line(code, 'CTM="2 0 0 2 1 0"')
    assert (twice.x, twice.y, twice.width, twice.height) == (13, 22, 14, 8)
    turned = line(code, 'CTM="0 1 -1 0 0 0"')
    assert (turned.width, turned.height) == (4, 7)


def test_a_line_starts_where_the_one_before_did_when_it_does_not_say() -> None:
    codes = '<TextCode X="1" Y="5">甲</TextCode><TextCode Y="9">乙</TextCode>'
    written = f'<TextObject ID="5" Boundary="10 20 80 8" Size="4">{codes}</TextObject>'
    assert [(text.x, text.y) for text in read_text(package(written))] == [(11, 21), (11, 25)]


def test_templates_are_read_in_the_order_drawn() -> None:
    def page(word: str, orders: str = "") -> str:
        code = f'<TextCode X="0" Y="4">{word}</TextCode>'
        text = f'<TextObject Boundary="0 0 9 9" Size="4">{code}</TextObject>'
        return f"<Page>{orders}<Content><Layer>{text}</Layer></Content></Page>"

    under = package(
        "", Doc_0__P_xml=page("页", '<Template TemplateID="9"/>'), Doc_0__T_xml=page("底")
    )
    assert [text.text for text in read_text(under)] == ["底", "页"]
    foreground = page("页", '<Template TemplateID="9" ZOrder="Foreground"/>')
    over = package("", Doc_0__P_xml=foreground, Doc_0__T_xml=page("底"))
    assert [text.text for text in read_text(over)] == ["页", "底"]


def test_a_keyword_is_found_inside_a_line() -> None:
    (found,) = find([line('<TextCode X="1" Y="5" DeltaX="g 4 4">签发机关章</TextCode>')], "机关")
    assert (found.text, found.x, found.width) == ("机关", 19, 8)


def test_a_keyword_of_single_characters_is_found() -> None:
    objects = "".join(
        f'<TextObject ID="{n}" Boundary="{4 * n} 0 9 9" Size="4">'
        f'<TextCode X="0" Y="4">{character}</TextCode></TextObject>'
        for n, character in enumerate("签发机关")
    )
    (found,) = find(read_text(package(objects)), "发机关")
    assert (found.x, found.width) == (4, 12)


def test_what_is_not_there_is_not_found() -> None:
    lines = [line('<TextCode X="1" Y="5">甲</TextCode>')]
    assert find(lines, "乙") == ()
    assert find(lines, "") == ()


def test_tags_lead_to_the_objects_that_print_a_datum() -> None:
    read = ofd_package.read(plain_ofd())
    lines, tags = read_text(read), tagged(read)
    assert set(FIELDS) < set(tags)
    for name, words in FIELDS.items():
        box = objects_box(lines, tags[name])
        assert box is not None
        assert box.text == words


def test_tags_of_vendors_are_named_by_their_elements() -> None:
    tags = """<t:Invoice xmlns:t="urn:x"><t:Number><ObjectRef PageRef="1">72</ObjectRef></t:Number>
        <t:Other><ObjectRef PageRef="404">73</ObjectRef></t:Other></t:Invoice>"""
    listed = "<CustomTags><CustomTag><FileLoc>Tag.xml</FileLoc></CustomTag></CustomTags>"
    document = PARTS["Doc_0/Document.xml"].replace(
        "</Document>", "<CustomTags>Tags.xml</CustomTags></Document>"
    )
    read = package("", Doc_0__Document_xml=document, Doc_0__Tags_xml=listed, Doc_0__Tag_xml=tags)
    assert tagged(read) == {"Number": ((0, "72"),)}


@pytest.mark.parametrize(
    "attributes",
    [
        'Boundary="0 0 nan 1" Size="4"',
        'Boundary="1e300 0 1 1" Size="4"',
        'Boundary="0 0 1 1" Size="inf"',
        'Boundary="0 0 1 1"',
        'Boundary="0" Size="4"',
        'Boundary="0 0 1 1" Size="4" CTM="1 0"',
    ],
)
def test_an_object_without_sound_numbers_is_left_out(attributes: str) -> None:
    written = f'<TextObject {attributes}><TextCode X="0" Y="1">甲</TextCode></TextObject>'
    assert read_text(package(written)) == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"OFD_xml": "<OFD/>"},
        {"Doc_0__Document_xml": "<Document/>"},
        {"Doc_0__P_xml": "no xml"},
        {
            "Doc_0__Document_xml": "<Document><Pages>"
            + '<Page BaseLoc="P.xml"/>' * 1001
            + "</Pages></Document>"
        },
    ],
    ids=["no document", "no page", "no xml", "too many pages"],
)
def test_a_document_without_readable_pages_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(NotAnOfd):
        read_text(package("", **changes))


def test_a_flood_of_text_is_refused() -> None:
    words = "字" * 400_000
    code = f'<TextCode X="0" Y="1">{words}</TextCode>'
    with pytest.raises(NotAnOfd, match="too_large"):
        read_text(package(f'<TextObject Boundary="0 0 1 1" Size="4">{code * 3}</TextObject>'))


def test_a_line_of_very_many_pieces_is_read_in_time() -> None:
    code = '<TextCode X="0" Y="4">字</TextCode>'
    pieces = (
        f'<TextObject Boundary="{4 * n} 0 9 9" Size="4">{code}</TextObject>' for n in range(20_000)
    )
    assert find(read_text(package("".join(pieces))), "字字")[0].x == 0


@given(st.text(alphabet="g0123456789 .-e", max_size=30))
def test_no_distances_crash_the_reader(delta: str) -> None:
    code = f'<TextCode X="1" Y="5" DeltaX="{delta}">甲乙丙</TextCode>'
    written = f'<TextObject Boundary="10 20 80 8" Size="4">{code}</TextObject>'
    for text in read_text(package(written)):
        assert len(text.starts) == len(text.text)
