"""Licence identifiers and printed numbers: how they are composed and what proves them well formed.

The identifier has the shape of GB/T 36904, built from published identifiers: root, type (21),
issuer (18), serial, version (3) and one check character by ISO/IEC 7064 MOD 37,36 over type,
issuer, serial and version. The root and the dots are outside the check, so the root is compared.
"""

import re
from dataclasses import dataclass
from typing import Self

from license_store.errors import IdentifierWrong

ROOT = "1.2.156.3005.2"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Older files carry a six-digit division code where the issuer's USCC belongs.
_FORM = re.compile(
    r"(?P<type_code>[0-9A-Z]{18}[0-9]{3})\."
    r"(?P<issuer>[0-9A-Z]{18}|[0-9]{6})\."
    r"(?P<serial>[0-9A-Z]{1,32})\."
    r"(?P<version>[0-9]{3})\."
    r"(?P<check>[0-9A-Z])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A licence identifier (电子证照标识) without its check character, which `str()` computes."""

    type_code: str
    issuer: str
    serial: str
    version: str

    def __str__(self) -> str:
        parts = (self.type_code, self.issuer, self.serial, self.version)
        return ".".join((ROOT, *parts, mod_37_36("".join(parts))))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the identifier `text` spells. Raises `IdentifierWrong` with the part that is wrong."""
        if not text.startswith(f"{ROOT}."):
            raise IdentifierWrong(part="root")
        match = _FORM.fullmatch(text.removeprefix(f"{ROOT}."))
        if match is None:
            raise IdentifierWrong(part="form")
        *parts, check = match.group("type_code", "issuer", "serial", "version", "check")
        if mod_37_36("".join(parts)) != check:
            raise IdentifierWrong(part="check")
        return cls(*parts)


def mod_37_36(body: str) -> str:
    """Return the check character of ISO/IEC 7064 MOD 37,36 over digits and upper-case letters."""
    return _ALPHABET[_hybrid_check([_ALPHABET.index(character) for character in body], 36)]


def mod_11_10(body: str) -> str:
    """Return the check digit of ISO/IEC 7064 MOD 11,10 over decimal digits."""
    return str(_hybrid_check([int(digit) for digit in body], 10))


def _hybrid_check(values: list[int], modulus: int) -> int:
    """ISO/IEC 7064 §9, hybrid systems MOD m+1,m: the value c with (P + c) mod m = 1."""
    product = modulus
    for value in values:
        total = (product + value) % modulus or modulus
        product = 2 * total % (modulus + 1)
    return (1 - product) % modulus
