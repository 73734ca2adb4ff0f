"""The text of an OFD with its place on the page, and which object prints which datum.

Text is taken from TextCode (GB/T 33190-2016 §11.3), templates included, and placed in page space:
millimetres from the top left corner, y downwards. No font is opened; where the advance of a line's
last character matters, an ideograph is one em wide and anything else half an em.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from seal.ofd_document import structure
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_pages import numbers, pages
from seal.ofd_xml import children, descendants, local_name, parse, resolve, text

MAX_CHARACTERS = 1_000_000
_NO_CHANGE = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_WIDE = frozenset("WF")

_Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of text in its box: (x, y) is the top left corner, the height is the em, all in mm.

    `page` counts from 0. The baseline of level text is at y + height. `starts` has the x of each
    character. `object_id` is the ST_ID of its TextObject.
    """

    page: int
    text: str
    x: float
    y: float
    width: float
    height: float
    object_id: str
    starts: tuple[float, ...] = ()


def read_text(package: Package) -> tuple[TextLine, ...]:
    """Return every line of text, page by page, in the order drawn.

    A text object that gives no sound numbers is left out. Raises `NotAnOfd` for a document without
    pages, unreadable ones, or more than `MAX_CHARACTERS`.
    """
    found: list[TextLine] = []
    characters = 0
    for number, page in enumerate(pages(package)):
        for part in page.layers:
            for element in descendants(parse(package.entries[part], part), "TextObject"):
                characters += sum(len(code.text or "") for code in children(element, "TextCode"))
                if characters > MAX_CHARACTERS:
                    raise NotAnOfd("too_large", part)
                with suppress(ValueError):
                    found += _object(element, number)
    return tuple(found)


def find(lines: Iterable[TextLine], keyword: str) -> tuple[TextLine, ...]:
    """Return the box of every occurrence of `keyword`, in reading order of each page.

    Neighbours on one line are read together, since some writers make an object of each character.
    """
    found = []
    for line in _joined(lines):
        at = line.text.find(keyword) if keyword else -1
        while at >= 0:
            found.append(_part(line, at, at + len(keyword)))
            at = line.text.find(keyword, at + len(keyword))
    return tuple(found)


def tagged(package: Package) -> Mapping[str, tuple[tuple[int, str], ...]]:
    """Return, for each datum a custom tag names, the page (from 0) and ST_ID of each object printing it.

    The name is the attribute Name of the element around the ObjectRefs, or the element's own name
    (§16; schemas differ from writer to writer). References to no page are left out.
    """
    order = {page.id: number for number, page in enumerate(pages(package))}
    found: dict[str, list[tuple[int, str]]] = {}
    for part in _tag_parts(package):
        for reference in descendants(parse(package.entries[part], part), "ObjectRef"):
            datum, page = reference.getparent(), reference.get("PageRef", "")
            if datum is not None and page in order:
                name = datum.get("Name") or local_name(datum)
                found.setdefault(name, []).append((order[page], text(reference)))
    return {name: tuple(objects) for name, objects in found.items()}


def objects_box(lines: Iterable[TextLine], objects: Iterable[tuple[int, str]]) -> TextLine | None:
    """Return the box around the lines of these objects on the page of the first, or None without any."""
    wanted = set(objects)
    drawn = [line for line in lines if (line.page, line.object_id) in wanted]
    on_page = [line for line in drawn if line.page == drawn[0].page]
    if not on_page:
        return None
    left, top = min(line.x for line in on_page), min(line.y for line in on_page)
    right = max(line.x + line.width for line in on_page)
    bottom = max(line.y + line.height for line in on_page)
    words = "".join(line.text for line in on_page)
    first = on_page[0]
    return TextLine(first.page, words, left, top, right - left, bottom - top, first.object_id)


def _tag_parts(package: Package) -> Iterator[str]:
    for name, kind in structure(package).reached.items():
        if kind == "CustomTags":
            yield from _files_of(package, name)


def _files_of(package: Package, name: str) -> Iterator[str]:
    for tag in children(parse(package.entries[name], name), "CustomTag"):
        part = resolve(text(tag, "FileLoc"), name)
        if part in package.entries:
            yield part


def _object(element: etree._Element, page: int) -> Iterator[TextLine]:
    """Yield a line for each TextCode; X and Y are those of the one before where they are not given."""
    left, top, *_ = numbers(element.get("Boundary", ""))
    matrix = _matrix(element.get("CTM", ""))
    (size,) = numbers(element.get("Size", ""))
    x = y = 0.0
    for code in children(element, "TextCode"):
        (x,) = numbers(code.get("X", str(x)))
        (y,) = numbers(code.get("Y", str(y)))
        words = code.text or ""
        if words.strip():
            starts = list(origins(code, len(words), x, y))
            yield _line(
                page,
                words,
                size,
                starts,
                (*matrix[:4], matrix[4] + left, matrix[5] + top),
                element,
            )


def _line(
    page: int,
    words: str,
    size: float,
    starts: list[tuple[float, float]],
    matrix: _Matrix,
    element: etree._Element,
) -> TextLine:
    """Return the upright box, in page space, around em squares that stand on the characters' origins."""
    last_x, last_y = starts[-1]
    end = (last_x + size * _ems(words[-1]), last_y)
    corners = [_moved(matrix, x, y - up) for x, y in (*starts, end) for up in (0.0, size)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return TextLine(
        page=page,
        text=words,
        x=min(xs),
        y=min(ys),
        width=max(xs) - min(xs),
        height=max(ys) - min(ys),
        object_id=element.get("ID", ""),
        starts=tuple(_moved(matrix, x, y)[0] for x, y in starts),
    )


def origins(code: etree._Element, count: int, x: float, y: float) -> Iterator[tuple[float, float]]:
    """Yield where each of `count` characters of a TextCode that starts at (x, y) has its origin.

    In object space; raises `ValueError` for distances that are no numbers.
    """
    across, down = (
        _distances(code.get("DeltaX", ""), count),
        _distances(code.get("DeltaY", ""), count),
    )
    yield x, y
    for _ in range(count - 1):
        x, y = x + next(across, 0.0), y + next(down, 0.0)
        yield x, y


def _distances(value: str, count: int) -> Iterator[float]:
    """Read DeltaX or DeltaY: `g n v` stands for n times v (§11.3). Never more than are used."""
    words = iter(value.split())
    read: list[float] = []
    while len(read) < count and (word := next(words, None)) is not None:
        if word != "g":
            read += numbers(word)
            continue
        times, distance = numbers(" ".join(islice(words, 2)))
        read += [distance] * min(int(times), count)
    return iter(read)


def _matrix(value: str) -> _Matrix:
    if not value.strip():
        return _NO_CHANGE
    a, b, c, d, e, f = numbers(value)
    return a, b, c, d, e, f


def _moved(matrix: _Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def _ems(character: str) -> float:
    return 1.0 if unicodedata.east_asian_width(character) in _WIDE else 0.5


def _joined(lines: Iterable[TextLine]) -> Iterator[TextLine]:
    """Yield the lines in reading order, those that go on where another ends made one with it."""
    ordered = sorted(lines, key=lambda line: (line.page, round(line.y + line.height), line.x))
    pieces: list[TextLine] = []
    for line in ordered:
        if pieces and not _goes_on(pieces[-1], line):
            yield _whole(pieces)
            pieces = []
        pieces.append(line)
    if pieces:
        yield _whole(pieces)


def _goes_on(line: TextLine, after: TextLine) -> bool:
    gap = after.x - (line.x + line.width)
    level = abs(after.y + after.height - line.y - line.height) < line.height / 4
    return line.page == after.page and level and abs(gap) < line.height / 2


def _whole(pieces: list[TextLine]) -> TextLine:
    first, last = pieces[0], pieces[-1]
    top = min(line.y for line in pieces)
    return TextLine(
        page=first.page,
        text="".join(line.text for line in pieces),
        x=first.x,
        y=top,
        width=last.x + last.width - first.x,
        height=max(line.y + line.height for line in pieces) - top,
        object_id=first.object_id,
        starts=tuple(start for line in pieces for start in line.starts),
    )


def _part(line: TextLine, start: int, end: int) -> TextLine:
    left = line.starts[start]
    right = line.starts[end] if end < len(line.starts) else line.x + line.width
    return TextLine(
        page=line.page,
        text=line.text[start:end],
        x=min(left, right),
        y=line.y,
        width=abs(right - left),
        height=line.height,
        object_id=line.object_id,
        starts=line.starts[start:end],
    )
