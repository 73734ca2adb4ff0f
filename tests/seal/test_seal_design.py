"""Seals of every shape: where their ink is, what of a caller's picture is taken, what is refused."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from seal.seal_design import EDGE_MM, Design, SealPictureRefused, SealPictureUnsound, outlines
from seal.seal_outline import Outline
from seal.seal_picture import draw_design
from seal.seal_sizes import SIZES, Centre, Kind, Shape

NAME = "示例市住房和城乡建设局"
LONGEST = "示例省示例自治州示例自治县人民政府住房和城乡建设行政审批管理局"[:30]
ROUND = Design(NAME)
OVAL = Design(NAME, Shape.OVAL, 40, border=1.0, centre=Centre.NONE)
SQUARE = Design(NAME, Shape.SQUARE, 30, border=1.0, centre=Centre.NONE)

designs = st.builds(
    Design,
    name=st.integers(4, 30).map(lambda length: LONGEST[:length]),
    shape=st.sampled_from([Shape.ROUND, Shape.OVAL]),
    width=st.floats(25, 60),
    centre=st.sampled_from(Centre),
    purpose_line=st.sampled_from(["", "电子证照专用章"]),
    code=st.sampled_from(["", "37010000000012"]),
)


def alpha(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGBA").getchannel("A")


def box(outline: Outline) -> tuple[float, float, float, float]:
    """Return a box around all points, on curves and beside them."""
    points = [point for segment in outline.segments for point in segment.points]
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def inked(design: Design, x: float, y: float, dpi: int = 300) -> bool:
    """Say whether there is ink within half a millimetre of a place in mm."""
    per_mm = dpi / 25.4
    left, top, right, bottom = (round(mm * per_mm) for mm in (x - 0.5, y - 0.5, x + 0.5, y + 0.5))
    extrema = alpha(draw_design(design, dpi)).crop((left, top, right, bottom)).getextrema()
    return extrema[1] == 255


def square_picture(mode: str, background: tuple[int, ...], ink: tuple[int, ...]) -> bytes:
    picture = Image.new(mode, (300, 300), background)
    ImageDraw.Draw(picture).rectangle((75, 75, 225, 225), fill=ink)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@given(designs)
@settings(max_examples=20)
def test_all_ink_stays_inside_the_picture_and_the_text_inside_the_border(design: Design) -> None:
    (width, height), (border, *others) = design.size, outlines(design)
    assert box(border) == pytest.approx((EDGE_MM, EDGE_MM, width - EDGE_MM, height - EDGE_MM))
    for outline in others:
        left, top, right, bottom = box(outline)
        assert left > design.border
        assert top > design.border
        assert right < width - design.border
        assert bottom < height - design.border


@given(st.integers(4, 30))
@settings(max_examples=27)
def test_a_name_of_any_length_fits_into_a_square_seal(length: int) -> None:
    design = replace(SQUARE, name=LONGEST[:length], purpose_line="电子证照专用章", code="1234567")
    assert len(outlines(design)) == 1 + length + 7 + 7
    for outline in outlines(design)[1:]:
        left, top, right, bottom = box(outline)
        assert left > design.border
        assert top > design.border
        assert right < 30 - design.border
        assert bottom < 30 - design.border


@given(st.integers(4, 30), st.floats(0.6, 1))
@settings(max_examples=20)
def test_the_flattest_oval_holds_the_longest_name(length: int, flat: float) -> None:
    design = replace(OVAL, name=LONGEST[:length], height=40 * flat)
    for outline in outlines(design)[1:]:
        left, top, right, bottom = box(outline)
        assert left > design.border
        assert top > design.border
        assert right < 40 - design.border
        assert bottom < 40 * flat - design.border


def test_the_columns_of_a_square_seal_run_from_right_to_left() -> None:
    first, second, third, fourth = outlines(replace(SQUARE, name="张三之印"))[1:]
    assert box(first)[0] > box(third)[2], "张 is to the right of 之"
    assert box(first)[3] < box(second)[3], "张 is above 三"
    assert box(second)[0] > box(fourth)[2], "三 is to the right of 印"


@pytest.mark.parametrize(("design", "pixels"), [(ROUND, 992), (OVAL, 945), (SQUARE, 709)])
def test_a_seal_is_drawn_for_print_unless_told(design: Design, pixels: int) -> None:
    picture = Image.open(io.BytesIO(draw_design(design)))
    assert picture.width == pixels
    assert picture.info["dpi"] == pytest.approx((600, 600), abs=0.1)


def test_an_oval_seal_is_three_quarters_as_high_as_wide() -> None:
    assert alpha(draw_design(OVAL, 254)).size == (400, 300)
    assert alpha(draw_design(replace(OVAL, height=24), 254)).size == (400, 240)


def test_the_emblem_has_a_placeholder() -> None:
    marked = replace(ROUND, centre=Centre.EMBLEM)
    assert draw_design(marked, 96) != draw_design(ROUND, 96)
    assert len(outlines(marked)) == len(outlines(ROUND)) + 1, "a ring, and a word in it"


@pytest.mark.parametrize(
    "picture",
    [
        square_picture("RGBA", (0, 0, 0, 0), (20, 120, 220, 255)),
        square_picture("RGB", (255, 255, 255), (0, 0, 0)),
        square_picture("L", (255,), (0,)),
    ],
    ids=["opaque on nothing", "black on white", "grey"],
)
def test_a_callers_picture_becomes_ink_in_the_centre(picture: bytes) -> None:
    own = replace(ROUND, picture=picture)
    assert inked(own, 21, 21)
    assert not inked(own, 21, 15.5), "the corner of the picture is empty"
    image = Image.open(io.BytesIO(draw_design(own, 150))).convert("RGBA")
    assert {c[:3] for _, c in image.getcolors(100) or () if isinstance(c, tuple)} == {(255, 0, 0)}


def test_a_small_picture_fills_the_centre_at_every_resolution() -> None:
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, "PNG")
    own = replace(ROUND, picture=out.getvalue())
    left, top, side = own.centre_box
    edges = [(left + side * x, top + side * y) for x, y in ((0.05, 0.05), (0.95, 0.95))]
    assert all(inked(own, x, y) for x, y in edges)


def huge_picture() -> bytes:
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "picture",
    [
        b"GIF89a",
        square_picture("RGBA", (0, 0, 0, 0), (0, 0, 0, 255))[:120],
        b"\x89PNG" * 600_000,
        huge_picture(),
    ],
    ids=["no PNG", "cut off", "too many bytes", "too many pixels"],
)
def test_a_hostile_picture_is_refused(picture: bytes) -> None:
    with pytest.raises(SealPictureUnsound):
        draw_design(replace(ROUND, picture=picture))


@pytest.mark.parametrize(
    ("design", "reason"),
    [
        (replace(ROUND, name="三个字"), "name_length"),
        (replace(ROUND, purpose_line="专" * 21), "purpose_length"),
        (replace(ROUND, code="1" * 21), "code_length"),
        (replace(ROUND, width=9), "size"),
        (replace(ROUND, width=71), "size"),
        (replace(ROUND, width=float("nan")), "size"),
        (replace(ROUND, height=41), "size"),
        (replace(OVAL, height=23), "size"),
        (replace(SQUARE, height=10, width=50), "size"),
        (replace(ROUND, border=0), "size"),
        (replace(ROUND, border=5), "size"),
        (replace(SQUARE, centre=Centre.STAR), "centre"),
        (replace(ROUND, code="\u202e1"), "glyph_missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_drawn_is_refused(design: Design, reason: str) -> None:
    with pytest.raises(SealPictureRefused) as caught:
        outlines(design)
    assert caught.value.parameters["reason"] == reason


@pytest.mark.parametrize("dpi", [0, 71, 1201])
def test_a_resolution_out_of_reach_is_refused(dpi: int) -> None:
    with pytest.raises(SealPictureRefused, match="size"):
        draw_design(ROUND, dpi)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_seal_of_every_kind_can_be_drawn_in_its_size(kind: Kind) -> None:
    size = SIZES[kind]
    assert Design.of_size(size, NAME, "电子证照专用章").size == (size.width, size.height)
    assert outlines(Design.of_size(size, NAME, "电子证照专用章", "3701000000001"))


def test_units_without_the_emblem_have_seals_of_at_most_45_mm() -> None:
    for kind in (Kind.SUBORDINATE_UNIT, Kind.COMPANY, Kind.SPECIAL_PURPOSE, Kind.CONTRACT):
        assert SIZES[kind].width <= 45
        assert SIZES[kind].centre is not Centre.EMBLEM
