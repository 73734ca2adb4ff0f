"""The real clock and real chance: the only place that reads them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Chance:
    """Time and chance, the two things every rule is given and none takes."""

    clock: Callable[[], datetime]
    random: Callable[[int], bytes]


def real_chance() -> Chance:
    """Return the machine's: aware UTC in whole seconds, and the operating system's randomness."""
    return Chance(lambda: datetime.now(UTC).replace(microsecond=0), secrets.token_bytes)
