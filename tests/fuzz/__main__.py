"""Fuzz one target with atheris: `python -m tests.fuzz TARGET [SECONDS]` (targets: `tests/fuzz/targets.py`).

The corpus grows in `var/fuzz/TARGET`; bytes that break a reader are left there as `crash-…`.
"""

import hashlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["seal", "asn1crypto", "pyhanko"]):
    from tests.fuzz.targets import TARGETS, run

_SLOWEST_SECONDS = 10
_MOST_MEGABYTES = 1024
_LONGEST = 256 * 1024


def main(name: str = "", seconds: str = "60") -> None:
    """Fuzz for so many seconds; the exit code is libFuzzer's."""
    if name not in TARGETS:
        raise SystemExit(f"no target {name!r}; there are: {', '.join(TARGETS)}")
    target = TARGETS[name]
    corpus = Path("var/fuzz") / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    limits = {
        "max_total_time": seconds,
        "timeout": _SLOWEST_SECONDS,
        "rss_limit_mb": _MOST_MEGABYTES,
        "max_len": _LONGEST,
        # Seeds that differ in one entry run the same lines: each is a start of its own all the same.
        "keep_seed": 1,
        "artifact_prefix": f"{corpus}/",
        "print_final_stats": 1,
    }
    arguments = [f"-{option}={value}" for option, value in limits.items()]
    atheris.Setup([sys.argv[0], *arguments, str(corpus)], lambda data: run(target, data))
    atheris.Fuzz()


main(*sys.argv[1:3])
