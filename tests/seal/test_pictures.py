"""Pictures on a face: drawn as they are, with nothing beside the pixels, hostile ones refused."""

import io
import struct
import zlib

import pikepdf
import pypdfium2
import pytest
from PIL import Image, PngImagePlugin

from seal import pictures
from seal.face import Face
from seal.lay_out import PictureMissing, lay_out
from seal.ofd_writer import write_ofd
from seal.ofd_xml import child, descendants, parse, text
from seal.pdf_writer import write_pdf
from seal.qr import PictureTooLarge, PictureUnreadable
from tests.seal.face_builders import CODE, INFO
from tests.seal.ofd_builders import entries
from tests.seal.sheet_builders import VALUES, form, photograph

TEAL = (0, 128, 128)
KINDS = [("PNG", "RGB"), ("PNG", "L"), ("PNG", "RGBA"), ("JPEG", "RGB"), ("JPEG", "L")]


def with_photograph(content: bytes) -> Face:
    return lay_out(form(), VALUES, CODE, {"photo": content})


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_a_picture_stays_of_its_kind(kind: str, mode: str) -> None:
    made = pictures.cleaned(photograph(kind, mode))
    assert pictures.media_type(made) == f"image/{kind.lower()}"
    assert pictures.size(made) == (30, 60)


@pytest.mark.parametrize("mode", ["P", "1", "I;16", "LA"])
def test_odd_pixels_become_what_every_reader_draws(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "PNG")
    with Image.open(io.BytesIO(pictures.cleaned(out.getvalue()))) as made:
        assert made.mode in {"L", "RGB", "RGBA"}


def test_cmyk_becomes_rgb() -> None:
    out = io.BytesIO()
    Image.new("CMYK", (8, 8)).save(out, "JPEG")
    with Image.open(io.BytesIO(pictures.cleaned(out.getvalue()))) as made:
        assert made.mode == "RGB"


def test_nothing_rides_along_with_the_pixels() -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "taken at home")
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=told)
    made = pictures.cleaned(out.getvalue() + b"<script>alert(1)</script>")
    assert b"home" not in made
    assert b"script" not in made


def test_where_a_photograph_was_taken_is_dropped_and_it_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by a quarter
    exif[0x010E] = "taken at home"
    out = io.BytesIO()
    Image.new("RGB", (40, 20)).save(out, "JPEG", exif=exif)
    made = pictures.cleaned(out.getvalue())
    assert pictures.size(made) == (20, 40)
    assert b"home" not in made


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        b"\xff\xd8\xff\xe0",
        b"%PDF-1.7",
        b"<svg/>",
    ],
    ids=["empty", "gif", "hollow png", "hollow jpeg", "pdf", "svg"],
)
def test_what_is_no_picture_is_refused(hostile: bytes) -> None:
    with pytest.raises(PictureUnreadable):
        pictures.cleaned(hostile)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_truncated_picture_is_refused(kind: str) -> None:
    whole = photograph(kind, size=(300, 300))
    with pytest.raises(PictureUnreadable):
        pictures.cleaned(whole[: len(whole) * 2 // 3])


def png_saying(width: int, height: int) -> bytes:
    """A PNG that says its size and has no pixels."""
    header = b"IHDR" + struct.pack(">2L5B", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">L", 13) + header + struct.pack(">L", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + b"\0\0\0\0IDAT" + struct.pack(">L", zlib.crc32(b"IDAT"))


@pytest.mark.parametrize("side", [4_100, 12_000, 60_000])
def test_a_small_file_of_a_huge_picture_is_refused_unopened(side: int) -> None:
    with pytest.raises(PictureTooLarge):
        pictures.cleaned(png_saying(side, side))


def test_a_huge_file_is_refused_unopened() -> None:
    with pytest.raises(PictureTooLarge):
        pictures.cleaned(b"\x89PNG" + b"\0" * pictures.MOST_BYTES)


def test_it_fills_its_place_without_being_stretched() -> None:
    (picture,) = with_photograph(photograph(size=(30, 60))).pages[0].pictures
    assert (picture.width, picture.height) == pytest.approx((20, 40))
    assert (picture.x, picture.y) == pytest.approx((155, 45))


def test_a_missing_picture_is_named() -> None:
    with pytest.raises(PictureMissing) as refused:
        lay_out(form(), VALUES, CODE)
    assert refused.value.parameters == {"field": "photo"}


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_in_ofd_it_is_a_resource_in_its_box_tied_to_its_field(kind: str, mode: str) -> None:
    face = with_photograph(photograph(kind, mode))
    parts = entries(write_ofd(face, INFO))
    (media,) = descendants(parse(parts["Doc_0/DocumentRes.xml"], ""), "MultiMedia")
    (image,) = descendants(parse(parts["Doc_0/Pages/Page_0/Content.xml"], ""), "ImageObject")
    assert image.get("ResourceID") == media.get("ID")
    assert (media.get("Type"), media.get("Format")) == ("Image", kind)
    assert image.get("Boundary") == "155 45 20 40"
    assert image.get("CTM") == "20 0 0 40 0 0"
    assert parts[f"Doc_0/Res/{text(media, 'MediaFile')}"] == face.pages[0].pictures[0].content
    tags = descendants(parse(parts["Doc_0/Tags/CustomTag.xml"], ""), "Datum")
    tied = {tag.get("Name"): text(child(tag, "ObjectRef")) for tag in tags}
    assert tied["photo"] == image.get("ID")


@pytest.mark.parametrize(("kind", "mode"), KINDS)
def test_in_pdf_it_stands_in_its_box_in_its_colour(kind: str, mode: str) -> None:
    pdf = write_pdf(with_photograph(photograph(kind, mode)), INFO)
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0].render(scale=2).to_pil().convert("RGB")
    middle = page.getpixel((round(165 * 144 / 25.4), round(65 * 144 / 25.4)))
    beside = page.getpixel((round(152 * 144 / 25.4), round(65 * 144 / 25.4)))
    assert middle == pytest.approx(TEAL if mode != "L" else (90, 90, 90), abs=3)
    assert beside == (255, 255, 255)


def test_in_pdf_it_is_told_in_words_to_who_cannot_see_it() -> None:
    with pikepdf.open(io.BytesIO(write_pdf(with_photograph(photograph()), INFO))) as read:
        figures = [e for e in read.Root.StructTreeRoot.K.K if e.S == "/Figure"]
    assert [str(figure.Alt) for figure in figures] == ["持证人照片", "二维码"]


def test_transparency_is_a_soft_mask() -> None:
    with pikepdf.open(io.BytesIO(write_pdf(with_photograph(photograph("PNG", "RGBA")), INFO))) as r:
        image = r.pages[0].Resources.XObject["/Im1"]
        assert image.SMask.ColorSpace == "/DeviceGray"
        assert "/Interpolate" not in image


def test_the_same_picture_makes_the_same_bytes() -> None:
    face = with_photograph(photograph("JPEG"))
    assert write_ofd(face, INFO) == write_ofd(with_photograph(photograph("JPEG")), INFO)
    assert write_pdf(face, INFO) == write_pdf(with_photograph(photograph("JPEG")), INFO)
