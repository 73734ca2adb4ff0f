"""The vendored typefaces: widths, what cannot be printed, and small cuts of them."""

import pytest
import uharfbuzz
from hypothesis import given
from hypothesis import strategies as st

from seal import fonts
from seal.face import Typeface

RARE_NAMES = "张䶮李㛃王𬭎欧阳𬱖"

every_typeface = pytest.mark.parametrize("typeface", Typeface)


@every_typeface
def test_rare_characters_of_names_can_be_printed(typeface: Typeface) -> None:
    assert fonts.missing(typeface, RARE_NAMES) == ""


@every_typeface
def test_what_a_typeface_lacks_is_named_once_and_in_order(typeface: Typeface) -> None:
    assert fonts.missing(typeface, "张😀三😀🂡") == "😀🂡"


@pytest.mark.parametrize("invisible", ["\u202e", "\u200b", "\x00", "\u3164", "\ue000", "\n"])
def test_a_character_that_leaves_no_ink_cannot_be_printed(invisible: str) -> None:
    assert fonts.missing(Typeface.SERIF, f"张{invisible}三") == invisible


def test_a_han_character_is_one_em_wide_and_a_digit_less() -> None:
    han, digit = fonts.advances(Typeface.SERIF, "张1", 4.0)
    assert han == pytest.approx(4.0)
    assert 1.0 < digit < 3.0


@every_typeface
def test_a_cut_keeps_the_tables_readers_ask_for_and_no_others(typeface: Typeface) -> None:
    cut = uharfbuzz.Face(uharfbuzz.Blob(fonts.subset(typeface, RARE_NAMES)))
    kept = {"cmap", "head", "hhea", "hmtx", "maxp", "name", "OS/2", "post", "loca", "glyf"}
    assert set(cut.table_tags) == kept


def test_a_cut_has_its_characters_only() -> None:
    cut = fonts.subset(Typeface.SANS, "证照AB")
    assert set(uharfbuzz.Face(uharfbuzz.Blob(cut)).unicodes) == {ord(c) for c in "证照AB"}
    assert 0 not in fonts.glyph_ids(cut, "证照AB")
    assert fonts.glyph_ids(cut, "章") == (0,)


@given(st.text(alphabet="证照编号建设单位0123456789ABC䶮𬭎", min_size=1, max_size=20))
def test_the_same_characters_make_the_same_cut_in_any_order(text: str) -> None:
    assert fonts.subset(Typeface.SERIF, text) == fonts.subset(Typeface.SERIF, text[::-1] * 2)


@every_typeface
def test_a_cut_is_as_wide_as_its_typeface(typeface: Typeface) -> None:
    text = "证照Ag1，"
    cut = fonts.subset(typeface, text)
    widths = fonts.glyph_widths(cut)
    cut_widths = [widths[glyph] for glyph in fonts.glyph_ids(cut, text)]
    assert cut_widths == pytest.approx(fonts.advances(typeface, text, 1000))
