"""Another system that knows people by a keyed hash in place of their number, and the key we share."""

import hmac
import unicodedata
from dataclasses import dataclass, field

PERSON_JOB = "recognise_person"
EVERYBODY_JOB = "recognise_everybody"
"""The jobs of `nodes.national_recognition`: a person's handles anew, and those that anybody lacks."""

SHORTEST_KEY = 32
_USE = b"yinxin national recognition 1"


@dataclass(frozen=True, slots=True)
class Partner:
    """Another system, and the key (32 bytes or more) that it and we have agreed on."""

    name: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise ValueError(f"the key of {self.name} is shorter than {SHORTEST_KEY} bytes")

    def handle(self, number: str, name: str) -> bytes:
        """The 32 bytes that stand for a person between us: HMAC-SHA256 over number and name.

        The name counts in its composed form (Unicode NFC), which both sides hold whatever was typed.
        """
        told = (number, unicodedata.normalize("NFC", name))
        parts = b"".join(len(p).to_bytes(2) + p for p in (text.encode() for text in told))
        return hmac.digest(self.key, _USE + parts, "sha256")
