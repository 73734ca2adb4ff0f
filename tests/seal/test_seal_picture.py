"""Round seals: the right size, red on nothing, and a name that fits whatever its length."""

import io
import math

import pytest
from PIL import Image

from seal.seal_picture import SealPictureRefused, draw

NAME = "示例市住房和城乡建设局"
LONGEST = "示例省示例自治州示例自治县人民政府住房和城乡建设行政审批管理局"[:30]


def picture(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image.convert("RGBA")


def ink(image: Image.Image, angle: float, radius: float) -> int:
    """Return the strength at `angle` degrees clockwise from the top, `radius` of half the width."""
    half = image.width / 2
    x = half + half * radius * math.sin(math.radians(angle))
    y = half - half * radius * math.cos(math.radians(angle))
    pixel = image.getpixel((min(int(x), image.width - 1), min(int(y), image.height - 1)))
    assert isinstance(pixel, tuple)
    return int(pixel[3])


def ink_between(image: Image.Image, start: float, end: float) -> int:
    """Return the ink in the band of the name between two angles."""
    steps = range(int(start * 2), int(end * 2))
    return sum(ink(image, step / 2, r / 100) > 128 for step in steps for r in range(62, 88))


@pytest.mark.parametrize(("dpi", "pixels"), [(300, 496), (96, 159), (600, 992)])
def test_a_seal_is_as_large_as_its_millimetres_say(dpi: int, pixels: int) -> None:
    assert picture(draw(NAME, 42, dpi)).size == (pixels, pixels)


def test_all_ink_is_pure_red_and_the_rest_is_transparent() -> None:
    image = picture(draw(NAME))
    colours = {colour[:3] for _, colour in image.getcolors(1000) or () if isinstance(colour, tuple)}
    assert colours == {(255, 0, 0)}
    assert image.getpixel((0, 0)) == (255, 0, 0, 0)
    assert ink(image, 0, 0.1) == 255, "the star"
    assert ink(image, 180, 0.4) == 0, "between star and purpose line"


def test_the_ring_is_closed() -> None:
    image = picture(draw(NAME))
    assert all(ink(image, angle, 0.965) == 255 for angle in range(360))


@pytest.mark.parametrize("name", [NAME[:4], NAME, "示例市行政审批服务局第一分局业务办理", LONGEST])
def test_a_name_of_any_length_is_centred_about_the_top(name: str) -> None:
    symmetrical = name[0] * len(name)
    image = picture(draw(symmetrical, purpose_line=""))
    left, right = ink_between(image, -150, 0), ink_between(image, 0, 150)
    assert left > 100
    assert abs(left - right) < 0.15 * (left + right)


def test_characters_do_not_touch_the_ring() -> None:
    image = picture(draw(LONGEST))
    assert all(ink(image, angle / 4, 0.915) == 0 for angle in range(360 * 4))


def test_the_purpose_line_and_the_code_are_drawn_where_asked() -> None:
    plain, full = picture(draw(NAME, purpose_line="")), picture(draw(NAME, code="3701000000001"))
    assert all(ink(plain, 180 + side, 0.6) == 0 for side in range(-20, 20))
    assert any(ink(full, 180 + side, 0.6) for side in range(-20, 20))
    assert any(ink(full, 180 + side, 0.85) for side in range(-30, 30))


def test_the_same_seal_gives_the_same_bytes() -> None:
    assert draw(NAME, dpi=96) == draw(NAME, dpi=96)


@pytest.mark.parametrize("name", ["", "三个字", NAME * 3])
def test_a_name_too_short_or_too_long_is_refused(name: str) -> None:
    with pytest.raises(SealPictureRefused, match="name_length"):
        draw(name)


@pytest.mark.parametrize("text", ["示例市\U0003ffff局", "示例市\u200b局", "示例市\n局"])
def test_a_character_that_cannot_be_drawn_is_refused_by_number(text: str) -> None:
    with pytest.raises(SealPictureRefused) as caught:
        draw(text)
    assert caught.value.parameters == {
        "reason": "glyph_missing",
        "code_point": f"U+{ord(text[3]):04X}",
    }
