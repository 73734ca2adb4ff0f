"""A face becomes a tagged PDF/A-3b file (ISO 19005-3), written by hand on pikepdf.

The same face makes the same bytes. The seal is not drawn here: it is the appearance of the
signature (`seal.pdf_seal`).
"""

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO

import pikepdf
from pikepdf import (
    Array,
    Dictionary,
    Name,
    Object,
    ObjectStreamMode,
    Pdf,
    StreamDecodeLevel,
)

from seal.face import Attachment, DocumentInfo, Face, Page, Rule, TextRun, Typeface
from seal.pdf_content import POINTS_PER_MM, Canvas, draw_body, draw_form, draw_marks, number
from seal.pdf_fonts import Characters, all_characters, embed, form_characters
from seal.pdf_images import add_image
from seal.pdf_metadata import attach, write_metadata, write_output_intent
from seal.pdf_streams import add_stream, deflated
from seal.pdf_structure import Content, write_structure
from seal.reading_order import Block, blocks, in_order

__all__ = ["POINTS_PER_MM", "write_pdf"]

_CODE_SAYS = "二维码"
_PICTURE_SAYS = "照片"


def write_pdf(face: Face, info: DocumentInfo, attachments: tuple[Attachment, ...] = ()) -> bytes:
    """Return the PDF/A-3b file of `face`, carrying `attachments`.

    Every character must have its glyph, as `seal.lay_out` makes sure; raises KeyError otherwise.
    """
    with Pdf.new() as pdf:
        form = form_characters(face)
        characters = all_characters(face, form)
        fonts = Dictionary(embed(pdf, characters))
        tagged = []
        for page in face.pages:
            canvas = Canvas.of(page.height, characters)
            drawn, contents = _page(pdf, page, form, canvas)
            drawn.Resources.Font = fonts
            pdf.pages.append(pikepdf.Page(drawn))
            tagged.append((drawn, contents))
        write_structure(pdf, tagged)
        write_metadata(pdf, info)
        write_output_intent(pdf)
        attach(pdf, attachments, info)
        out = BytesIO()
        # Plain objects and a plain cross-reference table: what the pickiest reader reads.
        pdf.save(
            out,
            force_version="1.7",
            object_stream_mode=ObjectStreamMode.disable,
            compress_streams=False,
            stream_decode_level=StreamDecodeLevel.none,
            deterministic_id=True,
            fix_metadata_version=False,
        )
    return out.getvalue()


def _page(
    pdf: Pdf, page: Page, form: Characters, canvas: Canvas
) -> tuple[Object, Sequence[Content]]:
    """Return a page without its fonts, and what it says in reading order."""
    shared, captions = _form(page.background, page.height, tuple(form.items()))
    texts = blocks(page.body)
    images = {f"Im{at}": add_image(pdf, p.content) for at, p in enumerate(page.pictures, 1)}
    streams = [shared, deflated(draw_body(canvas, page, texts, tuple(images), len(captions)))]
    if page.marks:
        streams.insert(0, deflated(draw_marks(canvas, page.marks)))
    sides = [number(side * POINTS_PER_MM).encode() for side in (page.width, page.height)]
    resources = Dictionary()
    if images:
        resources.XObject = Dictionary({f"/{name}": image for name, image in images.items()})
    drawn = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, *map(Object.parse, sides)]),
        Resources=resources,
        Contents=Array(add_stream(pdf, stream) for stream in streams),
    )
    return pdf.make_indirect(drawn), _contents(page, (*captions, *texts))


@lru_cache(maxsize=16)
def _form(
    background: tuple[TextRun | Rule, ...],
    height: float,
    characters: tuple[tuple[Typeface, str], ...],
) -> tuple[bytes, tuple[Block, ...]]:
    """Return the deflated content of a form, which most licences of a type share, and its captions."""
    rules = [item for item in background if isinstance(item, Rule)]
    captions = blocks(item for item in background if isinstance(item, TextRun))
    canvas = Canvas.of(height, dict(characters))
    return deflated(draw_form(canvas, rules, captions)), captions


def _contents(page: Page, said: Sequence[Block]) -> Sequence[Content]:
    """Text in reading order, then the pictures and the code; numbered as they are drawn."""
    contents = [Content(at) for at in in_order(said)]
    figures = [picture.says or _PICTURE_SAYS for picture in page.pictures]
    if page.code:
        figures.append(_CODE_SAYS)
    return [*contents, *(Content(at, says) for at, says in enumerate(figures, len(said)))]
