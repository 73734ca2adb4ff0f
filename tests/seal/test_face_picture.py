"""A page as a picture."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pikepdf
import pytest
from PIL import Image, ImageFilter

from seal import face_picture, qr
from seal.face_picture import PdfUnreadable
from tests.seal.face_builders import CODE


def test_the_picture_has_the_size_of_the_page(pdf: bytes) -> None:
    picture = Image.open(BytesIO(face_picture.png(pdf, 150)))
    assert picture.size == pytest.approx((297 / 25.4 * 150, 210 / 25.4 * 150), abs=1)
    assert picture.mode == "RGB"


def test_the_same_page_makes_the_same_picture(pdf: bytes) -> None:
    assert face_picture.png(pdf, 72) == face_picture.png(pdf, 72)


@pytest.mark.parametrize("dpi", [90, 110, 150])
def test_the_code_under_a_sealed_page_is_read_back(signed_pdf: bytes, dpi: int) -> None:
    assert qr.read_picture(face_picture.png(signed_pdf, dpi)) == (CODE,)


@pytest.mark.parametrize("tilt", [-11, -4, 3, 9])
def test_the_code_is_read_from_a_tilted_blurred_photograph(signed_pdf: bytes, tilt: int) -> None:
    page = Image.open(BytesIO(face_picture.png(signed_pdf, 150)))
    photograph = page.rotate(tilt, Image.Resampling.BILINEAR, expand=True, fillcolor="grey")
    out = BytesIO()
    photograph.filter(ImageFilter.GaussianBlur(0.8)).save(out, "JPEG", quality=60)
    assert qr.read_picture(out.getvalue()) == (CODE,)


def test_pictures_may_be_drawn_from_many_threads(pdf: bytes) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(lambda _: face_picture.png(pdf, 50), range(8)))) == 1


@pytest.mark.parametrize("rubbish", [b"", b"%PDF-1.7", b"PK\x03\x04"])
def test_what_is_no_pdf_is_refused(rubbish: bytes) -> None:
    with pytest.raises(PdfUnreadable):
        face_picture.png(rubbish)


def test_a_page_too_large_to_draw_is_refused() -> None:
    with pikepdf.Pdf.new() as document:
        document.add_blank_page(page_size=(14_000, 14_000))
        out = BytesIO()
        document.save(out)
    with pytest.raises(PdfUnreadable):
        face_picture.png(out.getvalue())
