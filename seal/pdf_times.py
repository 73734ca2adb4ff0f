"""When the signatures in a PDF were surely there: time stamps over them, and over the whole file since.

Each time stamp over the file holds what lies under it: the newest is judged as of now, and every one
below as of the moment the next one proves (ETSI EN 319 102-1 §5.6.2.2 in what matters here).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from keys.time_stamp_token import read_token
from seal import time_proof
from seal.certificate_checks import is_void
from seal.ground import Ground
from seal.pdf_coverage import coverage, signed_after
from seal.pdf_signatures import PlacedSignature
from seal.report import Finding, Outcome

_CHECK = "pdf.time_stamp"


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A time stamp over the file up to a revision: `at` is None where it proves nothing."""

    revision: int
    at: datetime | None
    findings: tuple[Finding, ...]


def file_stamps(
    placed: Sequence[PlacedSignature],
    everything: Sequence[PlacedSignature],
    ground: Ground,
    now: datetime,
) -> tuple[FileStamp, ...]:
    """Judge the document time stamps among `everything` in the file, the newest first."""
    stamps: list[FileStamp] = []
    horizon = now
    for stamp in sorted(placed, key=lambda p: p.signed_revision, reverse=True):
        judged = _file_stamp(stamp, signed_after(stamp, everything), ground, horizon)
        stamps.append(judged)
        horizon = judged.at or horizon
    return tuple(stamps)


def _file_stamp(
    stamp: PlacedSignature, later: frozenset[str], ground: Ground, as_of: datetime
) -> FileStamp:
    try:
        covering = coverage(stamp, later)
        at, findings = _judged(stamp.content, stamp.covered, ground, as_of)
    except Exception:  # whatever a stranger's objects do, the answer is the same
        malformed = Finding(_CHECK, Outcome.FAILED, "seal.time_stamp.malformed", stamp.fq_name)
        return FileStamp(stamp.signed_revision, None, (malformed,))
    told = (replace(finding, part=stamp.fq_name) for finding in findings)
    proves = at if covering.outcome is not Outcome.FAILED else None
    return FileStamp(stamp.signed_revision, proves, (covering, *told))


def horizon(placed: PlacedSignature, stamps: Sequence[FileStamp]) -> datetime | None:
    """Return the earliest moment at which a time stamp over the file proves the signature there."""
    over = (stamp.at for stamp in stamps if stamp.revision > placed.signed_revision)
    return min((at for at in over if at), default=None)


def signature_stamp(
    token: bytes | None, value: bytes, ground: Ground, as_of: datetime
) -> tuple[datetime | None, tuple[Finding, ...]]:
    """Return what the time stamp over a signature's value proves, judged as of `as_of`."""
    if token is None:
        return None, (Finding(_CHECK, Outcome.OK, "seal.time_stamp.none"),)
    return _judged(token, value, ground, as_of)


def _judged(
    token: bytes, value: bytes, ground: Ground, as_of: datetime
) -> tuple[datetime | None, tuple[Finding, ...]]:
    proof = time_proof.check(token, value, ground, as_of)
    findings = (replace(proof.finding, check=_CHECK),)
    if proof.at is None:
        return None, findings
    if is_void(token, proof.at, ground, as_of):
        return None, (*findings, Finding(_CHECK, Outcome.FAILED, "pdf.time_stamp.revoked"))
    if as_of > read_token(token).signer.not_after:  # and no newer time stamp holds it
        aged = Finding(_CHECK, Outcome.WARNING, "pdf.time_stamp.expired_since")
        return proof.at, (*findings, aged)
    return proof.at, findings
