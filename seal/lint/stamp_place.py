"""A stamp lies on its page, and not over a printed code: a scanner could no longer read it."""

from collections.abc import Iterator

from seal.lint.specimen import Area, Expected, Specimen
from seal.report import Finding, Outcome

CLEAR = 1.0
"""Millimetres left free around a code."""

_TOLERANCE = 0.01


def check(specimen: Specimen, _expected: Expected) -> Iterator[Finding]:
    for stamp in specimen.stamps:
        if not _on_page(stamp, specimen):
            yield _failed("lint.stamp.off_page", stamp)
        elif any(stamp.overlaps(code.area, CLEAR) for code in specimen.codes):
            yield _failed("lint.stamp.over_code", stamp)


def _on_page(stamp: Area, specimen: Specimen) -> bool:
    if not 0 <= stamp.page < len(specimen.page_sizes):
        return False
    width, height = specimen.page_sizes[stamp.page]
    return (
        min(stamp.x, stamp.y) >= -_TOLERANCE
        and stamp.x + stamp.width <= width + _TOLERANCE
        and stamp.y + stamp.height <= height + _TOLERANCE
    )


def _failed(code: str, stamp: Area) -> Finding:
    return Finding("stamp", Outcome.FAILED, code, str(stamp.page + 1))
