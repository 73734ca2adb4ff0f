"""One PDF page under construction, measured in millimetres from the top left: what PDFium then draws.

It is never kept or sent: no fonts, no structure, only paths and pictures.
"""

import zlib
from io import BytesIO

from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream
from PIL import Image

from keys.errors import DomainError

POINTS_PER_MM = 72 / 25.4
MAX_OPERATORS = 6 * 1024 * 1024
"""Characters. A page full of small print takes about three million."""
MAX_WRITES = 40_000
"""Objects, and what stands around groups of them."""
MAX_PIXELS = 48_000_000
"""Of all pictures on the page together."""

_FASTEST = 1
_PIXELS_OF_A_CHARACTER = 1000  # are coloured in the time that one character takes


class PageTooRich(DomainError):
    """There is more on the page than is worth drawing."""

    code = "ofd.page_too_rich"


class Canvas:
    """Collects operators (ISO 32000-1 annex A) and pictures. Raises PageTooRich beyond the limits."""

    def __init__(self, width: float, height: float, dpi: int = 150) -> None:
        """Start a page of that size in mm, to be drawn at `dpi`."""
        self.area = width * height
        self._characters_of_mm2 = (dpi / 25.4) ** 2 / _PIXELS_OF_A_CHARACTER
        self._size = width * POINTS_PER_MM, height * POINTS_PER_MM
        self._written = [f"{POINTS_PER_MM:.6f} 0 0 {-POINTS_PER_MM:.6f} 0 {self._size[1]:.4f} cm"]
        self._length = self._pixels = 0
        self._pdf = Pdf.new()
        self._pictures = Dictionary()
        self._looks = Dictionary()

    @property
    def room(self) -> int:
        """How many more characters of operators it takes."""
        return MAX_OPERATORS - self._length

    def spend(self, characters: float) -> None:
        """Count what takes as long to draw as so many characters."""
        self._length += int(characters)
        if self._length > MAX_OPERATORS:
            raise PageTooRich

    def cover(self, area: float) -> None:
        """Count so many mm² of the page that are coloured."""
        self.spend(min(max(area, 0.0), self.area) * self._characters_of_mm2)

    def write(self, operators: str) -> None:
        """Add operators; lengths are mm, y downwards."""
        self.spend(len(operators))
        if len(self._written) > MAX_WRITES:
            raise PageTooRich
        self._written.append(operators)

    def picture(self, picture: Image.Image) -> str:
        """Take in a picture; return the operators that draw it in the unit square below the origin."""
        self._pixels += picture.width * picture.height
        if self._pixels > MAX_PIXELS:
            raise PageTooRich
        layers = picture.convert("RGBA")
        opaque = self._layer(layers.getchannel("A"), Name.DeviceGray)
        image = self._layer(layers.convert("RGB"), Name.DeviceRGB)
        image.SMask = opaque
        name = f"/P{len(self._pictures)}"
        self._pictures[name] = image
        return f"q 1 0 0 -1 0 1 cm {name} Do Q"

    def look(self, fill: float = 1, stroke: float = 1, *, multiply: bool = False) -> str:
        """Return the operator that sets opacity (0–1), and whether what is below shines through."""
        mode = Name.Multiply if multiply else Name.Normal
        name = f"/L{round(fill * 255)}-{round(stroke * 255)}{'m' if multiply else ''}"
        self._looks[name] = Dictionary(ca=fill, CA=stroke, BM=mode)
        return f"{name} gs"

    def pdf(self) -> bytes:
        """Return the page as a PDF."""
        with self._pdf as pdf:
            pdf.add_blank_page(page_size=self._size)
            page = pdf.pages[0].obj
            page.MediaBox = Array([0, 0, *(round(side, 4) for side in self._size)])
            page.Resources = Dictionary(XObject=self._pictures, ExtGState=self._looks)
            page.Contents = pdf.make_stream("\n".join(self._written).encode())
            out = BytesIO()
            pdf.save(out, compress_streams=False)
            return out.getvalue()

    def _layer(self, layer: Image.Image, space: Object) -> Stream:
        stream = self._pdf.make_stream(zlib.compress(layer.tobytes(), _FASTEST))
        stream.Type, stream.Subtype = Name.XObject, Name.Image
        stream.Width, stream.Height = layer.width, layer.height
        stream.ColorSpace, stream.BitsPerComponent = space, 8
        stream.Filter = Name.FlateDecode
        return stream
