"""The live-person check (实人认证): is the person in front of the camera the one on the register's photo?

The provider fetches the photo for each check and compares; neither it nor any template of a face or
a voice ever comes to us. The person does the check on the provider's page.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import Field

from idp.sources.line import Answer, Line


class LiveMethod(StrEnum):
    """How: face, voiceprint, or a clerk on video, who then is named."""

    FACE = "face"
    VOICE = "voice"
    VIDEO = "video"


class LiveOutcome(StrEnum):
    """How it ended, if it has."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A check that waits for the person at `url`."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class LiveResult:
    """What came out: the score and the threshold (0 to 1) it was held against, of which version.

    `liveness` says that a living person was there (the gestures asked for were made); `decided_by`
    names the clerk of a video check, and is `algorithm` otherwise.
    """

    reference: str
    outcome: LiveOutcome
    method: LiveMethod
    liveness: bool
    score: float
    threshold: float
    threshold_version: str
    decided_by: str


class LivePerson(Protocol):
    """The port. Raises `SourceUnavailable` when there is no answer to rely on."""

    def begin(
        self, number: str, name: str, method: LiveMethod, purpose: str, return_url: str = ""
    ) -> LiveSession: ...

    def result(self, session_id: str) -> LiveResult: ...


_Share = Annotated[float, Field(ge=0, le=1)]


class _Session(Answer):
    id: str
    url: str


class _Result(Answer):
    reference: str
    outcome: LiveOutcome
    method: LiveMethod
    liveness: bool
    score: _Share
    threshold: _Share
    threshold_version: str
    decided_by: str


class HttpLivePerson:
    """The provider over HTTP."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def begin(
        self, number: str, name: str, method: LiveMethod, purpose: str, return_url: str = ""
    ) -> LiveSession:
        """Open a check of the person of this number; they go to its `url` and back to `return_url`.

        `purpose` is one sentence that the person reads there.
        """
        question = {
            "number": number,
            "name": name,
            "method": method,
            "purpose": purpose,
            "return_url": return_url,
        }
        answer = self._line.ask("/live-person/sessions", question, _Session)
        return LiveSession(answer.id, answer.url)

    def result(self, session_id: str) -> LiveResult:
        """Ask how the check of this session ended."""
        answer = self._line.ask("/live-person/results", {"session": session_id}, _Result)
        return LiveResult(**answer.model_dump())
