"""What registers and providers answer to a comparison: what agrees, and never what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idp.sources.line import Answer, Line


@dataclass(frozen=True, slots=True)
class Agreement:
    """The source's own reference of the check, and whether each particular agrees."""

    reference: str
    agrees: Mapping[str, bool]

    @property
    def complete(self) -> bool:
        """All of them agree."""
        return all(self.agrees.values())


class _Compared(Answer):
    reference: str
    agrees: dict[str, bool]


def compare(
    line: Line, path: str, question: Mapping[str, Any], particulars: Sequence[str]
) -> Agreement:
    """Ask which of the particulars agree. Raises `SourceUnavailable`, also when one is not told."""
    answer = line.ask(path, question, _Compared)
    if set(answer.agrees) != set(particulars):
        raise line.unavailable()
    return Agreement(answer.reference, answer.agrees)
