"""The picture of a seal that is applied for: drawn as the form tells, or uploaded with it."""

from collections.abc import Mapping
from types import MappingProxyType

from seal.life.impression import LARGEST
from seal.seal_design import Design, SealPictureRefused
from seal.seal_picture import draw_design
from seal.seal_sizes import Centre, Shape
from service.pages.forms import Faults
from service.pages.visit import Visit

UPLOAD = "upload"
_DRAWN_FAULTS: Mapping[str, str] = MappingProxyType(
    {"name_length": "owner_name", "purpose_length": "purpose", "size": "width"}
)
"""The field that a fault of the drawing is about; others are the picture's own."""


def picture(visit: Visit, owner_name: str, size: tuple[int, int], faults: Faults) -> bytes:
    """Return the PNG that is uploaded, or drawn in `size` (mm); or b"" and what is wrong with it."""
    if visit.typed("picture_from") == UPLOAD:
        upload = visit.uploaded("picture")
        # One byte more than allowed is enough to know; the rest is never read into memory.
        png = upload.file.read(LARGEST + 1) if upload else b""
        if not png:
            faults.add("upload", visit.t("seal_picture_fault.none"))
        return png
    shape = _shape(visit)
    design = Design(
        owner_name,
        shape,
        *size,
        centre=Centre.NONE if shape is Shape.SQUARE else Centre.STAR,
        purpose_line=visit.typed("purpose").strip(),
    )
    try:
        return draw_design(design)
    except SealPictureRefused as refused:
        reason = str(refused.parameters["reason"])
        sentence = visit.t(f"seal_picture_fault.{reason}", **refused.parameters)
        field = _DRAWN_FAULTS.get(reason, "")
        # A seal made again keeps its size: that form has no field for it.
        faults.add(field if field in visit.form else "picture_from", sentence)
        return b""


def _shape(visit: Visit) -> Shape:
    typed = visit.typed("shape")
    return Shape(typed) if typed in set(Shape) else Shape.ROUND


def size_typed(visit: Visit) -> tuple[int, int]:
    """Return the width and height typed, in mm; what is drawn has the height of its shape."""
    width = _millimetres(visit, "width")
    if visit.typed("picture_from") == UPLOAD:
        return width, _millimetres(visit, "height") or width
    return width, round(Design("", _shape(visit), width).size[1])


def _millimetres(visit: Visit, name: str) -> int:
    typed = visit.typed(name).strip()
    return int(typed) if typed.isdecimal() and len(typed) < 4 else 0
