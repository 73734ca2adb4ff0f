"""Page objects of an OFD painted on a canvas (GB/T 33190-2016 §8–§13), in the order of the document.

An object that does not make sense is left out and the rest is painted: what matters to a reader is
what a page shows, and whether it is sound is for the verifier to say.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from itertools import chain

from lxml import etree
from PIL import Image

from seal.ofd_glyphs import Glyphs
from seal.ofd_pages import numbers
from seal.ofd_path_data import read_path, span
from seal.ofd_resource_reading import Resources
from seal.ofd_text import origins
from seal.ofd_xml import child, children, descendants, local_name, parse, text
from seal.pdf_canvas import Canvas, PageTooRich
from seal.pdf_paths import operators
from seal.seal_outline import Segment

MAX_DEPTH = 24
MAX_PICTURE_PIXELS = 36_000_000
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "JPEG2000")
_OPAQUE = 255
_CAPS = {"Butt": 0, "Round": 1, "Square": 2}
_JOINS = {"Miter": 0, "Round": 1, "Bevel": 2}
_LINE_WIDTH = 0.353
_UNITS_OF_ITALIC = 0.2
_DASH_COST = 16
# What the numbers and references of an object that makes no sense end in.
_SENSELESS = (ValueError, KeyError, OverflowError)


def open_picture(content: bytes) -> Image.Image:
    """Return a stranger's raster picture. Raises `ValueError` for none, or one too large to draw."""
    try:
        with Image.open(BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > MAX_PICTURE_PIXELS:
                raise ValueError("picture")
            return opened.convert("RGBA")
    except (OSError, SyntaxError, Image.DecompressionBombError) as broken:
        raise ValueError("picture") from broken


@dataclass(frozen=True, slots=True)
class Painter:
    """Paints objects of one document. `settings` are the parameters of the layer, outermost last.

    `scaled` says that lengths here are not those of the page: in units, and in pictures of seals.
    """

    canvas: Canvas
    resources: Resources
    glyphs: Glyphs
    settings: tuple[etree._Element, ...] = ()
    depth: int = 0
    scaled: bool = False

    def page(self, content: bytes, part: str) -> None:
        """Paint the layers of a page or template. Raises PageTooRich, NotAnOfd."""
        for layer in children(parse(content, part), "Content", "Layer"):
            self.block(layer)

    def block(self, block: etree._Element) -> None:
        """Paint what is in a layer, an appearance or a page block."""
        if self.depth > MAX_DEPTH:
            raise PageTooRich
        inside = replace(self, settings=self._parameters(block), depth=self.depth + 1)
        for element in block:
            if element.get("Visible", "true") != "false":
                inside._paint(element)

    # --- Objects ---

    def _paint(self, element: etree._Element) -> None:
        match local_name(element):
            case "PathObject":
                self._object(element, self._path(element))
            case "TextObject":
                self._object(element, self._text(element))
            case "ImageObject":
                self._object(element, self._image(element))
            case "CompositeObject":
                self._unit(element)
            case "PageBlock":
                self.block(element)

    def _object(self, element: etree._Element, drawn: Iterable[str]) -> None:
        """Paint an object in its own space: clipped to its Boundary, under its CTM (§8.5)."""
        room, written = self.canvas.room, []
        try:
            for operator in chain(self._space(element), drawn, ("Q",)):
                room -= len(operator)
                if room < 0:
                    raise PageTooRich
                written.append(operator)
        except _SENSELESS:
            return
        self.canvas.write("\n".join(written))

    def _path(self, element: etree._Element) -> Iterator[str]:
        found = child(element, "AbbreviatedData")
        data = (found.text or "") if found is not None else ""
        fill = _is(element, "Fill", default=False)
        stroke = _is(element, "Stroke", default=True)
        path = read_path(data)
        yield from self._colours(element)
        if stroke:
            yield from self._dashes(element, span(path))
        self.canvas.cover(self._covered(element, path))
        yield from operators(path)
        yield _painted(fill, stroke, element.get("Rule") == "Even-Odd")

    def _covered(self, element: etree._Element, path: tuple[Segment, ...]) -> float:
        """Return how many mm² a path may colour: what lies around it, within its Boundary."""
        if self.scaled:
            return self.canvas.area
        _, _, width, height = numbers(element.get("Boundary", ""))
        if element.get("CTM", "").strip() or _is(element, "Stroke", default=True):
            return width * height
        points = [point for segment in path for point in segment.points]
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return min(width * height, (max(xs) - min(xs)) * (max(ys) - min(ys)))

    def _text(self, element: etree._Element) -> Iterator[str]:
        (size,) = numbers(element.get("Size", ""))
        (stretch,) = numbers(element.get("HScale", "1"))
        (turn,) = numbers(element.get("CharDirection", "0"))
        a, b, c, d = _TURNS[int(turn) % 360]
        slant = _UNITS_OF_ITALIC if _is(element, "Italic", default=False) else 0.0
        paint = _painted(_is(element, "Fill", default=True), _is(element, "Stroke", default=False))
        yield from self._colours(element, size)
        matrix = (a * size * stretch, b * size * stretch, c * size - slant * size, d * size)
        shape = " ".join(f"{number:.5f}" for number in matrix)
        for character, glyph, x, y in _placed(element):
            path = self.glyphs.path(element.get("Font", ""), character, glyph)
            if path:
                yield f"q {shape} {x:.4f} {y:.4f} cm {path} {paint} Q"

    def _image(self, element: etree._Element) -> Iterator[str]:
        picture = open_picture(self.resources.media[element.get("ResourceID", "")])
        yield self.canvas.picture(picture)

    def _unit(self, element: etree._Element) -> None:
        """Paint a composite object (§13): its unit is drawn as if it stood here."""
        unit = self.resources.units.get(element.get("ResourceID", ""))
        content = child(unit, "Content") if unit is not None else None
        if content is None:
            return
        try:
            space = list(self._space(element))
        except _SENSELESS:
            return
        self.canvas.write("\n".join(space))
        replace(self, scaled=True).block(content)
        self.canvas.write("Q")

    # --- What objects have in common ---

    def _space(self, element: etree._Element) -> Iterator[str]:
        yield "q"
        x, y, width, height = numbers(element.get("Boundary", ""))
        yield f"1 0 0 1 {x:.4f} {y:.4f} cm 0 0 {width:.4f} {height:.4f} re W n"
        ctm = element.get("CTM", "")
        if ctm.strip():
            a, b, c, d, e, f = numbers(ctm)
            yield f"{a:.6f} {b:.6f} {c:.6f} {d:.6f} {e:.6f} {f:.6f} cm"
        for area in children(element, "Clips", "Clip", "Area"):
            yield from _clip(area)

    def _colours(self, element: etree._Element, em: float = 1.0) -> Iterator[str]:
        """Yield colour, opacity and pen; `em` is the size of what is drawn in units of its own."""
        places = (element, *self._parameters(element))
        (alpha,) = numbers(element.get("Alpha", str(_OPAQUE)))
        opacity = []
        for name, letters in (("FillColor", ("g", "rg", "k")), ("StrokeColor", ("G", "RG", "K"))):
            colour = next((c for place in places if (c := child(place, name)) is not None), None)
            values, own = _colour(colour)
            yield f"{' '.join(f'{value:.4f}' for value in values)} {letters[_SPACES[len(values)]]}"
            opacity.append(_share(alpha) * own)
        if min(opacity) < 1:
            yield self.canvas.look(*opacity)
        yield from _pen(partial(_setting, places), em)

    def _dashes(self, element: etree._Element, length: float) -> Iterator[str]:
        """Yield the dash pattern of a line of that length; every dash takes time to draw."""
        setting = partial(_setting, (element, *self._parameters(element)))
        dashes = numbers(setting("DashPattern", ""))
        if dashes and min(dashes) >= 0 and sum(dashes) > 0:
            (offset,) = numbers(setting("DashOffset", "0"))
            self.canvas.spend((length + abs(offset)) / sum(dashes) * len(dashes) * _DASH_COST)
            yield f"[{' '.join(f'{dash:.4f}' for dash in dashes)}] {abs(offset):.4f} d"

    def _parameters(self, element: etree._Element) -> tuple[etree._Element, ...]:
        """Return the parameters an element names, those they are relative to, and the layer's."""
        named: list[etree._Element] = []
        parameters = self.resources.draw_params.get(element.get("DrawParam", ""))
        while parameters is not None and parameters not in named:
            named.append(parameters)
            parameters = self.resources.draw_params.get(parameters.get("Relative", ""))
        return (*named, *self.settings)


_SPACES = {1: 0, 3: 1, 4: 2}
# The directions of a character (§11.1), clockwise, as the first four numbers of a matrix.
_TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}


def _placed(lines: etree._Element) -> Iterator[tuple[str, int, float, float]]:
    """Yield each character of a TextObject, its glyph number (0: by the cmap) and its origin."""
    x = y = 0.0
    given: dict[int, tuple[int, list[int]]] = {}
    for element in lines:
        if local_name(element) == "CGTransform":
            given |= _given(element)
        elif local_name(element) == "TextCode":
            (x,) = numbers(element.get("X", str(x)))
            (y,) = numbers(element.get("Y", str(y)))
            drawn = list(_drawn(element.text or "", given))
            places = origins(element, len(drawn), x, y)
            for (character, glyph), place in zip(drawn, places, strict=False):
                yield character, glyph, *place
            given = {}


def _given(element: etree._Element) -> dict[int, tuple[int, list[int]]]:
    """Read a CGTransform (§11.4): from a position on, so many units of text are these glyphs."""
    count = int(element.get("CodeCount", "1"))
    glyphs = [int(word) for word in text(element, "Glyphs").split()]
    return {int(element.get("CodePosition", "0")): (count, glyphs)}


def _drawn(words: str, given: dict[int, tuple[int, list[int]]]) -> Iterator[tuple[str, int]]:
    # Positions count UTF-16 units, as readers in Java and JavaScript do.
    at = skipped = 0
    for character in words:
        if at in given:
            count, glyphs = given[at]
            skipped = at + max(count, 0)
            yield from ((character, glyph) for glyph in glyphs)
        elif at >= skipped:
            yield character, 0
        at += 2 if character > "\uffff" else 1


def _setting(places: tuple[etree._Element, ...], name: str, usual: str) -> str:
    return next((value for place in places if (value := place.get(name))), usual)


def _pen(setting: "partial[str]", em: float) -> Iterator[str]:
    (width,) = numbers(setting("LineWidth", str(_LINE_WIDTH)))
    (limit,) = numbers(setting("MiterLimit", "3.528"))
    cap, join = _CAPS.get(setting("Cap", ""), 0), _JOINS.get(setting("Join", ""), 0)
    yield f"{abs(width) / (em or 1):.5f} w {cap} J {join} j {max(limit, 1):.3f} M"


def _clip(area: etree._Element) -> Iterator[str]:
    for path in children(area, "Path"):
        found = child(path, "AbbreviatedData")
        x, y, *_ = numbers(path.get("Boundary", "0 0"))
        yield f"1 0 0 1 {x:.4f} {y:.4f} cm"
        yield from operators(read_path((found.text or "") if found is not None else ""))
        yield f"W n 1 0 0 1 {-x:.4f} {-y:.4f} cm"


def _colour(element: etree._Element | None) -> tuple[tuple[float, ...], float]:
    """Return grey, RGB or CMYK, and opacity, each 0–1; of a shading its first colour (§8.3)."""
    if element is None:
        return (0.0,), 1.0
    (alpha,) = numbers(element.get("Alpha", str(_OPAQUE)))
    told = element.get("Value", "")
    if not told:
        told = next((c.get("Value", "") for c in descendants(element, "Color")), "")
    values = tuple(_component(word) for word in told.replace(",", " ").split())
    return (values if len(values) in _SPACES else (0.0,)), _share(alpha)


def _component(word: str) -> float:
    return _share(float(int(word[1:], 16)) if word.startswith("#") else numbers(word)[0])


def _share(value: float) -> float:
    return min(max(value / _OPAQUE, 0.0), 1.0)


def _painted(fill: bool, stroke: bool, even_odd: bool = False) -> str:
    if not fill:
        return "S" if stroke else "n"
    return ("B" if stroke else "f") + ("*" if even_odd else "")


def _is(element: etree._Element, name: str, *, default: bool) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}.get(element.get(name, ""), default)
