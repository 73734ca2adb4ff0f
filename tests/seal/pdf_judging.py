"""Signed PDFs bent on purpose, and the words their reports are judged by."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from seal import pdf_verify
from seal.ground import Ground
from seal.report import Outcome, SealReport
from tests.seal.face_builders import SIGNED_AT

NOW = SIGNED_AT + timedelta(days=2)
YEAR = timedelta(days=365)
_CONTENTS = re.compile(rb"/Contents\s*<([0-9a-fA-F]{256,})>")


def codes(report: SealReport) -> set[str]:
    return {finding.code for finding in report.all_findings()}


def failures(report: SealReport) -> set[str]:
    return {f.code for f in report.all_findings() if f.outcome is Outcome.FAILED}


def troubles(pdf: bytes, ground: Ground, at: datetime = NOW) -> set[tuple[str, str]]:
    """Return what is not in order: (outcome, code)."""
    report = pdf_verify.verify(pdf, ground, at)
    return {(f.outcome.value, f.code) for f in report.all_findings() if f.outcome is not Outcome.OK}


def room(pdf: bytes) -> tuple[int, int]:
    """Return where the hexadecimal of the last signature's contents begins and ends."""
    *_, last = _CONTENTS.finditer(pdf)
    return last.span(1)


def contents(pdf: bytes) -> bytes:
    start, end = room(pdf)
    return bytes.fromhex(pdf[start:end].decode())


def with_contents(pdf: bytes, content: bytes) -> bytes:
    """Return the file with other contents in its last signature, and all else as it was."""
    start, end = room(pdf)
    digits = content.hex().encode()
    assert len(digits) <= end - start
    return pdf[:start] + digits.ljust(end - start, b"0") + pdf[end:]


def signed_again(pdf: bytes, make: Callable[[bytes], bytes]) -> bytes:
    """Return the file with the last signature made anew over its bytes as they are now."""
    start, end = room(pdf)
    return with_contents(pdf, make(pdf[: start - 1] + pdf[end + 1 :]))


def sha256(covered: bytes) -> bytes:
    return hashlib.sha256(covered).digest()


def extended(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], Any]) -> bytes:
    """Return the file with an incremental update that nobody signed."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def drawn_over(writer: IncrementalPdfFileWriter) -> None:
    content = generic.StreamObject(stream_data=b"1 0 0 rg 0 0 400 400 re f")
    writer.add_stream_to_page(0, writer.add_object(content))
