"""A riding seal (骑缝章) in a PDF: a slice a page, one signature over all, together the whole seal."""

from io import BytesIO

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from seal import pdf_verify
from seal.face import SealBox
from seal.pdf_errors import PdfNotExtendable, PdfRidingLate
from seal.pdf_places import POINTS_PER_MM
from seal.report import Outcome
from seal.stamp_places import Riding, Side, StampPlaceUnsuitable
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import pdf_world
from tests.trusting import trusting

SIZE = SealBox(0, 0, 40, 40)
_COLOURS = [(255, 0, 0), (0, 160, 0), (0, 0, 255), (0, 0, 0)]


def pages(number: int) -> bytes:
    with pikepdf.new() as document:
        for _ in range(number):
            document.add_blank_page(page_size=(400, 600))
        out = BytesIO()
        document.save(out)
    return out.getvalue()


@pytest.fixture(scope="module")
def striped() -> bytes:
    """A seal of four upright stripes, each of a colour of its own."""
    picture = Image.new("RGBA", (160, 160))
    for number, colour in enumerate(_COLOURS):
        picture.paste((*colour, 255), (40 * number, 0, 40 * number + 40, 160))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def seen(pdf: bytes, number: int) -> Image.Image:
    """The page at two pixels a millimetre."""
    document = pypdfium2.PdfDocument(pdf)
    document.init_forms()
    drawn: Image.Image = document[number].render(scale=2 / POINTS_PER_MM).to_pil()
    return drawn.convert("RGB")


def test_the_slices_of_the_pages_make_the_whole_seal(striped: bytes) -> None:
    signed = pdf_world().stamped(pages(4), striped, SIZE, riding=Riding(Side.RIGHT, along=0.5))
    edge = seen(signed, 0).width
    for number, colour in enumerate(_COLOURS):
        page = seen(signed, number)
        middle = round(page.height / 2)
        assert page.getpixel((edge - 4, middle)) == colour
        assert page.getpixel((edge - 18, middle)) == colour
        assert page.getpixel((edge - 24, middle)) == (255, 255, 255)
        assert page.getpixel((edge - 4, middle - 44)) == (255, 255, 255)


def test_one_signature_covers_every_slice(striped: bytes) -> None:
    signed = pdf_world().stamped(pages(4), striped, SIZE, riding=Riding())
    with pikepdf.open(BytesIO(signed)) as document:
        kinds = [str(page.Annots[0].Subtype) for page in document.pages]
        assert len(document.Root.AcroForm.Fields) == 1
        assert all(int(page.Annots[0].F) & 4 for page in document.pages)  # printed
    assert kinds == ["/Widget", "/Stamp", "/Stamp", "/Stamp"]
    report = pdf_verify.verify(signed, trusting(pdf_world().root), SIGNED_AT)
    assert report.outcome is Outcome.OK, report.all_findings()


def test_a_later_seal_leaves_a_riding_seal_good(striped: bytes) -> None:
    riding = pdf_world().stamped(pages(3), striped, SIZE, riding=Riding())
    twice = pdf_world().stamped(riding, striped, SealBox(20, 20, 40, 40))
    report = pdf_verify.verify(twice, trusting(pdf_world().root), SIGNED_AT)
    assert report.outcome is Outcome.OK, report.all_findings()


def test_a_riding_seal_needs_pages_and_comes_before_every_other(
    striped: bytes, signed_pdf: bytes
) -> None:
    with pytest.raises(StampPlaceUnsuitable):
        pdf_world().stamped(pages(1), striped, SIZE, riding=Riding())
    with pytest.raises(PdfRidingLate):
        pdf_world().stamped(signed_pdf, striped, SIZE, riding=Riding())


def test_more_pages_than_anybody_prints_are_not_ridden_over(striped: bytes) -> None:
    many = pages(2).replace(b"/Count 2", b"/Count 2000000000")
    with pytest.raises(PdfNotExtendable):
        pdf_world().stamped(many, striped, SIZE, riding=Riding())
