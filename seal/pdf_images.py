"""Pictures of a face as image XObjects (ISO 32000-1 §8.9.5): JPEG as it is, PNG unpacked.

Colours are DeviceRGB or DeviceGray, which the output intent makes sRGB; no picture is smoothed.
"""

from io import BytesIO

from pikepdf import Name, Object, Pdf
from PIL import Image

from seal.pdf_streams import add_stream, deflated
from seal.pictures import media_type


def add_image(pdf: Pdf, content: bytes) -> Object:
    """Add the picture `content`, as `seal.pictures.cleaned` makes it, to `pdf`."""
    with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as picture:
        if media_type(content) == "image/jpeg":
            return pdf.make_stream(content, **_told(picture), Filter=Name.DCTDecode)
        if picture.mode != "RGBA":
            return add_stream(pdf, deflated(picture.tobytes()), **_told(picture))
        colours, alpha = picture.convert("RGB"), picture.getchannel("A")
    mask = add_stream(pdf, deflated(alpha.tobytes()), **_told(alpha))
    return add_stream(pdf, deflated(colours.tobytes()), **_told(colours), SMask=mask)


def _told(picture: Image.Image) -> dict[str, object]:
    return {
        "Type": Name.XObject,
        "Subtype": Name.Image,
        "Width": picture.width,
        "Height": picture.height,
        "ColorSpace": Name.DeviceGray if picture.mode == "L" else Name.DeviceRGB,
        "BitsPerComponent": 8,
    }
