"""JSON inside a parameter: strict, not deep, and of nothing that a database could not keep."""

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

MOST_CHARACTERS = 8 * 1024
_DEEPEST = 16


class JsonRefused(ValueError):
    """The text is not JSON of the kind taken here; the message says why and repeats nothing."""


def read(text: str, *, most: int = MOST_CHARACTERS) -> Any:
    """Return the value of a JSON text (RFC 8259).

    Refused are a member that stands twice, a number without an end, a text with a NUL or half a
    character, more than `most` characters, and what is too deep. Raises `JsonRefused`.
    """
    if len(text) > most:
        raise JsonRefused("is too long")
    try:
        value = json.loads(text, object_pairs_hook=_members, parse_constant=_no_number)
    except JsonRefused:
        raise
    except (ValueError, RecursionError):
        raise JsonRefused("is not JSON") from None
    check(value)
    return value


def check(value: Any, depth: int = 0) -> None:
    """See that a value can be kept and told again. Raises `JsonRefused`."""
    if depth > _DEEPEST:
        raise JsonRefused("is too deep")
    match value:
        case str():
            _check_text(value)
        case float() if not math.isfinite(value):
            raise JsonRefused("has a number that is none")
        case list():
            for item in value:
                check(item, depth + 1)
        case dict():
            for name, member in value.items():
                _check_text(name)
                check(member, depth + 1)


def _check_text(text: str) -> None:
    # JSON's escapes write characters that UTF-8 and PostgreSQL do not have.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise JsonRefused("has a text that is none")


def _members(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    listed = list(pairs)
    members = dict(listed)
    if len(members) != len(listed):
        raise JsonRefused("has a member twice")
    return members


def _no_number(constant: str) -> NoReturn:
    raise JsonRefused("has a number that is none")
