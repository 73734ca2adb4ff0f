"""A form and its values become a face: nothing overflows, nothing is lost, nothing is a box."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal.face import Box, Face, TextRun, Typeface
from seal.lay_out import FieldMissing, lay_out
from seal.qr import CodeTooLong
from seal.template import Align, Style, load
from seal.typesetting import NEVER_FIRST, NEVER_LAST, FieldTooLong, GlyphMissing, set_text
from tests.seal.face_builders import CODE, CONSTRUCTION, FOOD, VALUES

BOX = Box(20, 30, 60, 9)
STYLE = Style(4.4, 2.0)
LONG_NAME = "示例市高新技术产业开发区城市更新与基础设施建设投资开发有限责任公司第二十八分公司"
PRINTABLE = st.text(
    alphabet="示例市建设局有限公司（）《》“”，。、；：ABCxyz0123456789 .,-/㎡䶮𬭎", max_size=90
)


def texts(runs: tuple[TextRun, ...]) -> list[str]:
    return [run.text for run in runs]


@given(PRINTABLE, st.floats(3, 80), st.floats(2, 30), st.sampled_from(Align), st.floats(0, 2))
def test_text_never_leaves_its_box(
    text: str, width: float, height: float, align: Align, spacing: float
) -> None:
    box = Box(10, 20, width, height)
    style = Style(4.4, 2.0, align, letter_spacing=spacing)
    try:
        runs = set_text(text, box, style, "remarks")
    except FieldTooLong:
        return
    for run in runs:
        assert run.x >= box.x - 1e-6
        assert run.x + run.width - spacing <= box.x + box.width + 1e-6
        assert run.baseline - 0.88 * run.size >= box.y - 1e-6
        assert run.baseline + 0.12 * run.size <= box.y + box.height + 1e-6
        assert len(run.advances) == len(run.text)
        assert 2.0 - 1e-6 <= run.size <= 4.4


@given(PRINTABLE)
def test_broken_lines_together_say_what_was_said(text: str) -> None:
    try:
        runs = set_text(text, BOX, STYLE)
    except FieldTooLong:
        return
    assert "".join("".join(texts(runs)).split()) == "".join(text.split())


WORD = st.text(alphabet="示例市建设局有限公司䶮𬭎", min_size=1, max_size=6)
PHRASE = st.tuples(WORD, st.sampled_from("，。、；：")).map("".join) | WORD.map("（{}）《》".format)


@given(st.lists(PHRASE, min_size=1, max_size=16).map("".join), st.floats(45, 120))
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(
    text: str, width: float
) -> None:
    lines = texts(set_text(text, Box(0, 0, width, 60), STYLE))
    assert not {line[0] for line in lines[1:]} & NEVER_FIRST
    assert not {line[-1] for line in lines} & NEVER_LAST


def test_a_closing_mark_stays_with_the_line_before_it() -> None:
    for length in range(1, 14):
        text = "字" * length + "，" + "句" * 10 + "。"
        for line in texts(set_text(text, Box(0, 0, 40, 20), STYLE)):
            assert line[0] not in "，。"


def test_a_number_is_not_broken_where_the_line_has_room_for_it() -> None:
    lines = texts(
        set_text("地下商业空间总建筑面积145,678.90平方米", Box(0, 0, 60, 20), Style(4, 4))
    )
    assert any("145,678.90" in line for line in lines)


def test_a_word_longer_than_the_line_is_broken_rather_than_refused() -> None:
    lines = texts(set_text("A" * 40, Box(0, 0, 60, 20), Style(4, 4)))
    assert len(lines) > 1
    assert "".join(lines) == "A" * 40


def test_a_name_a_little_too_long_shrinks_onto_one_line() -> None:
    text = "示例第一建设集团有限公司分部"
    runs = set_text(text, Box(0, 0, 14 * 4.0, 12), Style(4.4, 2.5))
    assert texts(runs) == [text]
    assert runs[0].size == pytest.approx(4.0)


def test_a_newline_ends_a_line() -> None:
    assert texts(set_text("法定代表人\n（负责人）", BOX, STYLE)) == ["法定代表人", "（负责人）"]


def test_right_and_centred_lines_stand_where_they_should() -> None:
    (right,) = set_text("证照", BOX, Style(4, 4, Align.RIGHT))
    (centred,) = set_text("证照", BOX, Style(4, 4, Align.CENTRE, letter_spacing=2))
    assert right.x + right.width == pytest.approx(80)
    assert centred.x + (centred.width - 2) / 2 == pytest.approx(50)


@pytest.mark.parametrize("name", ["construction_permit", "food_permit"])
def test_every_value_is_on_the_face_under_its_field(name: str) -> None:
    face = lay_out(load(name), VALUES[name], CODE)
    for field, value in VALUES[name].items():
        assert "".join(run.text for run in face.pages[0].body if run.field == field) == value


def test_two_holders_with_long_names_fit() -> None:
    values = dict(CONSTRUCTION) | {"holder_name": f"{LONG_NAME}、{LONG_NAME}"}
    face = lay_out(load("construction_permit"), values, CODE)
    printed = "".join(run.text for run in face.pages[0].body if run.field == "holder_name")
    assert printed == values["holder_name"]


def test_the_words_and_the_host_stand_under_the_code(face: Face) -> None:
    code, form = face.pages[0].code, face.pages[0].background
    assert code is not None
    left, foot = code.x + code.side / 2, code.y + code.side
    runs = [run for run in form if isinstance(run, TextRun)]
    below = [run for run in runs if run.baseline > foot and run.x < left < run.x + run.width]
    assert [run.text for run in below] == ["扫码核验", "yinxin.example.gov.cn"]
    assert all(run.x + run.width / 2 == pytest.approx(left) for run in below)


def test_a_missing_field_is_named() -> None:
    values = dict(FOOD, premises="  ")
    with pytest.raises(FieldMissing) as refused:
        lay_out(load("food_permit"), values, CODE)
    assert refused.value.parameters == {"field": "premises"}


def test_an_optional_field_may_be_absent() -> None:
    values = dict(CONSTRUCTION, survey_unit="", survey_lead="")
    face = lay_out(load("construction_permit"), values, CODE)
    assert not [run for run in face.pages[0].body if run.field.startswith("survey")]


def test_a_value_too_long_for_its_place_is_refused_by_name() -> None:
    values = dict(FOOD, signatory=LONG_NAME * 3)
    with pytest.raises(FieldTooLong) as refused:
        lay_out(load("food_permit"), values, CODE)
    assert refused.value.parameters == {"field": "signatory"}


def test_a_character_no_font_has_is_refused_by_name() -> None:
    values = dict(FOOD, holder_name="张😀")
    with pytest.raises(GlyphMissing) as refused:
        lay_out(load("food_permit"), values, CODE)
    told = {"field": "holder_name", "character": "😀", "code_point": "U+1F600"}
    assert refused.value.parameters == told


def test_a_direction_mark_hidden_in_a_name_is_refused() -> None:
    values = dict(FOOD, holder_name="张\u202e三")
    with pytest.raises(GlyphMissing) as refused:
        lay_out(load("food_permit"), values, CODE)
    assert refused.value.parameters["code_point"] == "U+202E"
    assert refused.value.parameters["character"] == ""


def test_a_code_too_fine_to_print_is_refused() -> None:
    with pytest.raises(CodeTooLong):
        lay_out(load("food_permit"), FOOD, CODE + "A" * 400)


def test_the_title_is_bold_and_letterspaced(face: Face) -> None:
    title = next(run for run in face.runs if run.text == face.title)
    assert title.typeface is Typeface.SERIF_BOLD
    assert title.advances[0] > title.size


def test_without_a_text_for_it_no_code_is_printed_and_nobody_is_told_to_scan() -> None:
    (page,) = lay_out(load("food_permit"), FOOD, "").pages
    assert page.code is None
    legend = load("food_permit").code.legend
    assert not any(item.text == legend for item in page.background if isinstance(item, TextRun))
    assert page.body == lay_out(load("food_permit"), FOOD, CODE).pages[0].body
