"""What the pages of an OFD refer to by number: embedded fonts (§11.1) and pictures (§10.1)."""

from collections.abc import Mapping

from lxml import etree

from seal.face import Face, Typeface
from seal.fonts import FONT_FILES, subset
from seal.ofd_drawing import EmbeddedFont
from seal.ofd_xml import add, new_root
from seal.pictures import media_type


class Ids:
    """The ST_IDs of one document, over pages, layers, objects and resources alike (§7.2)."""

    def __init__(self, largest: int = 0) -> None:
        self.largest = largest

    def next(self) -> str:
        """Return the next unused number."""
        self.largest += 1
        return str(self.largest)


def embedded_fonts(face: Face, ids: Ids) -> dict[Typeface, EmbeddedFont]:
    """Cut a font for each typeface of `face`, with all its characters.

    One font a typeface, not one for the form and one for the licence: there are readers that go
    by FontName and would take one for the other.
    """
    texts: dict[Typeface, set[str]] = {}
    for run in face.runs:
        texts.setdefault(run.typeface, set()).update(run.text)
    return {
        typeface: EmbeddedFont(ids.next(), subset(typeface, "".join(sorted(texts[typeface]))))
        for typeface in Typeface
        if typeface in texts
    }


def media(face: Face, ids: Ids) -> dict[bytes, str]:
    """Number the pictures of `face`, each file once."""
    files = dict.fromkeys(picture.content for page in face.pages for picture in page.pictures)
    return {content: ids.next() for content in files}


def font_resources(fonts: Mapping[Typeface, EmbeddedFont]) -> etree._Element:
    """Return PublicRes.xml."""
    root = new_root("Res", BaseLoc="Res")
    listed = add(root, "Fonts")
    for typeface, embedded in fonts.items():
        file = FONT_FILES[typeface]
        # Readers that ignore the embedded file look the typeface up by this name.
        names = {"FontName": file.system_name, "FamilyName": file.system_name}
        weight = {"Bold": "true"} if file.bold else {}
        font = add(listed, "Font", ID=embedded.id, **names, **weight)
        add(font, "FontFile", font_name(embedded))
    return root


def media_resources(pictures: Mapping[bytes, str]) -> etree._Element:
    """Return DocumentRes.xml."""
    root = new_root("Res", BaseLoc="Res")
    listed = add(root, "MultiMedias")
    for content, number in pictures.items():
        form = media_type(content).rpartition("/")[2].upper()
        entry = add(listed, "MultiMedia", ID=number, Type="Image", Format=form)
        add(entry, "MediaFile", media_name(content, number))
    return root


def font_name(font: EmbeddedFont) -> str:
    """Return the name of a font's file in the folder Res."""
    return f"font_{font.id}.ttf"


def media_name(content: bytes, number: str) -> str:
    """Return the name of a picture's file in the folder Res."""
    return f"image_{number}.{media_type(content).rpartition('/')[2]}"
