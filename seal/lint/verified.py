"""Our own verifier has nothing to say against the document under the throw-away key."""

from collections.abc import Iterator

from seal.lint.specimen import Expected, Specimen
from seal.report import Finding, Outcome


def check(specimen: Specimen, _expected: Expected) -> Iterator[Finding]:
    return (finding for finding in specimen.troubles if finding.outcome is not Outcome.OK)
