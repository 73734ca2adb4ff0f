"""The numbers people and organisations are known by: their form, their check characters, their masks.

GB 11643 (resident identity number), the numbers of the papers of people without one, GB 32100
(统一社会信用代码) with the GB 11714 organisation code inside it. Nothing here says that a number was
ever given out.
"""

import re
from datetime import date

from keys import divisions
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


class ResidentIdDivision(NumberWrong):
    """The first six digits are no division that there is or ever was."""

    code = "number.resident_id.division"


class ResidentIdPermit(NumberWrong):
    """The number is that of a residence permit, not of a resident identity card."""

    code = "number.resident_id.permit"


class ResidencePermitForm(NumberWrong):
    """The number is not that of a residence permit: it begins with other digits than 81, 82, 83."""

    code = "number.residence_permit.form"


class PermanentResidenceForm(NumberWrong):
    """Neither eighteen digits that begin with 9 nor three letters and twelve digits."""

    code = "number.permanent_residence.form"


class PermanentResidenceDate(NumberWrong):
    """The birth date inside is no date."""

    code = "number.permanent_residence.date"


class PermanentResidenceCheck(NumberWrong):
    """The check character does not fit the rest."""

    code = "number.permanent_residence.check"


class HkMacaoPermitForm(NumberWrong):
    """Not H or M and eight digits."""

    code = "number.hk_macao_permit.form"


class TaiwanPermitForm(NumberWrong):
    """Not eight digits."""

    code = "number.taiwan_permit.form"


class PassportForm(NumberWrong):
    """Not five to seventeen capital letters and digits."""

    code = "number.passport.form"


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

# Until 2023: nationality, issuing division, birth date, sequence. Its check is not published.
_PERMANENT_RESIDENCE_OLD = re.compile(r"[A-Z]{3}[0-9]{12}")
# The card of today, and the booklet of before, whose last two digits count its renewals.
_HK_MACAO_PERMIT = re.compile(r"([HM][0-9]{8})(?:[0-9]{2})?")
_TAIWAN_PERMIT = re.compile(r"[0-9]{8}")
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,17}")

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(rf"[{_USCC_ALPHABET}]{{18}}")

_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORGANISATION_CHECKS = "0123456789X"

# A character with the selectors that choose its variant (Unicode 23.4).
_CHARACTER = re.compile("(?s:.)[\ufe00-\ufe0f\U000e0100-\U000e01ef]*")


def resident_id(text: str) -> str:
    """Return the 18-character resident identity number, with a capital X (GB 11643-1999).

    Numbers of residence permits (港澳台居民居住证) are such too. Raises NumberWrong: form, then date,
    then check, then division.
    """
    number = citizen_form(text)
    if not divisions.is_known(number[:6], birthdate(number)):
        raise ResidentIdDivision
    return number


def citizen_form(text: str) -> str:
    """Return a number that has the form, a date and the check character of GB 11643, wherever it is of.

    Raises NumberWrong: form, then date, then check.
    """
    number = text.strip().upper()
    if not _RESIDENT_ID.fullmatch(number):
        raise ResidentIdForm
    try:
        birthdate(number)
    except ValueError:
        raise ResidentIdDate from None
    # ISO/IEC 7064 MOD 11-2: the weight of a digit is 2 to the power of its place from the right.
    total = sum(int(digit) << place for place, digit in zip(range(17, 0, -1), number, strict=False))
    if number[-1] != _RESIDENT_ID_CHECKS[total % 11]:
        raise ResidentIdCheck
    return number


def birthdate(number: str) -> date:
    """Return the birth date inside an 18-character number of a person. Raises ValueError."""
    return date.fromisoformat(number[6:14])


def permanent_residence(text: str) -> str:
    """Return the number of a foreign permanent resident's card.

    Of 2023: 9, issuing place, country, birth date, sequence, and the check of GB 11643; before, 15
    characters. Raises NumberWrong.
    """
    number = text.strip().upper()
    if _PERMANENT_RESIDENCE_OLD.fullmatch(number):
        return number
    if not number.startswith("9"):
        raise PermanentResidenceForm
    try:
        return citizen_form(number)
    except ResidentIdForm:
        raise PermanentResidenceForm from None
    except ResidentIdDate:
        raise PermanentResidenceDate from None
    except ResidentIdCheck:
        raise PermanentResidenceCheck from None


def hk_macao_permit(text: str) -> str:
    """Return the nine characters that stay a person's: 港澳居民来往内地通行证. Raises NumberWrong."""
    found = _HK_MACAO_PERMIT.fullmatch(text.strip().upper())
    if found is None:
        raise HkMacaoPermitForm
    return found[1]


def taiwan_permit(text: str) -> str:
    """Return the eight digits of a 台湾居民来往大陆通行证. Raises NumberWrong."""
    number = text.strip()
    if not _TAIWAN_PERMIT.fullmatch(number):
        raise TaiwanPermitForm
    return number


def passport(text: str) -> str:
    """Return the number of a passport, without the spaces some print in it. Raises NumberWrong."""
    number = text.replace(" ", "").upper()
    if not _PASSPORT.fullmatch(number):
        raise PassportForm
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
