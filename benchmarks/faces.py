"""A4 faces, another licence each time as in bulk issue: laid out, written as OFD and as PDF, drawn."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, cycle

from benchmarks.measuring import Measurement, measure
from seal import fonts, ofd_writer, pdf_writer, preview, qr, template, zip_writing
from seal.face import Attachment, DocumentInfo, Face, Typeface
from seal.lay_out import lay_out
from seal.ofd_package import read

BODY = "示例市住房和城乡建设局"
INFO = DocumentInfo("0123456789abcdef0123456789abcdef", "建筑工程施工许可证", BODY, "2026-11-22")
DATA = Attachment("licence.jws", "application/jose", b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln" * 40)

_LINK = "https://licence.example.gov.cn/v#" + "0SqLpZ7v-4Yc" * 28
_COMMON = [chr(code) for code in range(0x4E00, 0x9000)]
_VALUES = {
    "identifier": "1.2.156.3005.2.11100000000013338W009.11990100MBXX90018M.990100202611220101.001.H",
    "project_name": "滨江新城安置房三期工程（1#—6#楼及地下车库）",
    "site_address": "示例市滨江新区望潮路以东、听澜街以北地块",
    "scale": "总建筑面积 86,420.55 平方米，其中地下 21,380.10 平方米",
    "contract_price": "34,582.16 万元",
    "survey_unit": "示例省地质工程勘察院有限公司",
    "survey_lead": "周远",
    "design_unit": "示例省建筑设计研究院有限公司",
    "design_lead": "沈一鸣",
    "construction_unit": "示例建工集团有限公司",
    "construction_lead": "王𬭎",
    "supervision_unit": "示例正衡工程监理有限公司",
    "supervision_lead": "顾平",
    "contract_period": "720 日历天",
    "issuer_name": BODY,
    "issued_on": "2026年11月22日",
}


def face(number: int) -> Face:
    """Lay out the licence `number`: its number, its holder and its code are its own."""
    rare = "".join(_COMMON[(number * 7 + place * 131) % len(_COMMON)] for place in range(8))
    own = {"number": f"9901002026{number:08}", "holder_name": f"示例市{rare}有限公司"}
    return lay_out(template.load("construction_permit"), _VALUES | own, f"{_LINK}{number:012}")


def each(write: Callable[[Face], object], faces: int = 100) -> Callable[[], object]:
    """Return what writes the next of so many faces: more than any cache keeps."""
    turn = cycle([face(number) for number in range(faces)])
    return lambda: write(next(turn))


def write_ofd(drawn: Face) -> bytes:
    """Return the OFD of a face with its data file."""
    return ofd_writer.write_ofd(drawn, INFO, (DATA,))


def write_pdf(drawn: Face) -> bytes:
    """Return the PDF of a face with its data file."""
    return pdf_writer.write_pdf(drawn, INFO, (DATA,))


def measurements() -> Iterator[Measurement]:
    """Yield a line for each step, then one for each format."""
    numbers = count()
    yield measure("the code's modules", lambda: qr.modules(f"{_LINK}{next(numbers):012}"))
    yield measure("lay out, code included", lambda: face(next(numbers)))
    yield measure("cut the fonts", each(_cut))
    unzipped = cycle([dict(read(write_ofd(face(number))).entries) for number in range(100)])
    yield measure("OFD zip", lambda: zip_writing.archive(next(unzipped)))
    yield measure("OFD write, fonts and zip included", each(write_ofd))
    yield measure("PDF write, fonts included", each(write_pdf))
    yield measure("preview, 150 dpi", partial(preview.png, face(0)))


def _cut(drawn: Face) -> None:
    for typeface in Typeface:
        fonts.subset(typeface, "".join(r.text for r in drawn.runs if r.typeface is typeface))
