"""Run the rules over a prepared document: what fails them never meets a real key."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import ClassVar

from keys.errors import DomainError
from seal.face import SealBox
from seal.lint import (
    attachments,
    code,
    dates,
    entries,
    fields,
    fonts,
    ofd,
    pdf,
    sizes,
    stamp_place,
    verified,
)
from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome
from seal.stamp_places import Place

Rule = Callable[[Specimen, Expected], Iterator[Finding]]
"""Yields a finding for each thing wrong, and nothing for a sound document."""

RULES: tuple[Rule, ...] = (
    verified.check,
    entries.check,
    fields.check,
    fonts.check,
    code.check,
    stamp_place.check,
    dates.check,
    attachments.check,
    sizes.check,
)


class DocumentUnsound(DomainError):
    """A prepared document failed the rules and was not signed: `codes` tells which."""

    code: ClassVar[str] = "seal.document_unsound"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(codes=", ".join(sorted({finding.code for finding in findings})))
        self.findings = findings


def check_ofd(
    document: bytes, seal: bytes, places: Sequence[Place], signed_at: datetime, expected: Expected
) -> tuple[Finding, ...]:
    """Return what is wrong with an OFD that is to be stamped at `places` with `seal` (DER SESeal).

    Raises what `ofd_seal.stamp` raises for a document nobody could stamp, and `SesMalformed`.
    """
    return check(ofd.specimen(document, seal, places, signed_at), expected)


def check_pdf(
    document: bytes, picture_png: bytes, box: SealBox, signed_at: datetime, expected: Expected
) -> tuple[Finding, ...]:
    """Return what is wrong with a PDF that is to be signed with the picture in `box`.

    Raises what `pdf_seal.stamp` raises for a document nobody could sign, and `PdfUnreadable`.
    """
    return check(pdf.specimen(document, picture_png, box, signed_at), expected)


def check(
    specimen: Specimen, expected: Expected, rules: Sequence[Rule] = RULES
) -> tuple[Finding, ...]:
    """Return what the rules have to say of `specimen`, in their order; nothing when it is sound."""
    return tuple(finding for rule in rules for finding in rule(specimen, expected))


def require_sound(findings: tuple[Finding, ...]) -> None:
    """Raise `DocumentUnsound` unless there is nothing, or warnings only."""
    grave = tuple(finding for finding in findings if finding.outcome is not Outcome.WARNING)
    if grave:
        raise DocumentUnsound(grave)
