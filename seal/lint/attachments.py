"""The data files are inside, byte for byte."""

from collections.abc import Iterator

from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome


def check(specimen: Specimen, expected: Expected) -> Iterator[Finding]:
    for name, content in expected.attachments:
        if (name, content) not in specimen.attachments:
            yield Finding("attachments", Outcome.FAILED, "lint.attachments.differ", name)
