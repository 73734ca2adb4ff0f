"""Read a signed PDF and say, step by step, what holds (GB/T 38540-2020 §7.3 in PAdES's terms).

pyHanko reads the file and compares its revisions; the signatures, their certificates and their times
are judged as those of an OFD are. Nothing is fetched: a link in a stranger's document is not
followed.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from pyhanko.pdf_utils.reader import PdfFileReader

from seal.ground import Ground
from seal.pdf_attachments import LIMITS, read_attachments
from seal.pdf_coverage import (
    certification,
    coverage,
    earlier_revisions,
    left_over,
    signed_after,
    whole_file,
)
from seal.pdf_description import described_anew
from seal.pdf_evidence import Evidence, read_evidence
from seal.pdf_sealed import judge_cms, judge_seal, malformed, unsupported
from seal.pdf_signatures import Kind, PlacedSignature, place
from seal.pdf_stream import StrangersFile
from seal.pdf_times import FileStamp, file_stamps, horizon
from seal.report import Finding, Outcome, SealFinding, SealReport

MOST_SIGNATURES = 16
MOST_REVISIONS = 64

# It logs the names in strangers' certificates, with tracebacks; the report says what is wrong.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)

_CHECK_FORM, _CHECK_SIGNATURE = "pdf.form", "pdf.signature"


@dataclass(frozen=True, slots=True)
class _File:
    """A PDF as read; `broken` names the fields whose signature is malformed."""

    pdf: bytes
    placed: tuple[PlacedSignature, ...]
    broken: tuple[str, ...]
    evidence: Evidence
    attachments: tuple[tuple[str, bytes], ...]
    is_hybrid: bool
    revisions: int

    @classmethod
    def read(cls, pdf: bytes) -> "_File":
        stream = StrangersFile(pdf)
        reader = PdfFileReader(stream, decode_limits=LIMITS)
        found = tuple(place(reader, stream))
        return cls(
            pdf=pdf,
            placed=tuple(
                sorted(
                    (p for p in found if isinstance(p, PlacedSignature)),
                    key=attrgetter("signed_revision"),
                )
            ),
            broken=tuple(p for p in found if isinstance(p, str)),
            evidence=read_evidence(reader),
            attachments=read_attachments(reader),
            is_hybrid=bool(reader.xrefs.hybrid_xrefs_present),
            revisions=reader.xrefs.total_revisions,
        )

    @property
    def seals(self) -> tuple[PlacedSignature, ...]:
        return tuple(p for p in self.placed if p.kind is not Kind.TIME_STAMP)


def verify(pdf: bytes, ground: Ground, at: datetime) -> SealReport:
    """Return the report on `pdf`, judged by the ground at hand at the moment `at`.

    Never raises on what the bytes are: a file that cannot be read is a failed finding.
    """
    try:
        file = _File.read(pdf)
    except Exception:  # whatever a stranger's bytes do to the parser, the answer is the same
        return SealReport("PDF", (), (_failed(_CHECK_FORM, "pdf.unreadable"),), ())
    refusal = _refusal(file)
    if refusal:
        return SealReport("PDF", (), (refusal, *_left(file)), file.attachments)
    believed = file.evidence.beside(ground)
    stamps = _file_stamps(file, believed, at)
    seals = (
        *(_seal(file, placed, stamps, ground, at) for placed in file.seals),
        *map(malformed, file.broken),
    )
    return SealReport("PDF", seals, tuple(_whole(file, seals, stamps)), file.attachments)


def _refusal(file: _File) -> Finding | None:
    if len(file.placed) + len(file.broken) > MOST_SIGNATURES:
        return _failed(_CHECK_FORM, "pdf.too_many_signatures")
    if file.revisions > MOST_REVISIONS:
        return _failed(_CHECK_FORM, "pdf.too_many_revisions")
    if not file.seals and not file.broken:
        return _failed(_CHECK_SIGNATURE, "pdf.unsigned")
    return None


def _whole(
    file: _File, seals: Sequence[SealFinding], stamps: Sequence[FileStamp]
) -> Iterator[Finding]:
    if file.is_hybrid:
        yield _failed(_CHECK_FORM, "pdf.hybrid")
    else:
        yield Finding(_CHECK_FORM, Outcome.OK, "pdf.readable")
    of_stamps = [finding for stamp in reversed(stamps) for finding in stamp.findings]
    yield from whole_file([*(f for seal in seals for f in seal.findings), *of_stamps])
    yield from of_stamps
    if file.placed:
        yield from earlier_revisions(file.pdf, file.placed[0])
    yield from _left(file)


def _left(file: _File) -> Iterator[Finding]:
    yield from left_over(file.pdf, len(file.placed) + len(file.broken))


def _file_stamps(file: _File, ground: Ground, at: datetime) -> tuple[FileStamp, ...]:
    over_file = [p for p in file.placed if p.kind is Kind.TIME_STAMP]
    return file_stamps(over_file, file.placed, ground, at)


def _seal(
    file: _File,
    placed: PlacedSignature,
    stamps: Sequence[FileStamp],
    ground: Ground,
    at: datetime,
) -> SealFinding:
    try:
        later = signed_after(placed, file.placed)
        about = (
            coverage(placed, later),
            *certification(placed, placed is file.placed[0]),
            *described_anew(placed),
        )
        match placed.kind:
            case Kind.CMS:
                held = horizon(placed, stamps)
                return judge_cms(placed, about, file.evidence, held, ground, at)
            case Kind.SEAL:
                return judge_seal(placed, about, file.evidence.beside(ground), at)
            case _:
                return unsupported(placed, about)
    except Exception:  # as above, one signature at a time
        return malformed(placed.fq_name)


def _failed(check: str, code: str) -> Finding:
    return Finding(check, Outcome.FAILED, code)
