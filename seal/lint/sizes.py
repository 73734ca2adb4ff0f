"""The document stays within what readers, counters and mail take."""

from collections.abc import Iterator

from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome

MOST_BYTES = 16 * 1024 * 1024
MOST_PAGES = 200
SMALLEST_PAGE, LARGEST_PAGE = 20.0, 1200.0
"""Millimetres: from a card to a poster of A0."""


def check(specimen: Specimen, _expected: Expected) -> Iterator[Finding]:
    if len(specimen.content) > MOST_BYTES:
        yield _failed("lint.sizes.file")
    if not 0 < len(specimen.page_sizes) <= MOST_PAGES:
        yield _failed("lint.sizes.pages")
    for number, size in enumerate(specimen.page_sizes, start=1):
        if not SMALLEST_PAGE <= min(size) <= max(size) <= LARGEST_PAGE:
            yield _failed("lint.sizes.page", str(number))


def _failed(code: str, part: str = "") -> Finding:
    return Finding("sizes", Outcome.FAILED, code, part)
