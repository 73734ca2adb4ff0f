"""Where a box lies on a page that begins elsewhere, inherits its size or is shown turned."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyhanko.pdf_utils import generic

from seal.face import SealBox
from seal.pdf_places import POINTS_PER_MM, place
from tests.seal.pdf_builders import pdf_world

A4 = (210.0, 297.0)
BOX = SealBox(20.0, 30.0, 40.0, 25.0)


def page(
    rotate: int = 0, origin: tuple[float, float] = (0, 0), *, inherits: bool = False
) -> generic.DictionaryObject:
    width, height = (side * POINTS_PER_MM for side in A4)
    sides = (*origin, origin[0] + width, origin[1] + height)
    said = generic.DictionaryObject(
        {
            generic.pdf_name("/MediaBox"): generic.ArrayObject(
                generic.FloatObject(f"{side:.5f}") for side in sides
            ),
            generic.pdf_name("/Rotate"): generic.NumberObject(rotate),
        }
    )
    return generic.DictionaryObject({generic.pdf_name("/Parent"): said}) if inherits else said


def test_a_box_is_measured_from_the_top_left_in_millimetres() -> None:
    rectangle, _ = place(page(), BOX)
    in_mm = [side / POINTS_PER_MM for side in rectangle]
    assert in_mm == pytest.approx([20, 297 - 30 - 25, 60, 297 - 30], abs=0.001)


def test_a_page_may_begin_anywhere_and_say_so_higher_up() -> None:
    at_origin, _ = place(page(), BOX)
    shifted, _ = place(page(origin=(100, -50), inherits=True), BOX)
    moved = [at_origin[0] + 100, at_origin[1] - 50, at_origin[2] + 100, at_origin[3] - 50]
    assert shifted == pytest.approx(moved, abs=0.002)


@given(
    st.sampled_from([0, 90, 180, 270, -90, 450]),
    st.floats(0, 100),
    st.floats(0, 100),
    st.floats(1, 100),
    st.floats(1, 100),
)
def test_a_box_on_the_page_stays_on_the_page_however_it_is_turned(
    rotate: int, x: float, y: float, width: float, height: float
) -> None:
    left, bottom, right, top = place(page(rotate), SealBox(x, y, width, height))[0]
    assert -0.001 <= left < right <= A4[0] * POINTS_PER_MM + 0.001
    assert -0.001 <= bottom < top <= A4[1] * POINTS_PER_MM + 0.001
    assert sorted((right - left, top - bottom)) == pytest.approx(
        sorted((width * POINTS_PER_MM, height * POINTS_PER_MM)), abs=0.002
    )


@pytest.mark.parametrize("said", [45, 30])
def test_a_page_turned_by_no_right_angle_is_refused(said: int) -> None:
    with pytest.raises(ValueError, match="right angle"):
        place(page(said), BOX)


def test_a_page_without_a_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        place(generic.DictionaryObject(), BOX)


def test_pages_that_are_their_own_parents_do_not_hang() -> None:
    ring = generic.DictionaryObject()
    ring[generic.pdf_name("/Parent")] = ring
    with pytest.raises(ValueError, match="size"):
        place(ring, BOX)


@pytest.fixture(scope="module")
def marked() -> bytes:
    """An oblong seal that tells its corners apart: red at the top left, blue elsewhere."""
    picture = Image.new("RGBA", (60, 40), (0, 0, 255, 255))
    picture.paste((255, 0, 0, 255), (0, 0, 30, 20))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_seal_is_drawn_upright_where_it_was_asked_for(rotate: int, marked: bytes) -> None:
    blank = pikepdf.new()
    blank.add_blank_page(page_size=(400, 600))
    blank.pages[0].Rotate = rotate
    out = BytesIO()
    blank.save(out)
    signed = pdf_world().stamped(out.getvalue(), marked, SealBox(20, 30, 60, 40))
    document = pypdfium2.PdfDocument(signed)
    document.init_forms()
    seen = document[0].render(scale=1 / POINTS_PER_MM, may_draw_forms=True).to_pil().convert("RGB")
    red, blue, white = (255, 0, 0), (0, 0, 255), (255, 255, 255)
    told = {at: seen.getpixel(at) for at in ((25, 35), (45, 45), (55, 35), (25, 55), (75, 65))}
    assert list(told.values()) == [red, red, blue, blue, blue], told
    assert seen.getpixel((15, 35)) == seen.getpixel((85, 35)) == seen.getpixel((25, 75)) == white
