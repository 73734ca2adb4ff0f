"""The printed code as a symbol and as a picture."""

from collections.abc import Callable
from io import BytesIO

import pytest
import qrcode
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from seal import qr
from seal.qr import CodeTooLong, PictureTooLarge, PictureUnreadable

LINK = "https://yinxin.example.gov.cn/v#" + "aZ09-_" * 50


def printed(text: str) -> Image.Image:
    """The modules as a writer draws them, three pixels each, with the quiet zone."""
    rows = qr.modules(text)
    symbol = Image.new("L", (len(rows), len(rows)))
    symbol.putdata([0 if dark else 255 for row in rows for dark in row])
    large = symbol.resize((3 * len(rows), 3 * len(rows)), Image.Resampling.NEAREST)
    return ImageOps.expand(large, 3 * qr.QUIET_ZONE, fill=255)


@settings(max_examples=15, deadline=None)
@given(st.text(alphabet="abcXYZ012-_", min_size=1, max_size=300))
def test_a_code_made_is_read_back(fragment: str) -> None:
    text = f"https://yinxin.example.gov.cn/v#{fragment}"
    assert qr.read_image(printed(text)) == (text,)
    assert qr.read_picture(qr.png(text, module_px=3)) == (text,)


@settings(max_examples=15, deadline=None)
@given(st.text(alphabet="abcXYZ012-_/:#", min_size=1, max_size=300))
def test_an_independent_writer_needs_no_smaller_symbol(text: str) -> None:
    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    symbol.add_data(text)
    symbol.make(fit=True)
    assert len(qr.modules(text)) <= len(symbol.modules)


def test_characters_beyond_ascii_are_read_back_as_well() -> None:
    assert qr.read_image(printed("证照 䶮𬭎")) == ("证照 䶮𬭎",)
    assert qr.read_picture(qr.png("证照 䶮𬭎")) == ("证照 䶮𬭎",)


def test_a_symbol_is_square_and_has_its_three_finders() -> None:
    rows = qr.modules(LINK)
    side = len(rows)
    assert {len(row) for row in rows} == {side}
    assert (side - 17) % 4 == 0
    for column, row in ((3, 3), (side - 4, 3), (3, side - 4)):
        assert rows[row][column]


def test_level_m_is_kept_and_not_raised() -> None:
    for picture in (printed(LINK), Image.open(BytesIO(qr.png(LINK)))):
        symbol = zxingcpp.read_barcode(picture)
        assert symbol is not None
        assert symbol.ec_level == "M"


def test_dark_runs_cover_exactly_the_dark_modules() -> None:
    rows = qr.modules("A")
    covered = {(x + i, y) for x, y, length in qr.dark_runs(rows) for i in range(length)}
    dark = {(x, y) for y, row in enumerate(rows) for x, module in enumerate(row) if module}
    assert covered == dark


@pytest.mark.parametrize("make", [qr.modules, qr.png], ids=["printed", "on-screen"])
@pytest.mark.parametrize("length", [600, 5000])
def test_a_text_too_long_to_print_is_refused(length: int, make: Callable[[str], object]) -> None:
    with pytest.raises(CodeTooLong) as refused:
        make("a" * length)
    assert refused.value.parameters == {"length": length}


def test_a_photograph_without_a_code_holds_none() -> None:
    out = BytesIO()
    Image.new("RGB", (300, 200), "grey").save(out, "JPEG")
    assert qr.read_picture(out.getvalue()) == ()


def test_two_codes_in_one_picture_are_both_read() -> None:
    one, two = (Image.open(BytesIO(qr.png(t, 4))).convert("L") for t in ("first", "second"))
    sheet = Image.new("L", (one.width + two.width, max(one.height, two.height)), 255)
    sheet.paste(one, (0, 0))
    sheet.paste(two, (one.width, 0))
    out = BytesIO()
    sheet.save(out, "WEBP", lossless=True)
    assert sorted(qr.read_picture(out.getvalue())) == ["first", "second"]


def test_a_transparent_ground_counts_as_white() -> None:
    symbol = Image.open(BytesIO(qr.png("clear"))).convert("L")
    layer = Image.new("RGBA", symbol.size, (0, 0, 0, 0))
    layer.paste((0, 0, 0, 255), mask=symbol.point(lambda grey: 255 - grey))
    out = BytesIO()
    layer.save(out, "PNG")
    assert qr.read_picture(out.getvalue()) == ("clear",)


@pytest.mark.parametrize(
    "rubbish", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, b"%PDF-1.7"]
)
def test_what_is_no_picture_is_refused(rubbish: bytes) -> None:
    with pytest.raises(PictureUnreadable):
        qr.read_picture(rubbish)


def test_a_truncated_picture_is_refused() -> None:
    whole = qr.png(LINK)
    with pytest.raises(PictureUnreadable):
        qr.read_picture(whole[: len(whole) // 2])


@pytest.mark.parametrize("side", [7_000, 12_000, 20_000])
def test_a_small_file_of_a_huge_picture_is_refused_unopened(side: int) -> None:
    out = BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(PictureTooLarge):
        qr.read_picture(out.getvalue())
