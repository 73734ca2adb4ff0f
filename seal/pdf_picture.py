"""What a seal looks like on a PDF page: its picture at its true size, and nothing else.

No text, so no font, and a PDF/A file stays one.
"""

import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Any

from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.stamp import BaseStampStyle

from seal.pdf_places import UPRIGHT, Turn


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a PDF wants it: deflated colours and opacity, 8 bits each."""

    width: int
    height: int
    colours: bytes
    opacity: bytes


@lru_cache(maxsize=64)
def read_png(png: bytes) -> Picture:
    """Return the picture in a PNG. Raises what Pillow raises for another kind of file."""
    with Image.open(BytesIO(png), formats=("PNG",)) as opened:
        layers = opened.convert("RGBA")
    return Picture(
        layers.width,
        layers.height,
        zlib.compress(layers.convert("RGB").tobytes(), 9),
        zlib.compress(layers.getchannel("A").tobytes(), 9),
    )


Crop = tuple[float, float, float, float]
"""A part of a picture: left, top, width and height as shares of the whole."""

WHOLE: Crop = (0.0, 0.0, 1.0, 1.0)


def add_picture(writer: BasePdfFileWriter, picture: Picture) -> generic.IndirectObject:
    """Put the picture into the file, to be drawn by any number of forms."""
    mask = _layer(picture, picture.opacity, "DeviceGray")
    coloured = _layer(picture, picture.colours, "DeviceRGB", SMask=writer.add_object(mask))
    return writer.add_object(coloured)


@dataclass(frozen=True)
class SealStyle(BaseStampStyle):
    """Draws a picture of the file, or a part of it, turned by `turn` within the page."""

    image: generic.IndirectObject = field(kw_only=True)
    turn: Turn = UPRIGHT
    crop: Crop = WHOLE

    def create_stamp(
        self, writer: BasePdfFileWriter, box: BoxConstraints, text_params: dict[str, Any]
    ) -> Any:
        """Return what draws one stamp, for pyHanko's signature fields."""
        return _SealStamp(writer, self, float(box.width), float(box.height))

    def draw(
        self,
        writer: BasePdfFileWriter,
        annotation: generic.DictionaryObject,
        width: float,
        height: float,
    ) -> None:
        """Give an annotation of this size in points its appearance (ISO 32000-1 §12.5.5)."""
        if self.turn[0] == 0:  # lying: its box on the page is as wide as the picture is high
            width, height = height, width
        x, y, across, down = self.crop
        whole_width, whole_height = width / across, height / down
        origin = -x * whole_width, -(1 - y - down) * whole_height
        drawn = (whole_width, 0, 0, whole_height, *origin)
        form = generic.StreamObject(
            _dictionary(
                Type=_name("XObject"),
                Subtype=_name("Form"),
                BBox=_numbers(0, 0, width, height),
                Matrix=_numbers(*self.turn),
                Resources=_dictionary(XObject=_dictionary(Seal=self.image)),
            ),
            stream_data=f"q {' '.join(map(_number, drawn))} cm /Seal Do Q".encode(),
        )
        annotation[_name("AP")] = _dictionary(N=writer.add_object(form))


@dataclass(frozen=True, slots=True)
class _SealStamp:
    writer: BasePdfFileWriter
    style: SealStyle
    width: float
    height: float

    def apply_appearance(self, annotation: generic.DictionaryObject) -> None:
        """Give the signature's widget its appearance."""
        self.style.draw(self.writer, annotation, self.width, self.height)


def _layer(
    picture: Picture, deflated: bytes, space: str, **more: generic.PdfObject
) -> generic.StreamObject:
    return generic.StreamObject(
        _dictionary(
            Type=_name("XObject"),
            Subtype=_name("Image"),
            Width=generic.NumberObject(picture.width),
            Height=generic.NumberObject(picture.height),
            ColorSpace=_name(space),
            BitsPerComponent=generic.NumberObject(8),
            Filter=_name("FlateDecode"),
            **more,
        ),
        encoded_data=deflated,
    )


def _name(name: str) -> generic.NameObject:
    return generic.NameObject(f"/{name}")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _numbers(*values: float) -> generic.ArrayObject:
    return generic.ArrayObject(generic.FloatObject(_number(value)) for value in values)


def _dictionary(**entries: generic.PdfObject) -> generic.DictionaryObject:
    return generic.DictionaryObject({_name(key): value for key, value in entries.items()})
