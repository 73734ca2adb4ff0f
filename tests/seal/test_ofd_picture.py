"""Whole pages as pictures: the same face in both formats, stamps, annotations, real files of others."""

from datetime import date
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFilter

from keys.errors import DomainError
from seal import face_picture, ofd_package, ofd_picture, qr
from seal.face import Face
from seal.ofd_pages import pages
from seal.ofd_seal import stamp
from seal.ofd_writer import write_ofd
from seal.pdf_writer import write_pdf
from seal.seal_design import Design
from seal.seal_picture import draw_design
from seal.seal_picture_ofd import draw_design_ofd
from seal.seal_sizes import Centre, Shape
from seal.ses import make_seal
from seal.stamp_places import At, Place, Riding
from seal.watermark import Watermark, mark
from tests.seal.drawn_pages import RED, WHITE, colour
from tests.seal.face_builders import CODE, INFO
from tests.seal.ofd_builders import (
    FOUNDED,
    OWNER,
    SIGNED_AT,
    YEAR,
    altered,
    entries,
    plain_ofd,
    replacing,
    seal_world,
)
from tests.seal.test_ofd_samples import SAMPLES

DPI = 254
DESIGN = Design(OWNER, purpose_line="电子证照专用章", code="37010000000001")


def unlike(one: Image.Image, other: Image.Image) -> float:
    """Return the share of pixels that differ clearly, once both are blurred a little."""
    soft = (each.convert("L").filter(ImageFilter.BoxBlur(2)) for each in (one, other))
    strong = ImageChops.difference(*soft).point(lambda grey: 255 if grey > 64 else 0)
    return strong.histogram()[255] / (strong.width * strong.height)


def stamped_with(picture: bytes, kind: str, *places: Place, ofd: bytes = b"") -> bytes:
    """Return an OFD stamped by a seal with that picture."""
    world = seal_world()
    seal = make_seal(
        esid="37010000000001",
        name=OWNER,
        vendor="YINXIN",
        picture=picture,
        picture_type=kind,
        width=42,
        height=42,
        signer_certificates=(world.owner.certificate,),
        created=FOUNDED,
        valid_from=FOUNDED,
        valid_until=FOUNDED + YEAR,
        maker_signer=world.maker.signer,
        maker_certificate=world.maker.certificate,
    )
    owner = world.owner
    return stamp(ofd or plain_ofd(), seal, owner.signer, owner.certificate, places, SIGNED_AT)


def test_a_face_looks_alike_as_ofd_and_as_pdf(face: Face, pdf: bytes) -> None:
    ofd = ofd_picture.draw(write_ofd(face, INFO), dpi=100)
    assert ofd.getextrema() != ((255, 255),) * 3
    other = face_picture.draw(pdf, 100).resize(ofd.size)
    assert unlike(ofd, other) < 0.001


def test_a_watermark_is_drawn_alike_in_both_and_hidden_when_told(face: Face) -> None:
    marked = mark(face, Watermark("示例市不动产登记中心", "办理抵押登记", date(2026, 12, 31)))
    ofd = write_ofd(marked, INFO)
    shown = ofd_picture.draw(ofd, dpi=100)
    other = face_picture.draw(write_pdf(marked, INFO), 100).resize(shown.size)
    assert unlike(shown, other) < 0.001
    plain = ofd_picture.draw(write_ofd(face, INFO), dpi=100)
    assert shown.tobytes() != plain.tobytes()
    hiding = replacing(b'Type="Watermark"', b'Type="Watermark" Visible="false"')
    hidden = altered(ofd, {"Doc_0/Annots/Page_0/Annotation.xml": hiding})
    assert ofd_picture.draw(hidden, dpi=100).tobytes() == plain.tobytes()


def test_the_printed_code_can_be_read_from_the_picture(face: Face) -> None:
    assert qr.read_picture(ofd_picture.png(write_ofd(face, INFO), dpi=150)) == (CODE,)


def test_a_picture_tells_its_resolution_and_is_the_same_every_time() -> None:
    first = ofd_picture.png(plain_ofd(), dpi=96)
    assert first == ofd_picture.png(plain_ofd(), dpi=96)
    picture = Image.open(BytesIO(first))
    assert picture.info["dpi"] == pytest.approx((96, 96), abs=0.1)
    assert picture.size == (1123, 794)


@pytest.mark.parametrize("kind", ["png", "ofd"])
def test_a_stamp_is_drawn_where_it_stands_in_its_size(kind: str) -> None:
    picture = draw_design(DESIGN, 300) if kind == "png" else draw_design_ofd(DESIGN)
    page = ofd_picture.draw(stamped_with(picture, kind, At(0, 100, 100)), dpi=DPI)
    assert colour(page, 121, 121) == RED, "the star"
    assert colour(page, 100.8, 121) == RED, "the border on the left"
    assert colour(page, 141.2, 121) == RED, "and on the right"
    assert colour(page, 99.5, 121) == WHITE
    assert colour(page, 142.5, 121) == WHITE


def test_text_under_a_stamp_can_be_read() -> None:
    page = ofd_picture.draw(stamped_with(draw_design(DESIGN, 300), "png", At(0, 19, 19)), dpi=DPI)
    assert colour(page, 40, 40)[0] < 40, "the black rule under the star"


def test_both_pictures_of_a_seal_look_alike() -> None:
    for design in (
        DESIGN,
        Design(OWNER, Shape.OVAL, 40, border=1.0, centre=Centre.NONE, purpose_line="专用章"),
        Design(OWNER, Shape.SQUARE, 30, border=1.0, centre=Centre.NONE),
        Design(OWNER, picture=draw_design(Design(OWNER, centre=Centre.NONE), 300)),
    ):
        nested = ofd_picture.draw(draw_design_ofd(design), dpi=300)
        raster = Image.open(BytesIO(draw_design(design, 300))).convert("RGBA")
        paper = Image.new("RGBA", raster.size, "white")
        paper.alpha_composite(raster)
        assert abs(nested.width - raster.width) <= 1
        assert unlike(nested, paper.convert("RGB").resize(nested.size)) < 0.001
        assert draw_design_ofd(design) == draw_design_ofd(design)


def test_the_slices_of_a_riding_seal_make_a_whole(face: Face) -> None:
    two = Face(face.title, (face.pages[0], face.pages[0]), face.seal)
    empty = write_ofd(two, INFO)
    riding = stamped_with(draw_design(DESIGN, 300), "png", Riding(), ofd=empty)
    plain, *_ = (ofd_picture.draw(empty, number, 100) for number in (0, 1))
    slices = [
        ImageChops.difference(plain, ofd_picture.draw(riding, number, 100)).getbbox()
        for number in (0, 1)
    ]
    assert all(slices)
    assert {box[2] for box in slices if box} == {plain.width}, "both reach the edge"
    assert sum(box[2] - box[0] for box in slices if box) == pytest.approx(42 / 25.4 * 100, abs=4)


@pytest.mark.parametrize(
    ("kind", "picture"),
    [
        ("png", b"no picture"),
        ("svg", b"<svg/>"),
        ("ofd", b"no package"),
        ("ofd", ofd_package.write({"OFD.xml": b"<OFD/>"})),
    ],
)
def test_a_stamp_that_cannot_be_drawn_leaves_the_page(kind: str, picture: bytes) -> None:
    page = ofd_picture.draw(stamped_with(picture, kind, At(0, 100, 100)), dpi=72)
    assert page.tobytes() == ofd_picture.draw(plain_ofd(), dpi=72).tobytes()


def test_a_seal_inside_a_seal_inside_a_seal_is_not_followed() -> None:
    nested = draw_design_ofd(DESIGN)
    for _ in range(3):
        nested = stamped_with(nested, "ofd", At(0, 100, 100))
    assert ofd_picture.png(nested, dpi=72)


def test_signatures_that_cannot_be_read_leave_the_page() -> None:
    ofd = stamped_with(draw_design(DESIGN, 96), "png", At(0, 100, 100))
    rubbish = altered(
        ofd, {"Doc_0/Signs/Sign_0/SignedValue.dat": b"?", "Doc_0/Signs/Sign_0/Seal.esl": b"?"}
    )
    plain = ofd_picture.draw(plain_ofd(), dpi=72).tobytes()
    assert ofd_picture.draw(rubbish, dpi=72).tobytes() == plain
    listless = altered(ofd, {"Doc_0/Signs/Signatures.xml": b"<"})
    assert ofd_picture.draw(listless, dpi=72).tobytes() == plain


@given(st.data())
@settings(max_examples=40)
def test_an_altered_file_is_drawn_or_refused(data: st.DataObject) -> None:
    parts = entries(plain_ofd())
    name = data.draw(st.sampled_from(sorted(parts)))
    content = bytearray(parts[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        ofd_picture.draw(ofd_package.write({**parts, name: bytes(content)}), dpi=40)
    except DomainError:
        return


if SAMPLES.is_dir():

    @pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.ofd")))
    def test_every_page_of_the_samples_is_drawn(name: str) -> None:
        ofd = (SAMPLES / name).read_bytes()
        for number in range(len(pages(ofd_package.read(ofd)))):
            low, high = ofd_picture.draw(ofd, number, 50).convert("L").getextrema()
            assert (low, high) != (255, 255)

    def test_an_invoice_shows_its_supervision_seal_of_nested_pages() -> None:
        page = ofd_picture.draw((SAMPLES / "tax-v4-999.ofd").read_bytes(), dpi=100)
        reds = [
            count
            for count, seen in page.getcolors(1 << 20) or ()
            if isinstance(seen, tuple) and seen[0] > 200 and max(seen[1:]) < 60
        ]
        assert sum(reds) > 1000
