"""Every datum is printed, whole."""

from collections.abc import Iterator

from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome


def check(specimen: Specimen, expected: Expected) -> Iterator[Finding]:
    """Compare without white space: how a value is broken into lines says nothing."""
    everything = _bare(specimen.text)
    for name, value in expected.fields.items():
        where = _bare(specimen.printed[name]) if name in specimen.printed else everything
        if _bare(value) not in where:
            yield Finding("fields", Outcome.FAILED, "lint.fields.missing", name)


def _bare(text: str) -> str:
    return "".join(text.split())
