"""A page is read aloud from the top, each value after its caption."""

import io
from dataclasses import replace

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal.face import Face, TextRun, Typeface
from seal.pdf_writer import write_pdf
from seal.reading_order import Block, blocks, in_order
from tests.seal.face_builders import INFO
from tests.seal.sheet_builders import LONG_SCOPE, certificate


def line(text: str, x: float, baseline: float, field: str = "") -> TextRun:
    return TextRun(text, x, baseline, 4.0, Typeface.SERIF, (4.0,) * len(text), field)


def read(*runs: TextRun) -> list[str]:
    placed = blocks(runs)
    return ["".join(run.text for run in placed[at].runs) for at in in_order(placed)]


def test_a_value_comes_after_the_caption_beside_it() -> None:
    form = line("名称", 10, 20), line("地址", 10, 30)
    body = line("示例公司", 30, 20.3, "name"), line("示例路", 30, 29.8, "address")
    assert read(*form, *body) == ["名称", "示例公司", "地址", "示例路"]


def test_the_lines_of_one_value_are_read_together() -> None:
    runs = line("示例", 30, 18, "name"), line("公司", 30, 23.2, "name"), line("名称", 10, 20.6)
    assert read(*runs) == ["名称", "示例公司"]


def test_the_lines_of_one_caption_are_read_together() -> None:
    runs = line("法定代表人", 10, 18), line("（负责人）", 10, 23.2), line("张三", 40, 20.6, "legal")
    assert read(*runs) == ["法定代表人（负责人）", "张三"]


def test_two_captions_are_not_taken_for_one() -> None:
    assert len(blocks((line("名称", 10, 20), line("地址", 10, 30)))) == 2


def test_blank_lines_are_left_out() -> None:
    assert blocks((line("  ", 10, 20),)) == ()


@given(st.lists(st.tuples(st.floats(0, 200), st.floats(0, 280)), max_size=30))
def test_everything_is_read_once(places: list[tuple[float, float]]) -> None:
    placed = [Block((line("字", x, y, str(at)),)) for at, (x, y) in enumerate(places)]
    assert sorted(in_order(placed)) == list(range(len(placed)))


# --- The structure tree of the PDF ---


def spoken(pdf: bytes) -> list[str]:
    """What the structure tree leads to, in its order: by marked content and the fonts' maps."""
    with pikepdf.open(io.BytesIO(pdf)) as read_pdf:
        said = [_marked(page) for page in read_pdf.pages]
        pages = [page.obj.objgen for page in read_pdf.pages]
        return [
            str(e.Alt) if "/Alt" in e else said[pages.index(e.Pg.objgen)][int(e.K)]
            for e in read_pdf.Root.StructTreeRoot.K.K
        ]


def _marked(page: pikepdf.Page) -> dict[int, str]:
    maps = {name: _map(font) for name, font in page.Resources.Font.items()}
    told: dict[int, str] = {}
    mcid, font = -1, ""
    for step in pikepdf.parse_content_stream(page):
        operator, operands = str(step.operator), step.operands
        if operator == "BDC":
            mcid = int(operands[1].get("/MCID", -1))
        elif operator == "Tf":
            font = str(operands[0])
        elif operator == "TJ":
            shown = b"".join(bytes(p) for p in operands[0] if isinstance(p, pikepdf.String))
            text = "".join(maps[font][shown[i : i + 2]] for i in range(0, len(shown), 2))
            told[mcid] = told.get(mcid, "") + text
    return told


def _map(font: pikepdf.Object) -> dict[bytes, str]:
    lines = bytes(font.ToUnicode.read_bytes()).decode().splitlines()
    pairs = (part.strip("<>").split("> <") for part in lines if part.startswith("<"))
    return {bytes.fromhex(n): bytes.fromhex(c).decode("utf-16-be") for n, c in pairs}


def test_a_listener_hears_each_value_after_its_caption(pdf: bytes) -> None:
    heard = spoken(pdf)
    assert heard[0] == "建筑工程施工许可证"
    for caption, value in (
        ("建设单位", "示例市城市建设投资发展有限公司"),
        ("合同价格", "43,218.6655万元"),
        ("发证日期：", "2026年11月22日"),
    ):
        assert heard[heard.index(caption) + 1] == value
    assert heard[-1] == "二维码"


def test_everything_printed_is_heard_once_on_every_page() -> None:
    face = certificate(scope=LONG_SCOPE)
    heard = spoken(write_pdf(face, INFO))
    printed = sorted(
        "".join(run.text for run in block.runs)
        for page in face.pages
        for form in ([i for i in page.background if isinstance(i, TextRun)], page.body)
        for block in blocks(form)
    )
    assert sorted(heard) == sorted([*printed, "持证人照片", "二维码"])


def test_marked_content_leads_back_to_its_element(pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert bool(document.Root.MarkInfo.Marked)
        tree = document.Root.StructTreeRoot
        (number, elements) = tree.ParentTree.Nums
        assert document.pages[0].StructParents == number == 0
        assert [int(element.K) for element in elements] == list(range(len(elements)))
        assert {e.objgen for e in elements} == {e.objgen for e in tree.K.K}
        assert all(e.P.objgen == tree.K.objgen for e in elements)


def test_every_mark_is_closed_and_nothing_is_drawn_outside_one(face: Face) -> None:
    drawing = {"TJ", "S", "f", "Do"}
    with pikepdf.open(io.BytesIO(write_pdf(replace(face), INFO))) as document:
        depth = 0
        for step in pikepdf.parse_content_stream(document.pages[0]):
            operator = str(step.operator)
            depth += (operator in {"BDC", "BMC"}) - (operator == "EMC")
            assert depth in (0, 1)
            assert depth == 1 or operator not in drawing
    assert depth == 0


@pytest.mark.parametrize("name", ["/Type", "/S", "/P", "/Pg", "/K"])
def test_every_element_is_whole(pdf: bytes, name: str) -> None:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        assert all(name in element for element in document.Root.StructTreeRoot.K.K)
