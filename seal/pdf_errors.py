"""Why a PDF cannot be stamped."""

from keys.errors import DomainError


class PdfNotExtendable(DomainError):
    """The bytes are no PDF that can be read and extended."""

    code = "pdf_seal.unreadable"


class PdfFieldTaken(DomainError):
    """The signature field of that name is filled already, or is none for a signature."""

    code = "pdf_seal.field_taken"


class PdfLocked(DomainError):
    """An earlier signature certified the PDF against every change."""

    code = "pdf_seal.locked"


class PdfFieldNotReserved(DomainError):
    """The PDF is certified, and has no empty field reserved for this signature.

    A new field, which could cover anything on the page, would break the certification.
    """

    code = "pdf_seal.field_not_reserved"


class PdfCertifiedLate(DomainError):
    """Only the first signature can certify a PDF (ISO 32000-1 §12.8.2.2)."""

    code = "pdf_seal.certified_late"


class PdfRidingLate(DomainError):
    """A riding seal is drawn on several pages, which an earlier signature, or one field, forbids."""

    code = "pdf_seal.riding_late"


class PdfNoRoom(DomainError):
    """The signature turned out longer than the room kept for it; `needed` and `kept` are in bytes."""

    code = "pdf_seal.no_room"
