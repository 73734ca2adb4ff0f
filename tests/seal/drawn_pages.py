"""Small OFD pages written by hand, drawn, and asked what is where: ten pixels are a millimetre."""

from collections.abc import Mapping

from PIL import Image

from seal import ofd_package
from seal.ofd_picture import draw

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
_DPI = 254
_SPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def page(
    objects: str,
    resources: str = "",
    files: Mapping[str, bytes] | None = None,
    *,
    width: int = 50,
) -> bytes:
    """Return an OFD with one page, 40 mm high; `resources` is what stands in Res."""
    parts = {
        "OFD.xml": f"<ofd:OFD {_SPACE}><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>"
        "</ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {_SPACE}><ofd:CommonData><ofd:PageArea>"
        f"<ofd:PhysicalBox>0 0 {width} 40</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:DocumentRes>Res.xml</ofd:DocumentRes></ofd:CommonData>"
        '<ofd:Pages><ofd:Page ID="1" BaseLoc="Page.xml"/></ofd:Pages></ofd:Document>',
        "Doc_0/Res.xml": f'<ofd:Res {_SPACE} BaseLoc="Res">{resources}</ofd:Res>',
        "Doc_0/Page.xml": f'<ofd:Page {_SPACE}><ofd:Content><ofd:Layer ID="2" DrawParam="90">'
        f"{objects}</ofd:Layer></ofd:Content></ofd:Page>",
    }
    named = {f"Doc_0/Res/{name}": content for name, content in (files or {}).items()}
    return ofd_package.write({name: xml.encode() for name, xml in parts.items()} | named)


def drawn(
    objects: str, resources: str = "", files: Mapping[str, bytes] | None = None
) -> Image.Image:
    return draw(page(objects, resources, files), dpi=_DPI)


def box(x: float, y: float, width: float, height: float, inside: str, **attributes: str) -> str:
    """Return a path object with what is `inside` it, filled unless told otherwise."""
    told = {"Fill": "true", "Stroke": "false"} | attributes
    listed = " ".join(f'{name}="{value}"' for name, value in told.items())
    return f'<ofd:PathObject Boundary="{x} {y} {width} {height}" {listed}>{inside}</ofd:PathObject>'


def filled(colour: str, path: str) -> str:
    return f'<ofd:FillColor Value="{colour}"/><ofd:AbbreviatedData>{path}</ofd:AbbreviatedData>'


def square(side: float) -> str:
    return f"M 0 0 L {side} 0 L {side} {side} L 0 {side} C"


def colour(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """Return the colour of a place in mm."""
    found = picture.getpixel((round(x * 10), round(y * 10)))
    assert isinstance(found, tuple)
    return found


def inked(picture: Image.Image, x: float, y: float, width: float, height: float) -> bool:
    """Say whether anything but white is in a box."""
    left, top, right, bottom = (round(mm * 10) for mm in (x, y, x + width, y + height))
    return picture.convert("L").crop((left, top, right, bottom)).getextrema() != (255, 255)
