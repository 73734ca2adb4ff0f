"""The numbers people and organisations are known by: their form, their check characters, their masks.

GB 11643 (resident identity number), GB 32100 (统一社会信用代码) with the GB 11714 organisation code
inside it. Nothing here says that a number was ever given out.
"""

import re
from datetime import date

from keys.errors import DomainError


class NumberWrong(DomainError):
    """A number cannot be one; the code says why. The number itself is never told."""

    code = "number"


class ResidentIdForm(NumberWrong):
    """Not seventeen digits and a digit or X."""

    code = "number.resident_id.form"


class ResidentIdDate(NumberWrong):
    """The birth date inside is no date."""

    code = "number.resident_id.date"


class ResidentIdCheck(NumberWrong):
    """The check character does not fit the rest."""

    code = "number.resident_id.check"


class UsccForm(NumberWrong):
    """Not eighteen characters of the alphabet of GB 32100."""

    code = "number.uscc.form"


class UsccCheck(NumberWrong):
    """The check character does not fit the rest."""

    code = "number.uscc.check"


class UsccOrganisation(NumberWrong):
    """The organisation code inside (characters 9 to 17) has a wrong check character."""

    code = "number.uscc.organisation"


_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_RESIDENT_ID_CHECKS = "10X98765432"

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(rf"[{_USCC_ALPHABET}]{{18}}")

_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS = "0123456789X"

# A character with the selectors that choose its variant (Unicode 23.4).
_CHARACTER = re.compile("(?s:.)[\ufe00-\ufe0f\U000e0100-\U000e01ef]*")


def resident_id(text: str) -> str:
    """Return the 18-character resident identity number, with a capital X (GB 11643-1999).

    Raises NumberWrong: form, then date, then check.
    """
    number = text.strip().upper()
    if not _RESIDENT_ID.fullmatch(number):
        raise ResidentIdForm
    try:
        date.fromisoformat(number[6:14])
    except ValueError:
        raise ResidentIdDate from None
    # ISO/IEC 7064 MOD 11-2: the weight of a digit is 2 to the power of its place from the right.
    total = sum(int(digit) << place for place, digit in zip(range(17, 0, -1), number, strict=False))
    if number[-1] != _RESIDENT_ID_CHECKS[total % 11]:
        raise ResidentIdCheck
    return number


def uscc(text: str) -> str:
    """Return the 18-character 统一社会信用代码 in capitals (GB 32100-2015).

    Raises NumberWrong: form, then check, then the organisation code inside.
    """
    code = text.strip().upper()
    if not _USCC.fullmatch(code):
        raise UsccForm
    values = [_USCC_ALPHABET.index(character) for character in code]
    total = sum(value * pow(3, place, 31) for place, value in enumerate(values[:-1]))
    if values[-1] != -total % 31:
        raise UsccCheck
    if not _organisation_code_fits(code[8:17]):
        raise UsccOrganisation
    return code


def mask_name(name: str) -> str:
    """Return a person's name with all but its first character hidden: 张䶮 → 张*.

    The dot of 阿卜杜·热合曼 stays; a variation selector goes with the character it varies.
    """
    characters = _CHARACTER.findall(name.strip())
    return "".join(c if place == 0 or c == "·" else "*" for place, c in enumerate(characters))


def mask_number(number: str) -> str:
    """Return a number with its middle hidden: three characters before, four after; short ones whole."""
    if len(number) < 11:
        return "*" * len(number)
    return number[:3] + "*" * (len(number) - 7) + number[-4:]


def _organisation_code_fits(code: str) -> bool:
    """Say whether the ninth character of a GB 11714 organisation code fits the first eight."""
    values = [_ORGANISATION_ALPHABET.index(character) for character in code[:8]]
    total = sum(w * v for w, v in zip(_ORGANISATION_WEIGHTS, values, strict=True))
    return code[8] == _ORGANISATION_CHECKS[-total % 11]
