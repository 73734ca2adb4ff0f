"""What a request effectively asks: as it was sent, or as the client signed it, or pushed it before."""

from collections.abc import Callable
from dataclasses import dataclass, field

from idp.id_token_hint import HintRefused
from idp.parameters import Parameters


def of_nobody(token: str) -> str:
    """The reader of hints where there can be none. Raises `HintRefused`."""
    raise HintRefused


@dataclass(frozen=True, slots=True)
class Submission:
    """The effective parameters and how they came.

    `signed`: within a request object that the client signed (RFC 9101); `pushed`: the reference of
    the pushed request (RFC 9126 §2.2). `subject_of` tells whom an ID Token of this client is about,
    and `known_as` whom this client calls by a `sub`.
    """

    parameters: Parameters
    signed: bool = False
    pushed: str | None = None
    subject_of: Callable[[str], str] = field(default=of_nobody)
    known_as: Callable[[str], str | None] = field(default=lambda sub: None)

    def get(self, name: str) -> str | None:
        """The value of a parameter, or `None` when absent, empty or repeated."""
        return self.parameters.get(name)

    def words(self, name: str) -> tuple[str, ...]:
        """The words of a list in one value."""
        return self.parameters.words(name)
