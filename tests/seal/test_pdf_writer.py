"""The PDF of a face: an archive file by the rules of ISO 19005-3, its text as it was said."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import uharfbuzz

from seal import face_picture, qr
from seal.face import Face, TextRun, Typeface
from seal.lay_out import lay_out
from seal.pdf_writer import write_pdf
from seal.template import load
from tests.seal.face_builders import CODE, DATA_FILE, INFO, VALUES


@pytest.fixture(scope="module")
def document(pdf: bytes) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(BytesIO(pdf)) as opened:
        yield opened


def with_body(face: Face, *runs: TextRun) -> Face:
    return replace(face, pages=(replace(face.pages[0], body=runs),))


def fonts(document: pikepdf.Pdf) -> list[Any]:
    return list(document.pages[0].Resources.Font.as_dict().values())


def test_the_same_face_makes_the_same_bytes(face: Face, pdf: bytes) -> None:
    assert write_pdf(face, INFO, (DATA_FILE,)) == pdf


def test_another_face_makes_another_file_id(face: Face, document: pikepdf.Pdf) -> None:
    first, *others = face.pages[0].body
    turned = replace(first, text=first.text[::-1])
    other = write_pdf(with_body(face, turned, *others), INFO, (DATA_FILE,))
    with pikepdf.open(BytesIO(other)) as changed:
        assert bytes(changed.trailer.ID[0]) != bytes(document.trailer.ID[0])


def test_qpdf_finds_nothing_to_complain_about(document: pikepdf.Pdf) -> None:
    assert document.check_pdf_syntax() == []


def test_the_page_has_its_size_and_nothing_that_runs(document: pikepdf.Pdf) -> None:
    (page,) = document.pages
    sides = [float(side) for side in page.MediaBox]
    assert sides == pytest.approx([0, 0, 297 * 72 / 25.4, 210 * 72 / 25.4], abs=1e-3)
    assert not {"/OpenAction", "/AA", "/AcroForm"} & set(document.Root.keys())
    assert "/JavaScript" not in document.Root.Names


# --- PDF/A-3b (ISO 19005-3) ---


def test_it_says_that_it_is_pdf_a_3b_and_in_what_language(document: pikepdf.Pdf) -> None:
    packet = bytes(document.Root.Metadata.read_raw_bytes()).decode()
    assert "<pdfaid:part>3</pdfaid:part>" in packet
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in packet
    assert INFO.title in packet
    assert document.Root.Metadata.Subtype == "/XML"
    assert "/Filter" not in document.Root.Metadata
    assert document.Root.Lang == "zh-CN"
    assert bool(document.Root.ViewerPreferences.DisplayDocTitle)


def test_metadata_and_information_dictionary_agree(document: pikepdf.Pdf) -> None:
    with document.open_metadata() as xmp:
        assert xmp["dc:title"] == str(document.docinfo.Title) == INFO.title
        assert xmp["dc:creator"] == [str(document.docinfo.Author)] == [INFO.author]
        assert xmp["xmp:CreateDate"] == "2026-11-22"
    assert str(document.docinfo.CreationDate) == "D:20261122"
    assert str(document.docinfo["/电子证照标识"]) == dict(INFO.custom)["电子证照标识"]


def test_text_with_marks_of_xml_is_escaped_in_the_metadata(face: Face) -> None:
    told = replace(INFO, title="甲<乙>&丙")
    with pikepdf.open(BytesIO(write_pdf(face, told))) as document, document.open_metadata() as xmp:
        assert xmp["dc:title"] == "甲<乙>&丙"


def test_colours_are_srgb_by_the_output_intent(document: pikepdf.Pdf) -> None:
    (intent,) = document.Root.OutputIntents
    profile = bytes(intent.DestOutputProfile.read_bytes())
    assert intent.S == "/GTS_PDFA1"
    assert intent.DestOutputProfile.N == 3
    assert profile[12:24] == b"mntrRGB XYZ "
    assert len(profile) == int.from_bytes(profile[:4])


def test_the_data_file_is_carried_as_an_associated_file(document: pikepdf.Pdf) -> None:
    (file,) = document.Root.AF
    assert (str(file.F), str(file.UF)) == (DATA_FILE.name, DATA_FILE.name)
    assert file.AFRelationship == "/Data"
    assert file.EF.F.Subtype == f"/{DATA_FILE.media_type}"
    assert file.EF.F.Params.Size == len(DATA_FILE.content)
    assert str(file.EF.F.Params.ModDate) == "D:20261122"
    assert document.attachments[DATA_FILE.name].get_file().read_bytes() == DATA_FILE.content


def test_every_font_is_embedded_with_its_own_widths(document: pikepdf.Pdf) -> None:
    for font in fonts(document):
        descendant = font.DescendantFonts[0]
        embedded = bytes(descendant.FontDescriptor.FontFile2.read_bytes())
        cut = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob(embedded)))
        glyphs = bytes(descendant.CIDToGIDMap.read_bytes())
        assert int(descendant.W[0]) == 0
        for cid, width in enumerate(descendant.W[1]):
            glyph = int.from_bytes(glyphs[2 * cid : 2 * cid + 2])
            assert int(width) == cut.get_glyph_h_advance(glyph)


def test_every_font_is_a_subset_by_name(document: pikepdf.Pdf) -> None:
    for font in fonts(document):
        descendant = font.DescendantFonts[0]
        names = {str(font.BaseFont), str(descendant.BaseFont)}
        names.add(str(descendant.FontDescriptor.FontName))
        assert len(names) == 1
        assert re.fullmatch(r"/[A-Z]{6}\+Noto(Serif|Sans)SC-\w+", names.pop())


def shown(document: pikepdf.Pdf) -> Iterator[tuple[str, int]]:
    """Yield (font, number) of every character the page shows."""
    font = ""
    for instruction in pikepdf.parse_content_stream(document.pages[0]):
        if str(instruction.operator) == "Tf":
            font = str(instruction.operands[0])
        if str(instruction.operator) == "TJ":
            for part in instruction.operands[0]:
                if isinstance(part, pikepdf.String):
                    pairs = bytes(part)
                    for at in range(0, len(pairs), 2):
                        yield font, int.from_bytes(pairs[at : at + 2])


def test_no_glyph_shown_is_notdef(document: pikepdf.Pdf) -> None:
    maps = {
        name: bytes(font.DescendantFonts[0].CIDToGIDMap.read_bytes())
        for name, font in document.pages[0].Resources.Font.as_dict().items()
    }
    for font, number in shown(document):
        assert maps[font][2 * number : 2 * number + 2] not in (b"", b"\0\0")


def test_no_picture_is_smoothed(pdf: bytes) -> None:
    assert b"/Interpolate" not in pdf


# --- What readers get from it ---


@pytest.mark.parametrize("name", sorted(VALUES))
def test_pdfium_extracts_every_value(name: str) -> None:
    face = lay_out(load(name), VALUES[name], CODE)
    with pypdfium2.PdfDocument(write_pdf(face, INFO)) as document:
        text = "".join(document[0].get_textpage().get_text_bounded().split())
    for value in VALUES[name].values():
        assert "".join(value.split()) in text


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler is not on this machine")
def test_poppler_extracts_the_rare_names(pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "licence.pdf").write_bytes(pdf)
    told = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "licence.pdf", "-"], capture_output=True, check=True
    ).stdout.decode()
    for name in ("张䶮", "李㛃", "王𬭎", "建筑工程施工许可证"):
        assert name in told


def test_two_characters_that_share_a_glyph_extract_as_themselves(face: Face) -> None:
    ideograph, radical = "一", "\u2f00"
    run = TextRun(ideograph + radical, 20, 20, 5, Typeface.SERIF, (5.0, 5.0), "remarks")
    with pikepdf.open(BytesIO(write_pdf(with_body(face, run), INFO))) as document:
        maps = [bytes(font.ToUnicode.read_bytes()).decode() for font in fonts(document)]
    assert any("<4E00>" in told and "<2F00>" in told for told in maps)


@pytest.mark.parametrize("dpi", [90, 110, 150, 300])
def test_the_code_is_read_back_from_the_page(pdf: bytes, dpi: int) -> None:
    assert qr.read_picture(face_picture.png(pdf, dpi)) == (CODE,)


def test_a_character_without_a_glyph_is_never_written(face: Face) -> None:
    run = replace(face.pages[0].body[0], text="😀", advances=(4.0,))
    with pytest.raises(KeyError):
        write_pdf(with_body(face, run), INFO)


def test_the_file_is_small(pdf: bytes) -> None:
    assert len(pdf) < 120_000


@pytest.mark.parametrize("name", ["阿", "龘靐齉", "鿿 zq"])
def test_every_licence_on_a_form_shows_its_captions(face: Face, name: str) -> None:
    width = (5.0,) * len(name)
    other = with_body(face, TextRun(name, 20, 20, 5, Typeface.SERIF, width, "holder_name"))
    with pypdfium2.PdfDocument(write_pdf(other, INFO)) as document:
        told = "".join(document[0].get_textpage().get_text_bounded().split())
    for caption in ("建筑工程施工许可证", "建设单位", "合同价格", "".join(name.split())):
        assert caption in told
