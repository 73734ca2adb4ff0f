"""Where a text is printed in a PDF, however its pages are turned, and the seal's place over it."""

from io import BytesIO

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal.face import SealBox
from seal.face_picture import PdfUnreadable
from seal.pdf_places import POINTS_PER_MM, box_of, place
from seal.pdf_text import at_keyword, find
from seal.stamp_places import ByKeyword, StampPlaceUnsuitable

SIDES = (50.0, 20.0, 450.0, 620.0)


def printed(*, rotate: int = 0, text: str = "Seal here, Seal there", at: str = "150 420") -> bytes:
    """Two pages that begin elsewhere than at 0; on the second is the text."""
    with pikepdf.new() as document:
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
        )
        for _ in range(2):
            page = document.add_blank_page(page_size=(400, 600))
            page.mediabox = pikepdf.Array(map(int, SIDES))
            page.obj.Rotate = rotate
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
        drawn = f"BT /F 20 Tf {at} Td ({text}) Tj ET".encode()
        page.obj.Contents = document.make_stream(drawn)
        out = BytesIO()
        document.save(out)
    return out.getvalue()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_text_is_found_where_a_seal_put_there_lies_over_it(rotate: int) -> None:
    first, second = find(printed(rotate=rotate), "Seal")
    assert (first.page, second.page) == (1, 1)
    page = {"/MediaBox": list(SIDES), "/Rotate": rotate}
    (left, bottom, right, top), _ = place(page, first)
    assert 149 < left < 153
    assert 419 < bottom < 421
    assert 185 < right < 195
    assert 430 < top < 440


def test_a_seal_is_centred_on_the_wanted_occurrence_and_stays_on_the_page() -> None:
    pdf = printed()
    text = find(pdf, "Seal")[-1]
    box = at_keyword(pdf, ByKeyword("Seal", -1), 30, 20)
    assert (box.width, box.height, box.page) == (30, 20, 1)
    assert box.x + 15 == pytest.approx(text.x + text.width / 2)
    assert box.y + 10 == pytest.approx(text.y + text.height / 2)
    corner = at_keyword(printed(at="52 22"), ByKeyword("Seal"), 30, 20)
    assert corner.x == 0
    assert corner.y == pytest.approx(600 / POINTS_PER_MM - 20)


@pytest.mark.parametrize("place", [ByKeyword("seal"), ByKeyword("Seal", 2), ByKeyword("")])
def test_a_text_that_is_not_printed_so_often_is_no_place(place: ByKeyword) -> None:
    with pytest.raises(StampPlaceUnsuitable):
        at_keyword(printed(), place, 30, 20)


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(PdfUnreadable):
        find(b"rubbish", "Seal")


_MM = st.floats(0, 300)


@given(st.sampled_from([0, 90, 180, 270]), _MM, _MM, st.floats(1, 300), st.floats(1, 300))
def test_a_box_is_told_as_it_was_placed(
    rotate: int, x: float, y: float, width: float, height: float
) -> None:
    box = SealBox(x, y, width, height)
    area, _ = place({"/MediaBox": list(SIDES), "/Rotate": rotate}, box)
    again = box_of(SIDES, rotate, area, 0)
    for side in ("x", "y", "width", "height"):
        assert getattr(again, side) == pytest.approx(getattr(box, side), abs=0.001)
