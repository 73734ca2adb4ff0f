"""What the public verifier needs from outside: where the public artefacts come from, and the time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from verification.sources import Sources


@dataclass(frozen=True, slots=True)
class Verifier:
    """The collaborators of a verdict, built once.

    `clock` gives aware UTC in whole seconds. `public_url` is the address printed in our codes,
    without a final slash; a code that links elsewhere is judged all the same and warned of.
    """

    sources: Sources
    clock: Callable[[], datetime]
    public_url: str
