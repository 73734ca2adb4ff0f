"""The codes that people read on one screen and type on another (RFC 8628 §6.1).

Twenty letters without vowels spell no words, and none looks like a digit; eight of them are 34
bits, enough behind the throttle of `device_approval`.
"""

import unicodedata
from collections.abc import Callable

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8
_EVEN = 256 - 256 % len(LETTERS)


def make(random: Callable[[int], bytes]) -> str:
    """A fresh code, `XXXX-XXXX`; every letter is as likely as any other."""
    letters = ""
    while len(letters) < _LENGTH:
        # Bytes beyond a whole number of alphabets would favour its first letters.
        letters += "".join(LETTERS[b % len(LETTERS)] for b in random(_LENGTH) if b < _EVEN)
    return shown(letters[:_LENGTH])


def read(typed: str) -> str | None:
    """The code that was typed, or `None` for what cannot be one.

    Neither case nor hyphens nor spaces count, nor the wide letters of Chinese keyboards.
    """
    plain = unicodedata.normalize("NFKC", typed[:64]).upper()
    letters = "".join(character for character in plain if character.isalnum())
    if len(letters) != _LENGTH or not set(letters) <= set(LETTERS):
        return None
    return shown(letters)


def shown(letters: str) -> str:
    """The letters in two groups."""
    return f"{letters[:4]}-{letters[4:]}"
