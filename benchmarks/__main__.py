"""Run every benchmark that takes seconds, or those named (`keys.journal`), or a package of them (`keys`)."""

import sys
from importlib import import_module
from pkgutil import walk_packages

import benchmarks

_ONLY_WHEN_NAMED = {"endurance"}
"""What takes minutes."""

_NOT_BENCHMARKS = {"__main__", "measuring", "scratch", "idp.load", "idp.servers"}


def main(wanted: list[str]) -> None:
    """Print a table for each benchmark."""
    found = walk_packages(benchmarks.__path__, f"{benchmarks.__name__}.")
    names = [module.name.partition(".")[2] for module in found if not module.ispkg]
    names = [name for name in names if name not in _NOT_BENCHMARKS]
    usual = [name for name in names if name not in _ONLY_WHEN_NAMED]
    chosen = [name for name in names if _is_among(name, wanted)] if wanted else usual
    unknown = [one for one in wanted if not any(_is_among(name, [one]) for name in names)]
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(names)}")
    for name in chosen:
        _print_table(name)


def _is_among(name: str, wanted: list[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in wanted)


def _print_table(name: str) -> None:
    module = import_module(f"{benchmarks.__name__}.{name}")
    print(f"\n{name}: {str(module.__doc__).splitlines()[0]}\n")
    print(f"{'what':40} {'runs':>8} {'ms each':>10} {'a second':>10}")
    for taken in module.measurements():
        line = f"{taken.what:40} {taken.runs:8} {taken.milliseconds:10.3f} {taken.per_second:10.0f}"
        print(f"{line}  {taken.note}".rstrip(), flush=True)


main(sys.argv[1:])
