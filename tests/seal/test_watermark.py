"""An annotated copy says for whom, what for and until when, on every page, in both formats."""

import io
from dataclasses import replace
from datetime import date

import ofdkit
import pikepdf
import pypdfium2
import pytest

from seal import face_picture, qr
from seal.face import Face
from seal.ofd_writer import write_ofd
from seal.ofd_xml import child, children, descendants, parse, text
from seal.pdf_writer import write_pdf
from seal.typesetting import FieldTooLong, GlyphMissing
from seal.watermark import Watermark, mark
from tests.seal.face_builders import CODE, INFO
from tests.seal.ofd_builders import entries

COPY = Watermark("示例市不动产登记中心", "办理抵押登记", date(2026, 12, 31))
ANNOTATION = "Doc_0/Annots/Page_0/Annotation.xml"


@pytest.fixture(scope="module")
def marked(face: Face) -> Face:
    return mark(face, COPY)


@pytest.fixture(scope="module")
def ofd(marked: Face) -> bytes:
    return write_ofd(marked, INFO)


def test_it_says_for_whom_what_for_and_until_when() -> None:
    assert COPY.lines == (
        "仅供示例市不动产登记中心用于办理抵押登记",
        "复制无效，有效期至2026年12月31日",
    )


def test_every_tile_lies_on_the_page(marked: Face) -> None:
    (page,) = marked.pages
    assert len(page.marks) == 2 * 3 * 3
    for one in page.marks:
        assert 0 < one.run.x < page.width
        assert 0 < one.run.baseline < page.height


def test_in_ofd_it_is_an_annotation_of_the_page(ofd: bytes) -> None:
    parts = entries(ofd)
    listed = parse(parts["Doc_0/Annots/Annotations.xml"], "")
    document = parse(parts["Doc_0/Document.xml"], "")
    page = child(document, "Pages", "Page")
    entry = child(listed, "Page")
    assert page is not None
    assert entry is not None
    assert entry.get("PageID") == page.get("ID")
    assert f"Doc_0/Annots/{text(entry, 'FileLoc')}" == ANNOTATION
    (annotation,) = children(parse(parts[ANNOTATION], ""), "Annot")
    assert annotation.get("Type") == "Watermark"
    said = {code.text for code in descendants(annotation, "TextCode")}
    assert said == set(COPY.lines)


def test_the_numbers_of_the_annotation_count(ofd: bytes) -> None:
    parts = entries(ofd)
    largest = int(text(parse(parts["Doc_0/Document.xml"], ""), "CommonData", "MaxUnitID"))
    used = [int(e.get("ID", "0")) for e in parse(parts[ANNOTATION], "").iter()]
    assert max(used) == largest


def test_an_independent_reader_still_opens_the_marked_ofd(ofd: bytes) -> None:
    with ofdkit.open(io.BytesIO(ofd)) as document:
        assert "建筑工程施工许可证" in document.text()


def test_in_pdf_the_words_are_on_the_page_and_nobody_reads_them_aloud(marked: Face) -> None:
    pdf = write_pdf(marked, INFO)
    with pypdfium2.PdfDocument(pdf) as document:
        shown = document[0].get_textpage().get_text_bounded()
    assert "复制无效" in "".join(shown.split())
    with pikepdf.open(io.BytesIO(pdf)) as read:
        content = b"".join(stream.read_bytes() for stream in read.pages[0].Contents)
        assert content.count(b"/Subtype /Watermark>> BDC") == 18
        assert len(read.Root.StructTreeRoot.K.K) == len(tagged(write_pdf(unmarked(marked), INFO)))


def test_the_code_is_still_read_from_a_marked_page(marked: Face) -> None:
    assert qr.read_picture(face_picture.png(write_pdf(marked, INFO))) == (CODE,)


def unmarked(face: Face) -> Face:
    return replace(face, pages=tuple(replace(page, marks=()) for page in face.pages))


def tagged(pdf: bytes) -> list[object]:
    with pikepdf.open(io.BytesIO(pdf)) as read:
        return [int(element.K) for element in read.Root.StructTreeRoot.K.K]


def test_words_no_font_has_are_refused_by_name(face: Face) -> None:
    with pytest.raises(GlyphMissing) as refused:
        mark(face, replace(COPY, recipient="😀"))
    assert refused.value.parameters["field"] == "watermark"


def test_words_too_long_to_be_read_are_refused(face: Face) -> None:
    with pytest.raises(FieldTooLong):
        mark(face, replace(COPY, purpose="办理" * 200))
