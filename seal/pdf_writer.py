"""A face becomes a PDF/A-3b file (ISO 19005-3), written by hand on pikepdf.

Text is set in embedded TrueType subsets (Type0, Identity-H), each character under a number of its
own even where two share a glyph, with ToUnicode maps, so it extracts as it was said. The same face
makes the same bytes. The seal is not drawn here: it is the appearance of the signature
(`seal.pdf_seal`).
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO

from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Page, Pdf, String

from seal import fonts, qr
from seal.face import BLACK, Attachment, CodeSquare, DocumentInfo, Face, Rule, TextRun, Typeface
from seal.pdf_metadata import attach, write_metadata, write_output_intent

POINTS_PER_MM = 72 / 25.4

_RESOURCE = {Typeface.SERIF: "F1", Typeface.SERIF_BOLD: "F2", Typeface.SANS: "F3"}
_SEEN = 0.5  # thousandths of the em; less is rounding
_SYMBOLIC, _SERIF = 4, 2  # ISO 32000-1 table 123
_STEM = {Typeface.SERIF: 80, Typeface.SERIF_BOLD: 140, Typeface.SANS: 90}


def write_pdf(face: Face, info: DocumentInfo, attachments: tuple[Attachment, ...] = ()) -> bytes:
    """Return the PDF/A-3b file of `face`, carrying `attachments`.

    Every character must have its glyph, as `seal.lay_out` makes sure; raises KeyError otherwise.
    """
    with Pdf.new() as pdf:
        cuts = _cuts(face)
        page = _page(pdf, face, cuts)
        pdf.pages.append(Page(page))
        write_metadata(pdf, info)
        write_output_intent(pdf)
        attach(pdf, attachments, info)
        out = BytesIO()
        # Plain objects and a plain cross-reference table: what the pickiest reader reads.
        pdf.save(
            out,
            force_version="1.7",
            object_stream_mode=ObjectStreamMode.disable,
            deterministic_id=True,
            fix_metadata_version=False,
        )
    return out.getvalue()


def _page(pdf: Pdf, face: Face, cuts: Mapping[Typeface, "_Cut"]) -> Object:
    embedded = {f"/{_RESOURCE[t]}": _font(pdf, t, cut) for t, cut in cuts.items()}
    content = "\n".join(_content(face, cuts)).encode("ascii")
    size = [
        0,
        0,
        _number(face.page_width * POINTS_PER_MM),
        _number(face.page_height * POINTS_PER_MM),
    ]
    return Dictionary(
        Type=Name.Page,
        MediaBox=Array([Object.parse(str(side).encode()) for side in size]),
        Resources=Dictionary(Font=Dictionary(embedded)),
        Contents=pdf.make_stream(content),
    )


# --- The page's content: millimetres, y turned upwards ---


def _content(face: Face, cuts: Mapping[Typeface, "_Cut"]) -> Iterator[str]:
    scale = _number(POINTS_PER_MM)
    yield f"q {scale} 0 0 {scale} 0 0 cm"
    height = face.page_height
    for item in (*face.background, *face.body):
        if isinstance(item, Rule):
            yield _stroke(item, height)
        else:
            yield _text(item, height, cuts[item.typeface])
    yield _code(face.code, height)
    yield "Q"


def _stroke(rule: Rule, height: float) -> str:
    start = f"{_number(rule.x1)} {_number(height - rule.y1)} m"
    end = f"{_number(rule.x2)} {_number(height - rule.y2)} l"
    return f"{_colour(rule.colour)} RG {_number(rule.width)} w {start} {end} S"


def _text(run: TextRun, height: float, cut: "_Cut") -> str:
    place = f"1 0 0 1 {_number(run.x)} {_number(height - run.baseline)} Tm"
    font = f"/{_RESOURCE[run.typeface]} {_number(run.size)} Tf"
    return f"BT {_colour(run.colour)} rg {font} {place} [{_shown(run, cut)}] TJ ET"


def _shown(run: TextRun, cut: "_Cut") -> str:
    """Character numbers, and where an advance is not the glyph's own, by how much it is less."""
    parts: list[str] = []
    numbers = ""
    for character, advance in zip(run.text, run.advances, strict=True):
        number = cut.numbers[character]
        numbers += f"{number:04X}"
        tighter = cut.widths[number] - advance * 1000 / run.size  # thousandths of the em
        if abs(tighter) >= _SEEN:
            parts.append(f"<{numbers}> {_number(tighter)}")
            numbers = ""
    return " ".join([*parts, f"<{numbers}>"] if numbers else parts)


def _code(code: CodeSquare, height: float) -> str:
    side = code.side / len(code.modules)
    squares = (
        f"{_number(code.x + column * side)} {_number(height - code.y - (row + 1) * side)} "
        f"{_number(length * side)} {_number(side)} re"
        for column, row, length in qr.dark_runs(code.modules)
    )
    # One path: where two squares touch, no reader draws a seam.
    return f"{_colour(BLACK)} rg\n" + "\n".join(squares) + " f"


def _colour(colour: tuple[int, int, int]) -> str:
    return " ".join(_number(part / 255) for part in colour)


def _number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".") or "0"


# --- Fonts ---


@dataclass(frozen=True, slots=True)
class _Cut:
    """A subset of a typeface: its file, its characters by number, their glyphs and their widths.

    Number 0 is `.notdef`; `glyphs` and `widths` are by character number.
    """

    file: bytes
    numbers: Mapping[str, int]
    glyphs: tuple[int, ...]
    widths: tuple[float, ...]


def _cuts(face: Face) -> dict[Typeface, _Cut]:
    characters: dict[Typeface, set[str]] = {}
    for item in (*face.background, *face.body):
        if isinstance(item, TextRun):
            characters.setdefault(item.typeface, set()).update(item.text)
    return {
        typeface: _cut(typeface, sorted(characters[typeface])) for typeface in sorted(characters)
    }


def _cut(typeface: Typeface, characters: list[str]) -> _Cut:
    text = "".join(characters)
    file = fonts.subset(typeface, text)
    glyphs = (0, *fonts.glyph_ids(file, text))
    widths = fonts.glyph_widths(file)
    return _Cut(
        file=file,
        numbers={c: number for number, c in enumerate(characters, 1) if glyphs[number]},
        glyphs=glyphs,
        widths=tuple(widths[glyph] for glyph in glyphs),
    )


def _font(pdf: Pdf, typeface: Typeface, cut: _Cut) -> Object:
    name = Name(f"/{_tag(cut.numbers)}+{fonts.FONT_FILES[typeface].postscript_name}")
    descendant = Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=name,
        CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
        CIDToGIDMap=pdf.make_stream(b"".join(glyph.to_bytes(2) for glyph in cut.glyphs)),
        DW=1000,
        W=Array([0, Array([round(width) for width in cut.widths])]),
        FontDescriptor=pdf.make_indirect(_descriptor(pdf, typeface, cut, name)),
    )
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=name,
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(descendant)]),
            ToUnicode=pdf.make_stream(_to_unicode(cut.numbers)),
        )
    )


def _descriptor(pdf: Pdf, typeface: Typeface, cut: _Cut, name: Name) -> Object:
    measured, file = fonts.metrics(typeface), fonts.FONT_FILES[typeface]
    return Dictionary(
        Type=Name.FontDescriptor,
        FontName=name,
        FontFamily=String(file.family),
        Flags=_SYMBOLIC | (_SERIF if file.serif else 0),
        FontBBox=Array(measured.bounding_box),
        ItalicAngle=0,
        Ascent=measured.ascent,
        Descent=measured.descent,
        CapHeight=measured.cap_height,
        StemV=_STEM[typeface],
        FontFile2=pdf.make_stream(cut.file, Length1=len(cut.file)),
    )


def _tag(characters: Iterable[str]) -> str:
    """Six letters that name a subset (ISO 32000-1 §9.6.4)."""
    digest = hashlib.sha256("".join(characters).encode()).digest()
    return "".join(chr(ord("A") + byte % 26) for byte in digest[:6])


def _to_unicode(numbers: Mapping[str, int]) -> bytes:
    """The number → Unicode map (ISO 32000-1 §9.10.3), at most 100 pairs a block."""
    pairs = list(numbers.items())
    lines = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def",
        "/CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    for start in range(0, len(pairs), 100):
        block = pairs[start : start + 100]
        lines.append(f"{len(block)} beginbfchar")
        lines += [f"<{number:04X}> <{c.encode('utf-16-be').hex().upper()}>" for c, number in block]
        lines.append("endbfchar")
    lines += ["endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"]
    return "\n".join(lines).encode("ascii")
