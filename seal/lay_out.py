"""A form and its values become a face: what stands where on each of its pages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import urlsplit

from keys.errors import DomainError
from seal import qr
from seal.continuation import flow
from seal.face import Box, CodeSquare, Face, Page, Picture, Rule, TextRun, Typeface
from seal.pictures import cleaned, size
from seal.template import (
    Align,
    CodePlace,
    Continuation,
    FaceTemplate,
    Sheet,
    Slot,
    Style,
)
from seal.typesetting import FieldTooLong, set_text


class FieldMissing(DomainError):
    """The form needs `field` and it has no value."""

    code = "face.field_missing"


class PictureMissing(DomainError):
    """The form needs the picture `field` and there is none."""

    code = "face.picture_missing"


def lay_out(
    template: FaceTemplate,
    values: Mapping[str, str],
    code_text: str,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> Face:
    """Return the face of one licence.

    `values` are the texts as printed, `pictures` files (PNG or JPEG) as they were sent; those the
    form has no place for are not printed. A value too long for its place goes on to a
    continuation page where the form has one. Without a `code_text` no code is printed.

    Raises `FieldMissing`, `FieldTooLong`, `GlyphMissing`, `PictureMissing`, `seal.qr.CodeTooLong`,
    and `seal.qr.PictureUnreadable` or `PictureTooLarge` for a picture.
    """
    spilt: list[Slot] = []
    first, *others = (
        _page(sheet, values, pictures, template.continuation, spilt) for sheet in template.sheets
    )
    pages = [_coded(first, template.code, code_text) if code_text else first, *others]
    if template.continuation:
        pages += _continued(template.continuation, spilt, values, pictures)
    return Face(template.title, tuple(pages), template.seal)


def _coded(page: Page, place: CodePlace, text: str) -> Page:
    """Return `page` with the code of `text`, and the words under it in the form."""
    rows = qr.modules(text)
    code = CodeSquare(place.x, place.y, place.side, rows, text)
    legend = _legend(place, urlsplit(text).netloc, len(rows))
    return replace(page, background=(*page.background, *legend), code=code)


def _page(
    sheet: Sheet,
    values: Mapping[str, str],
    pictures: Mapping[str, bytes],
    further: Continuation | None,
    spilt: list[Slot],
) -> Page:
    """Return one page, and add to `spilt` the slots whose value goes on elsewhere."""
    return Page(
        width=sheet.width,
        height=sheet.height,
        background=_form(sheet),
        body=tuple(_body(sheet, values, further, spilt)),
        pictures=tuple(_pictures(sheet, pictures)),
    )


def _continued(
    further: Continuation,
    spilt: Sequence[Slot],
    values: Mapping[str, str],
    pictures: Mapping[str, bytes],
) -> Iterator[Page]:
    for text in flow(further, spilt, values):
        page = _page(further.sheet, values, pictures, None, [])
        yield replace(page, body=page.body + text)


def _body(
    sheet: Sheet, values: Mapping[str, str], further: Continuation | None, spilt: list[Slot]
) -> Iterator[TextRun]:
    for slot in sheet.slots:
        text = values.get(slot.field, "").strip()
        if not text:
            if slot.required:
                raise FieldMissing(field=slot.field)
            continue
        try:
            yield from set_text(text, slot.box, slot.style, slot.field)
        except FieldTooLong:
            if further is None or not slot.caption:
                raise
            spilt.append(slot)
            yield from set_text(further.notice, slot.box, slot.style)


def _pictures(sheet: Sheet, given: Mapping[str, bytes]) -> Iterator[Picture]:
    """Yield each picture as large as its place allows, in the middle of it."""
    for place in sheet.pictures:
        if place.field not in given:
            if place.required:
                raise PictureMissing(field=place.field)
            continue
        content = cleaned(given[place.field])
        width, height = size(content)
        scale = min(place.box.width / width, place.box.height / height)
        yield Picture(
            x=place.box.x + (place.box.width - width * scale) / 2,
            y=place.box.y + (place.box.height - height * scale) / 2,
            width=width * scale,
            height=height * scale,
            content=content,
            field=place.field,
            says=place.says,
        )


@lru_cache(maxsize=64)
def _form(sheet: Sheet) -> tuple[TextRun | Rule, ...]:
    labels = (set_text(label.text, label.box, label.style) for label in sheet.labels)
    return (*sheet.rules, *(run for runs in labels for run in runs))


@lru_cache(maxsize=64)
def _legend(place: CodePlace, host: str, modules: int) -> tuple[TextRun, ...]:
    """The words under the code: what to do with it, and whose page it opens."""
    quiet = qr.QUIET_ZONE * place.side / modules
    y, width = place.y + place.side + quiet, place.side + 2 * quiet
    legend = Style(place.legend_size, place.legend_size, Align.CENTRE, Typeface.SERIF_BOLD)
    box = Box(place.x - quiet, y, width, place.legend_size)
    told = set_text(place.legend, box, legend)
    if not host:
        return told
    under = Style(place.host_size, place.host_size / 2, Align.CENTRE, Typeface.SANS)
    box = Box(box.x, y + 1.25 * place.legend_size, width, 1.3 * place.host_size)
    return (*told, *set_text(host, box, under, "code"))
