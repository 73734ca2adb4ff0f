"""Compact tokens (RFC 7515 §7.1, RFC 7516 §7.1) taken apart before any library sees them.

There is one accepted form: so many parts, canonical base64url, JSON without duplicate members.
Whatever is found is only read here, not believed. The reasons why a token is refused stand here too.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from keys import base64url
from keys.errors import DomainError

_LONGEST_TOLD = 64
"""How much of a stranger's words goes into an error, in characters."""


class TokenError(DomainError):
    """A token is refused; the code says why."""

    code = "token"


class TokenMalformed(TokenError):
    """The text is not a token of the one form accepted here."""

    code = "token.malformed"


class TokenBadSignature(TokenError):
    """The signature is not by the key named."""

    code = "token.bad_signature"


class TokenUnknownKey(TokenError):
    """The token names a key that is not among those trusted for it."""

    code = "token.unknown_key"


class TokenWrongType(TokenError):
    """The token is of another type, or made with another algorithm than its key's."""

    code = "token.wrong_type"


class TokenUnreadable(TokenError):
    """The token cannot be decrypted: it was changed, or encrypted to another key."""

    code = "token.unreadable"


def parts(token: str, number: int, largest: int) -> list[bytes]:
    """Return the decoded parts of a token of at most `largest` characters. Raises TokenMalformed."""
    texts = token.split(".", number) if len(token) <= largest else []
    if len(texts) != number:
        raise TokenMalformed
    return [_decode(text) for text in texts]


def json_object(data: bytes) -> dict[str, Any]:
    """Return a JSON object (RFC 8259 §4) in UTF-8. Raises TokenMalformed."""
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_without_duplicates, parse_constant=_no_number
        )
    except (ValueError, RecursionError):
        raise TokenMalformed from None
    if not isinstance(value, dict):
        raise TokenMalformed
    return value


def strangers_header(data: bytes, refused: frozenset[str]) -> dict[str, Any]:
    """Return the header of a token by somebody else, in which no member of `refused` may stand.

    Other members that we do not know are ignored (RFC 7515 §4). `alg` is required. Raises
    TokenMalformed.
    """
    header = json_object(data)
    if "alg" not in header or refused & header.keys():
        raise TokenMalformed
    check_texts(header, ("alg", "enc", "kid", "typ", "cty"))
    return header


def check_texts(header: Mapping[str, object], names: Iterable[str]) -> None:
    """Raise TokenMalformed unless each of the members, where there is one, is a text."""
    if not all(isinstance(header.get(name, ""), str) for name in names):
        raise TokenMalformed


def told(value: str) -> str:
    """Return as much of a stranger's word as goes into an error."""
    return value[:_LONGEST_TOLD]


def _decode(text: str) -> bytes:
    try:
        return base64url.decode(text)
    except ValueError:
        raise TokenMalformed from None


def _without_duplicates(members: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    pairs = list(members)
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member stands twice")
    return value


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
