"""The printed code can be read off the page, and says what it is to say."""

from collections.abc import Iterator

from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome


def check(specimen: Specimen, expected: Expected) -> Iterator[Finding]:
    read = {code.text for code in specimen.codes}
    if expected.code and expected.code not in read:
        code = "lint.code.differs" if read else "lint.code.unreadable"
        yield Finding("code", Outcome.FAILED, code)
