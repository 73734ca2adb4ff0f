"""What the public verifier needs from outside: where the public artefacts come from, and the time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from verification.sources import Sources
from verification.turns import Turns


@dataclass(frozen=True, slots=True)
class Verifier:
    """The collaborators of a verdict, built once.

    `clock` gives aware UTC in whole seconds. `public_url` is the address printed in our codes,
    without a final slash; a code that links elsewhere is judged all the same and warned of.
    `turns` limits how many files are judged at a time, whichever door they came by.
    """

    sources: Sources
    clock: Callable[[], datetime]
    public_url: str
    turns: Turns = field(default_factory=Turns)
