"""Run every benchmark, or those named: each module here with a `measurements` function."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import benchmarks

_NOT_BENCHMARKS = {"__main__", "measuring"}


def main(wanted: list[str]) -> None:
    """Print a table for each benchmark."""
    names = [m.name for m in iter_modules(benchmarks.__path__) if m.name not in _NOT_BENCHMARKS]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(names)}")
    for name in wanted or names:
        module = import_module(f"benchmarks.{name}")
        print(f"\n{name}: {str(module.__doc__).splitlines()[0]}\n")
        print(f"{'what':40} {'runs':>8} {'ms each':>10} {'a second':>10}")
        for taken in module.measurements():
            print(
                f"{taken.what:40} {taken.runs:8} {taken.milliseconds:10.3f} {taken.per_second:10.0f}"
            )


main(sys.argv[1:])
