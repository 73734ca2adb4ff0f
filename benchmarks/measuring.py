"""What a benchmark yields, and the one way to take it."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """So many runs of one thing in so many seconds of one thread."""

    what: str
    runs: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.runs / self.seconds

    @property
    def milliseconds(self) -> float:
        return self.seconds / self.runs * 1000


def measure(what: str, run: Callable[[], object], at_least: float = 1.0) -> Measurement:
    """Run once to warm up, then again and again for `at_least` seconds."""
    run()
    runs, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < at_least:
        run()
        runs += 1
    return Measurement(what, runs, took)
