"""Nothing travels along that the document does not name (夹带): a seal would speak for it unseen."""

from collections.abc import Iterator

from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome


def check(specimen: Specimen, _expected: Expected) -> Iterator[Finding]:
    for name in specimen.unreferenced:
        yield Finding("entries", Outcome.FAILED, "lint.entries.unreferenced", name)
