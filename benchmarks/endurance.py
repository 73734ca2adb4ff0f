"""Twenty thousand licences in one process, as OFD and as PDF: does its memory grow?

It takes minutes, so it runs only when it is named: ./run bench endurance.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.documents import issuers
from benchmarks.measuring import Measurement

_LOOKED_AT = (1_000, 10_000, 20_000)
_PAGE_KIB = 4


def measurements() -> Iterator[Measurement]:
    """Yield a line for each format; the note has the resident memory in MiB."""
    issue_ofd, issue_pdf = issuers()
    yield _endured("OFD issue: lay out, write, stamp", issue_ofd)
    yield _endured("PDF issue: lay out, write, stamp", issue_pdf)


def _endured(what: str, issue: Callable[[], bytes]) -> Measurement:
    began, told, issued = time.thread_time(), [], 0
    for number in _LOOKED_AT:
        for _ in range(number - issued):
            issue()
        issued = number
        told.append(f"{_resident()} MiB after {number}")
    return Measurement(what, issued, time.thread_time() - began, ", ".join(told))


def _resident() -> int:
    """Return the resident memory of this process in MiB (proc(5), statm)."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * _PAGE_KIB // 1024
