"""Run the rules over a prepared document: what fails them never meets a real key."""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from keys.errors import DomainError
from seal.lint import (
    attachments,
    code,
    dates,
    entries,
    fields,
    fonts,
    sizes,
    stamp_place,
    verified,
)
from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome

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
