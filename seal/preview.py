"""What a licence will look like, before there is a licence: a picture straight from its face."""

from seal import face_picture
from seal.face import DocumentInfo, Face
from seal.pdf_writer import write_pdf

_NOBODY = DocumentInfo(document_id="0" * 32, title="", author="", created_on="1970-01-01")


def png(face: Face, dpi: int = 150, page: int = 0) -> bytes:
    """Return a page of `face`, counted from 0, as a PNG at `dpi`, without seal.

    It is drawn by the writer that draws the PDF, so the preview shows what will be printed.
    Raises KeyError for a character without a glyph, `seal.face_picture.PdfUnreadable` for a page
    there is not.
    """
    return face_picture.png(write_pdf(face, _NOBODY), dpi, page)
