"""What reading a sealed file found: one finding a check, no bare boolean.

The steps follow GB/T 38540-2020 §7.3 and GM/T 0031-2014 §6: each has its own outcome and code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

CLOCK_SKEW = timedelta(minutes=5)
"""Clocks of signers and verifiers differ; more than this is a statement about the future."""


class Outcome(StrEnum):
    """How one check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's answer. `code` is stable and dotted; `part` names the file entry, page or field."""

    check: str
    outcome: Outcome
    code: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class SealFinding:
    """What one seal or signature in the file says, and how each check on it ended."""

    seal_name: str
    signer_name: str
    signer_certificate: bytes
    signed_at: datetime | None
    algorithm: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SealReport:
    """The whole report on one OFD or PDF. `attachments` maps name to content as found in the file."""

    format: str
    seals: tuple[SealFinding, ...]
    findings: tuple[Finding, ...]
    attachments: tuple[tuple[str, bytes], ...]

    def all_findings(self) -> tuple[Finding, ...]:
        return self.findings + tuple(f for seal in self.seals for f in seal.findings)

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of any check; a file without a seal is `failed`."""
        return worst(self.all_findings())


_WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.WARNING, Outcome.OK)


def worst(findings: Iterable[Finding]) -> Outcome:
    """Return the worst outcome among `findings`; `failed` where nothing was found out."""
    found = {finding.outcome for finding in findings} or {Outcome.FAILED}
    return next(outcome for outcome in _WORST_FIRST if outcome in found)
