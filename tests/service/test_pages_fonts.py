"""The web faces: every character has a slice, and a slice is a whole WOFF file."""

import struct
import zlib

import pytest
import uharfbuzz

from seal.face import Typeface
from seal.fonts import FONT_FILES, subset
from service.locale import LOCALES, catalogue
from service.pages import fonts


def unwrap(woff: bytes) -> bytes:
    """Return the TrueType file inside a WOFF 1.0 file, checking its lengths."""
    signature, flavour, length, count = struct.unpack(">4sIIH", woff[:14])
    assert signature == b"wOFF"
    assert length == len(woff)
    directory, body = b"", b""
    for at in range(44, 44 + 20 * count, 20):
        tag, offset, packed, size, checksum = struct.unpack(">4sIIII", woff[at : at + 20])
        table = woff[offset : offset + packed]
        table = zlib.decompress(table) if packed < size else table
        assert len(table) == size
        place = 12 + 16 * count + len(body)
        directory += struct.pack(">4sIII", tag, checksum, place, size)
        body += table + bytes(-size % 4)
    return struct.pack(">IHHHH", flavour, count, 0, 0, 0) + directory + body


def characters(font: bytes) -> set[str]:
    return {chr(code) for code in uharfbuzz.Face(uharfbuzz.Blob(font)).unicodes}


def test_wrapping_loses_nothing() -> None:
    font = subset(Typeface.SANS, "印信 Yinxin 张䶮")
    assert characters(unwrap(fonts.wrap(font))) == set("印信 Yinxin 张䶮")


@pytest.mark.parametrize("face", ["sans", "serif"])
def test_the_first_slice_has_every_character_the_pages_say(face: str) -> None:
    said = {c for locale in LOCALES for text in catalogue(locale).values() for c in text}
    assert said - {"\n"} <= characters(unwrap(fonts.woff(face, "words")))


def test_the_common_characters_are_the_first_level_of_gb_2312() -> None:
    common = "".join(p.characters for n, p in fonts.slices().items() if n.startswith("common"))
    assert len(common) == len(set(common)) == 3755
    assert {"啊", "座"} <= set(common)


@pytest.mark.parametrize("rare", ["䶮", "㛃", "𬭎", "龘"])
def test_a_rare_character_of_a_name_has_a_slice_that_has_it(rare: str) -> None:
    assert (
        ord(rare)
        in uharfbuzz.Face(
            uharfbuzz.Blob.from_file_path(str(FONT_FILES[Typeface.SANS].path))
        ).unicodes
    )
    asked = [n for n, p in fonts.slices().items() if p.first <= ord(rare) <= p.last]
    assert any(rare in characters(unwrap(fonts.woff("sans", name))) for name in asked)


def test_the_pages_own_words_are_declared_last_so_that_they_are_asked_first() -> None:
    assert list(fonts.slices())[-1] == "words"
    assert fonts.style_sheet().rstrip().endswith(f"U+20-{fonts.slices()['words'].last:X}}}")
