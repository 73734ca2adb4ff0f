"""What a benchmark yields, and the two ways to take it: alone, and beside others in alternating slices."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Rate = Callable[[], float]
"""Takes one slice of something and returns how often a second it ran."""

_SLICES = 7
_SLICE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Measurement:
    """So many runs of one thing in so many seconds; `note` says what that is beside something else."""

    what: str
    runs: int
    seconds: float
    note: str = ""

    @property
    def per_second(self) -> float:
        return self.runs / self.seconds

    @property
    def milliseconds(self) -> float:
        return self.seconds / self.runs * 1000


def measure(what: str, run: Callable[[], object], at_least: float = 1.0) -> Measurement:
    """Run once to warm up, then again and again for `at_least` seconds."""
    run()
    return Measurement(what, *_repeat(run, at_least, time.perf_counter))


def throughput(what: str, run: Callable[[], object], size: int) -> Measurement:
    """Measure a run over `size` bytes, and note megabytes (10⁶) a second."""
    taken = measure(what, run)
    return Measurement(what, taken.runs, taken.seconds, f"{taken.per_second * size / 1e6:.1f} MB/s")


def compare(what: str, run: Callable[[], object], others: Mapping[str, Rate]) -> Measurement:
    """Measure `run` before and after a slice of each of the `others`; note the median ratio to each.

    By turns, because the clock of a shared machine drifts twofold within minutes; in seconds of
    this thread's processor time, because others use the machine too.
    """
    run()
    runs, seconds, ratios = 0, 0.0, dict[str, list[float]]((name, []) for name in others)
    for name, other in [*others.items()] * _SLICES:
        before, theirs, after = _slice(run), other(), _slice(run)
        own_runs, own_seconds = before[0] + after[0], before[1] + after[1]
        ratios[name].append(own_runs / own_seconds / theirs)
        runs, seconds = runs + own_runs, seconds + own_seconds
    note = ", ".join(f"{_times(taken)} {name}" for name, taken in ratios.items())
    return Measurement(what, runs, seconds, note)


def rate(run: Callable[[], object]) -> Rate:
    """Return what takes a slice of `run` in this thread."""

    def once() -> float:
        runs, seconds = _slice(run)
        return runs / seconds

    return once


def _slice(run: Callable[[], object]) -> tuple[int, float]:
    return _repeat(run, _SLICE_SECONDS, time.thread_time)


def _repeat(
    run: Callable[[], object], at_least: float, clock: Callable[[], float]
) -> tuple[int, float]:
    """Run until `at_least` seconds of `clock` have passed; return how often, and the seconds."""
    runs, began = 0, clock()
    while (took := clock() - began) < at_least:
        run()
        runs += 1
    return runs, took


def _times(ratios: list[float]) -> str:
    ratio = statistics.median(ratios)
    return f"{ratio:.2f} ×" if ratio < 10 else f"{ratio:.0f} ×"
