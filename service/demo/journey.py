"""A walk told step by step: each step has a name, an outcome and its milliseconds.

The demo and the journey tests share it, so what is shown is what is tested.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Step:
    """One step of a walk. `outcome` is `done` or `failed`; `told` is its one-line result."""

    name: str
    outcome: str = "failed"
    milliseconds: int = 0
    told: str = ""


@dataclass(slots=True)
class Journey:
    """The steps walked so far; `say` prints a line a step."""

    say: Callable[[str], None]
    steps: list[Step] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time one step. An error inside marks it failed, is told, and goes on up."""
        step = Step(name)
        self.steps.append(step)
        started = time.perf_counter()
        try:
            yield step
            step.outcome = "done"
        finally:
            step.milliseconds = round((time.perf_counter() - started) * 1000)
            mark = "✓" if step.outcome == "done" else "✗"
            self.say(f"  {mark} {step.name}  {step.told}  ({step.milliseconds} ms)")

    def write(self, path: Path) -> None:
        """Write `{"outcome": …, "steps": […]}` as JSON."""
        done = all(step.outcome == "done" for step in self.steps)
        told = {
            "outcome": "done" if done else "failed",
            "steps": [asdict(step) for step in self.steps],
        }
        path.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
