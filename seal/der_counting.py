"""How many elements a stranger's list has, told before any of them is parsed.

asn1crypto makes an object of each element, however small: a list of some ten thousand bytes takes it
seconds.
"""

from asn1crypto import parser

MOST_ELEMENTS = 256
"""More signers of one seal, or certificates with one signature, were never seen."""


def check_count(contents: bytes) -> None:
    """Check that the contents of a SEQUENCE OF or SET OF hold no more. Raises `ValueError`."""
    for _ in range(MOST_ELEMENTS):
        if not contents:
            return
        contents = contents[parser.peek(contents) :]
    if contents:
        raise ValueError("too long a list")
