"""Page objects as they are drawn: paths, text, pictures, in their colours and places."""

import io
from collections.abc import Sequence

import pytest
from PIL import Image

from seal.face import Typeface
from seal.fonts import glyph_ids, subset
from seal.ofd_package import NotAnOfd
from seal.ofd_picture import PageUnknown, draw, png
from seal.pdf_canvas import PageTooRich
from tests.seal.drawn_pages import (
    BLACK,
    BLUE,
    GREEN,
    RED,
    WHITE,
    box,
    colour,
    drawn,
    filled,
    inked,
    page,
    square,
)

FONT = '<ofd:Fonts><ofd:Font ID="7" FontName="黑体"><ofd:FontFile>7.ttf</ofd:FontFile></ofd:Font></ofd:Fonts>'


def text(words: str, attributes: str = "", code: str = 'X="1" Y="8"', before: str = "") -> str:
    return (
        f'<ofd:TextObject Boundary="5 5 40 12" Font="7" Size="8" {attributes}>{before}'
        f"<ofd:TextCode {code}>{words}</ofd:TextCode></ofd:TextObject>"
    )


def picture_of(colours: Sequence[tuple[int, ...]], kind: str = "PNG") -> bytes:
    """Return a picture two pixels wide and high."""
    picture = Image.new("RGBA", (2, 2))
    for number, value in enumerate(colours):
        picture.putpixel((number % 2, number // 2), value)
    out = io.BytesIO()
    picture.convert("RGBA" if kind == "PNG" else "RGB").save(out, kind)
    return out.getvalue()


FOUR = [(*RED, 255), (*GREEN, 255), (*BLUE, 255), (0, 0, 0, 0)]
IMAGE = (
    '<ofd:MultiMedias><ofd:MultiMedia ID="8" Type="Image"><ofd:MediaFile>8</ofd:MediaFile>'
    "</ofd:MultiMedia></ofd:MultiMedias>"
)


def test_a_path_is_drawn_where_it_stands_and_clipped_to_its_boundary() -> None:
    picture = drawn(box(10, 10, 5, 20, filled("255 0 0", square(10))))
    assert colour(picture, 12, 15) == RED
    assert colour(picture, 17, 15) == WHITE, "outside the boundary"
    assert colour(picture, 12, 25) == WHITE, "outside the path"
    assert picture.size == (500, 400)


def test_what_comes_later_lies_above() -> None:
    red = box(10, 10, 10, 10, filled("255 0 0", square(10)))
    blue = box(10, 10, 10, 10, filled("0 0 255", square(10)))
    assert colour(drawn(red + blue), 15, 15) == BLUE
    assert colour(drawn(blue + red), 15, 15) == RED


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("#00 #ff #00", GREEN),
        ("255,0,0", RED),
        ("0", BLACK),
        ("255 255 255 255", BLACK),
        ("1 2", BLACK),
    ],
)
def test_colours_are_read_as_they_are_written(value: str, seen: tuple[int, ...]) -> None:
    got = colour(drawn(box(10, 10, 10, 10, filled(value, square(10)))), 15, 15)
    assert all(abs(a - b) < 40 for a, b in zip(got, seen, strict=True))


def test_a_shading_shows_its_first_colour_and_half_opaque_ink_lets_paper_through() -> None:
    shaded = (
        '<ofd:FillColor><ofd:AxialShd><ofd:Segment><ofd:Color Value="0 0 255"/></ofd:Segment>'
        f"</ofd:AxialShd></ofd:FillColor><ofd:AbbreviatedData>{square(10)}</ofd:AbbreviatedData>"
    )
    assert colour(drawn(box(10, 10, 10, 10, shaded)), 15, 15) == BLUE
    red, green, blue = colour(
        drawn(box(10, 10, 10, 10, filled("0 0 255", square(10)), Alpha="128")), 15, 15
    )
    assert blue == 255
    assert abs(red - 127) < 3
    assert red == green


def test_rules_strokes_and_parameters_hold() -> None:
    twice = f"{square(10)} M 3 3 L 7 3 L 7 7 L 3 7 C"
    assert colour(drawn(box(10, 10, 10, 10, filled("255 0 0", twice))), 15, 15) == RED
    hollow = drawn(box(10, 10, 10, 10, filled("255 0 0", twice), Rule="Even-Odd"))
    assert colour(hollow, 15, 15) == WHITE
    parameters = (
        '<ofd:DrawParams><ofd:DrawParam ID="9" Relative="10" LineWidth="2"/>'
        '<ofd:DrawParam ID="10" Relative="9"><ofd:StrokeColor Value="0 255 0"/></ofd:DrawParam>'
        '<ofd:DrawParam ID="90"><ofd:FillColor Value="0 0 255"/></ofd:DrawParam></ofd:DrawParams>'
    )
    line = "<ofd:AbbreviatedData>M 0 5 L 10 5</ofd:AbbreviatedData>"
    stroked = box(10, 10, 10, 10, line, DrawParam="9", Stroke="true", Fill="false")
    assert colour(drawn(stroked, parameters), 15, 15.8) == GREEN
    plain = f"<ofd:AbbreviatedData>{square(10)}</ofd:AbbreviatedData>"
    assert colour(drawn(box(10, 10, 10, 10, plain), parameters), 15, 15) == BLUE, "the layer's"


def test_a_dashed_line_has_gaps_and_a_clip_hides() -> None:
    line = "<ofd:AbbreviatedData>M 0 5 L 20 5</ofd:AbbreviatedData>"
    style = {"Stroke": "true", "Fill": "false", "LineWidth": "2", "DashPattern": "5 5"}
    dashed = drawn(box(10, 10, 20, 10, line, **style))
    assert colour(dashed, 12, 15) == BLACK
    assert colour(dashed, 17, 15) == WHITE
    clip = (
        '<ofd:Clips><ofd:Clip><ofd:Area><ofd:Path Boundary="0 0 10 10"><ofd:AbbreviatedData>'
        f"{square(5)}</ofd:AbbreviatedData></ofd:Path></ofd:Area></ofd:Clip></ofd:Clips>"
    )
    clipped = drawn(box(10, 10, 10, 10, clip + filled("255 0 0", square(10))))
    assert colour(clipped, 12, 12) == RED
    assert colour(clipped, 17, 17) == WHITE


def test_an_invisible_object_is_not_drawn() -> None:
    hidden = box(10, 10, 10, 10, filled("255 0 0", square(10)), Visible="false")
    assert not inked(drawn(hidden), 0, 0, 50, 40)


def test_text_is_drawn_with_the_embedded_font() -> None:
    narrow = {"7.ttf": subset(Typeface.SANS, "一")}
    level = drawn(text("一"), FONT, narrow)
    assert inked(level, 6, 8, 8, 4)
    assert not inked(level, 6, 5, 8, 2), "one stroke only"
    turned = drawn(text("一", 'CharDirection="90"', 'X="9" Y="1"'), FONT, narrow)
    assert inked(turned, 16, 7, 3, 6)
    assert not inked(level, 16, 7, 3, 6)


def test_text_whose_font_is_missing_or_broken_is_drawn_with_ours() -> None:
    expected = drawn(text("示例"), FONT, {"7.ttf": subset(Typeface.SANS, "示例")})
    assert inked(expected, 6, 6, 8, 8)
    without = drawn(text("示例"), FONT).tobytes()
    assert without == drawn(text("示例"), FONT, {"7.ttf": b"no font"}).tobytes()
    assert without == expected.tobytes()
    lacking = drawn(text("示例"), FONT, {"7.ttf": subset(Typeface.SANS, "示")})
    assert lacking.tobytes() == expected.tobytes(), "one character from ours"


def test_deltas_place_characters_and_none_leaves_them_on_one_spot() -> None:
    apart = drawn(text("一一", code='X="1" Y="8" DeltaX="20"'), FONT)
    assert inked(apart, 26, 8, 8, 4)
    assert not inked(apart, 16, 5, 9, 10)
    assert drawn(text("一一一"), FONT).tobytes() == drawn(text("一"), FONT).tobytes()
    short = drawn(text("一一一", code='X="1" Y="8" DeltaX="g 2 10"'), FONT)
    assert inked(short, 26, 8, 8, 4)


def test_glyphs_given_by_number_are_drawn_in_place_of_the_characters() -> None:
    cut = subset(Typeface.SANS, "一二")
    (number,) = glyph_ids(cut, "二")
    given = (
        '<ofd:CGTransform CodePosition="0" CodeCount="1" GlyphCount="1">'
        f"<ofd:Glyphs>{number}</ofd:Glyphs></ofd:CGTransform>"
    )
    files = {"7.ttf": cut}
    assert (
        drawn(text("一", before=given), FONT, files).tobytes()
        == drawn(text("二"), FONT, files).tobytes()
    )
    assert (
        drawn(text("\U00020bb7", before=given), FONT, files).tobytes()
        == drawn(text("二"), FONT, files).tobytes()
    )


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_a_picture_fills_its_box_the_right_way_up(kind: str) -> None:
    image = '<ofd:ImageObject Boundary="10 10 20 20" CTM="20 0 0 20 0 0" ResourceID="8"/>'
    picture = drawn(image, IMAGE, {"8": picture_of(FOUR, kind)})
    assert colour(picture, 12, 12) == RED
    assert colour(picture, 28, 12) == GREEN
    assert colour(picture, 12, 28) == BLUE
    assert colour(picture, 28, 28) == (WHITE if kind == "PNG" else BLACK)


def test_a_composite_is_drawn_where_it_is_used() -> None:
    unit = (
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="11" Width="10" Height="10">'
        f"<ofd:Content>{box(0, 0, 10, 10, filled('255 0 0', square(10)))}</ofd:Content>"
        "</ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    used = '<ofd:CompositeObject Boundary="20 20 10 10" ResourceID="11"/>'
    picture = drawn(f"<ofd:PageBlock>{used}</ofd:PageBlock>", unit)
    assert colour(picture, 25, 25) == RED
    assert colour(picture, 15, 15) == WHITE


# --- What strangers send ---

GOOD = box(30, 30, 5, 5, filled("255 0 0", square(5)))


@pytest.mark.parametrize(
    "broken",
    [
        box(10, 10, 10, 10, filled("255 0 0", "L 1")),
        box(10, 10, 10, 10, filled("255 0 0", "M 0 0 Z")),
        box(10, 10, 10, 10, filled("255 0 0", "M 0 0 L nan inf")),
        box(1e300, 10, 10, 10, filled("255 0 0", square(10))),
        '<ofd:PathObject Boundary="1 2 3"/>',
        "<ofd:PathObject/>",
        box(10, 10, 10, 10, filled("red", square(10))),
        '<ofd:TextObject Boundary="1 1 9 9" Size="x"><ofd:TextCode>示</ofd:TextCode></ofd:TextObject>',
        text("示", 'CharDirection="45"'),
        box(10, 10, 10, 10, filled(f"#{'f' * 400}", square(10))),
        text("示", code='X="1" Y="8" DeltaX="g 999999999"'),
        '<ofd:ImageObject Boundary="10 10 5 5" ResourceID="404"/>',
        '<ofd:ImageObject Boundary="10 10 5 5" ResourceID="8"/>',
        '<ofd:CompositeObject Boundary="10 10 5 5" ResourceID="404"/>',
        "<ofd:Unheard Boundary='1 1 1 1'/>",
    ],
)
def test_an_object_that_makes_no_sense_is_left_out_and_the_rest_is_drawn(broken: str) -> None:
    picture = drawn(broken + GOOD, FONT + IMAGE, {"8": b"\x89PNG\r\n\x1a\nrubbish"})
    assert colour(picture, 32, 32) == RED
    assert not inked(picture, 0, 0, 29, 40)


def test_a_picture_far_too_large_is_left_out() -> None:
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    image = '<ofd:ImageObject Boundary="10 10 20 20" CTM="20 0 0 20 0 0" ResourceID="8"/>'
    assert colour(drawn(image + GOOD, IMAGE, {"8": out.getvalue()}), 32, 32) == RED


def test_units_that_contain_themselves_are_refused() -> None:
    inner = '<ofd:CompositeObject Boundary="0 0 10 10" ResourceID="11"/>'
    unit = (
        '<ofd:CompositeGraphicUnits><ofd:CompositeGraphicUnit ID="11">'
        f"<ofd:Content>{inner * 3}</ofd:Content></ofd:CompositeGraphicUnit></ofd:CompositeGraphicUnits>"
    )
    with pytest.raises(PageTooRich):
        drawn(inner, unit)


def test_a_page_with_more_than_can_be_drawn_is_refused() -> None:
    unit = "".join(
        f'<ofd:CompositeGraphicUnit ID="{20 + depth}"><ofd:Content>'
        + f'<ofd:CompositeObject Boundary="0 0 9 9" ResourceID="{21 + depth}"/>' * 40
        + "</ofd:Content></ofd:CompositeGraphicUnit>"
        for depth in range(12)
    )
    used = '<ofd:CompositeObject Boundary="0 0 9 9" ResourceID="20"/>'
    with pytest.raises(PageTooRich):
        drawn(used, f"<ofd:CompositeGraphicUnits>{unit}</ofd:CompositeGraphicUnits>")


def test_a_glyph_that_is_not_in_the_font_is_left_out() -> None:
    for number in ("-1", "9999", "99999999999"):
        given = f"<ofd:CGTransform><ofd:Glyphs>{number}</ofd:Glyphs></ofd:CGTransform>"
        cut = {"7.ttf": subset(Typeface.SANS, "示")}
        assert colour(drawn(text("示", before=given) + GOOD, FONT, cut), 32, 32) == RED


def test_dashes_without_end_are_refused() -> None:
    line = "<ofd:AbbreviatedData>M 0 0 L 90000 0</ofd:AbbreviatedData>"
    fine = {"Stroke": "true", "Fill": "false", "DashPattern": "0.001 0.001"}
    with pytest.raises(PageTooRich):
        drawn(box(10, 10, 20, 10, line, **fine))


def test_paint_over_and_over_the_page_is_refused_by_how_much_of_it_it_colours() -> None:
    layers = box(0, 0, 50, 40, filled("255 0 0", square(50)), Alpha="9") * 6_000
    with pytest.raises(PageTooRich):
        draw(page(layers), dpi=600)
    assert draw(page(layers), dpi=36).width == 71


def test_text_without_end_is_refused() -> None:
    with pytest.raises(PageTooRich):
        drawn(text("".join(chr(0x4E00 + number * 7919 % 1500) for number in range(40_000))))


@pytest.mark.parametrize("dpi", [35, 601])
def test_a_resolution_out_of_reach_is_refused(dpi: int) -> None:
    with pytest.raises(PageTooRich):
        draw(page(GOOD), dpi=dpi)


@pytest.mark.parametrize("number", [-1, 1])
def test_a_page_that_is_not_there_is_refused(number: int) -> None:
    with pytest.raises(PageUnknown) as caught:
        png(page(GOOD), number)
    assert caught.value.parameters == {"pages": 1}


def test_a_page_larger_than_a_metre_is_refused() -> None:
    assert draw(page(GOOD, width=1000), dpi=36).width in {1417, 1418}
    with pytest.raises(PageTooRich):
        draw(page(GOOD, width=1001), dpi=36)


def test_what_is_no_ofd_is_refused() -> None:
    with pytest.raises(NotAnOfd):
        draw(b"no archive")
