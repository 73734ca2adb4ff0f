"""Forms of several pages, and values that go on to further ones."""

import io

import ofdkit
import pypdfium2
import pytest

from seal.face import Face, Page
from seal.lay_out import lay_out
from seal.ofd_writer import write_ofd
from seal.ofd_xml import child, children, parse, text
from seal.pdf_writer import write_pdf
from seal.template import load
from seal.typesetting import FieldTooLong
from tests.seal.face_builders import CODE, FOOD, INFO
from tests.seal.ofd_builders import entries
from tests.seal.sheet_builders import LONG_SCOPE, certificate


def printed(face: Face, field: str) -> str:
    return "".join(run.text for run in face.runs if run.field == field)


def captions(page: Page) -> list[str]:
    return [run.text for run in page.body if not run.field]


def test_a_form_has_the_pages_it_names_each_in_its_size() -> None:
    face = certificate()
    assert [(page.width, page.height) for page in face.pages] == [(210, 297), (210, 148)]
    assert [page.code is not None for page in face.pages] == [True, False]
    assert [run.field for run in face.pages[1].body] == ["number"]


def test_a_value_too_long_for_its_place_goes_on_in_full() -> None:
    face = certificate(scope=LONG_SCOPE)
    assert "（见附页）" in captions(face.pages[0])
    assert not [run for run in face.pages[0].body if run.field == "scope"]
    assert captions(face.pages[2]) == ["业务范围："]
    assert printed(face, "scope") == LONG_SCOPE


def test_no_line_that_goes_on_leaves_its_place() -> None:
    face = certificate(scope=LONG_SCOPE, history=LONG_SCOPE)
    assert len(face.pages) > 3
    for page in face.pages[2:]:
        assert page.body
        for run in page.body:
            assert run.baseline - 0.88 * run.size >= 30 - 1e-6
            assert run.baseline + 0.12 * run.size <= 90 + 1e-6
            assert run.x + run.width <= 190 + 1e-6


@pytest.mark.parametrize("items", range(8, 30))
def test_no_caption_stands_alone_at_the_foot_of_a_page(items: int) -> None:
    scope = LONG_SCOPE[: 24 * items]
    face = certificate(scope=scope, history=LONG_SCOPE)
    for page in face.pages[2:]:
        assert page.body[-1].field
    assert printed(face, "scope") + printed(face, "history") == scope + LONG_SCOPE


def test_a_value_of_endless_pages_is_refused_by_name() -> None:
    with pytest.raises(FieldTooLong) as refused:
        certificate(scope=LONG_SCOPE * 40)
    assert refused.value.parameters == {"field": "scope"}


def test_a_form_without_further_pages_still_refuses() -> None:
    with pytest.raises(FieldTooLong):
        lay_out(load("food_permit"), dict(FOOD, business_items=LONG_SCOPE), CODE)


def test_the_ofd_has_every_page_and_ties_a_value_to_the_pages_it_stands_on() -> None:
    face = certificate(scope=LONG_SCOPE, history=LONG_SCOPE)
    parts = entries(write_ofd(face, INFO))
    pages = children(parse(parts["Doc_0/Document.xml"], ""), "Pages", "Page")
    ids = [page.get("ID", "") for page in pages]
    assert len(ids) == len(face.pages)
    tags = parse(parts["Doc_0/Tags/CustomTag.xml"], "")
    (scope,) = [datum for datum in children(tags, "Datum") if datum.get("Name") == "scope"]
    on = [ids.index(reference.get("PageRef", "")) for reference in children(scope, "ObjectRef")]
    assert min(on) == 2
    with ofdkit.open(io.BytesIO(write_ofd(face, INFO))) as document:
        assert len(document.pages) == len(face.pages)
        objects = [text(reference) for reference in children(scope, "ObjectRef")]
        told = (document.pages[at].object_text(o) for at, o in zip(on, objects, strict=True))
        assert "".join("".join(told).split()) == LONG_SCOPE


def test_each_page_of_the_ofd_has_a_form_of_its_own_and_its_size() -> None:
    parts = entries(write_ofd(certificate(), INFO))
    sizes = []
    for number in (0, 1):
        page = parse(parts[f"Doc_0/Pages/Page_{number}/Content.xml"], "")
        sizes.append(text(child(page, "Area"), "PhysicalBox"))
        assert f"Doc_0/Tpls/Tpl_{number}/Content.xml" in parts
    assert sizes == ["0 0 210 297", "0 0 210 148"]


def test_the_pdf_has_every_page_and_every_word() -> None:
    face = certificate(scope=LONG_SCOPE)
    with pypdfium2.PdfDocument(write_pdf(face, INFO)) as document:
        assert len(document) == len(face.pages)
        for drawn, page in zip(document, face.pages, strict=True):
            said = "".join(drawn.get_textpage().get_text_bounded().split())
            assert all(run.text in said for run in page.body)
