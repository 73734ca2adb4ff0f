"""Two ways to count one report: everything we look at, or what common readers look at.

Readers in the field call an OFD valid when its digests, its Seal.esl, its data hash and the
signature value hold; PDF readers also judge the signer's certificate and what came after signing.
What only `strict` counts is what they pass over in silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType

from seal.report import Finding, Outcome, SealReport, worst


class Profile(StrEnum):
    """Whose eyes a report is read with."""

    STRICT = "strict"
    COMPATIBLE = "compatible"


COMPATIBLE_CHECKS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "OFD": frozenset(
            {"signatures", "form", "digests", "seal_file", "encoding", "data_hash", "signature"}
        ),
        "PDF": frozenset(
            {
                "pdf.form",
                "pdf.signature",
                "pdf.coverage",
                "pdf.certificate",
                "pdf.revocation",
                "pdf.time",
                "pdf.time_stamp",
            }
        ),
    }
)
"""The checks common readers make, by format; a check not named here is ours alone."""

_PASSED_OVER = frozenset({"ofd.digests.weak", "ofd.digests.method_absent"})
_REFUSED = frozenset({"seal.encoding.inexact"})


def counted(report: SealReport, profile: Profile) -> tuple[Finding, ...]:
    """Return the findings that count under `profile`, in the report's order.

    What we only remark and common readers refuse is `failed` under `compatible`.
    """
    if profile is Profile.STRICT:
        return report.all_findings()
    return tuple(_as_others_see(finding) for finding in _noticed(report))


def outcome(report: SealReport, profile: Profile) -> Outcome:
    """Return the worst of what counts under `profile`."""
    return worst(counted(report, profile))


def difference(report: SealReport) -> tuple[Finding, ...]:
    """Return what is not in order and would pass unnoticed in common readers."""
    noticed = frozenset(_noticed(report))
    return tuple(
        finding
        for finding in report.all_findings()
        if finding.outcome is not Outcome.OK and finding not in noticed
    )


def _noticed(report: SealReport) -> Iterator[Finding]:
    checks = COMPATIBLE_CHECKS[report.format.upper()]
    for finding in report.all_findings():
        if finding.check in checks and finding.code not in _PASSED_OVER:
            yield finding


def _as_others_see(finding: Finding) -> Finding:
    return replace(finding, outcome=Outcome.FAILED) if finding.code in _REFUSED else finding
