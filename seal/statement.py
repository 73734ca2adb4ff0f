"""The signed licence statement: what the printed code says of a licence, small enough to print.

A statement is a CBOR map (RFC 8949 §4.2.1, core deterministic encoding) with integer keys; it
travels as the payload of a COSE_Sign1 (`keys.cose`) in the fragment of a link. A public wire
format: a key once given is never given another meaning.

==== ================ =============================================================
 key claim            value
==== ================ =============================================================
   0 format           1
   1 identifier       bytes: its characters without root and dots as a base 36 number
                      after a leading 1; or text, when it is not of GB/T 36904's shape
   2 issuer           text, USCC; absent when it is the issuer in the identifier
   3 number           text, as printed
   4 type name        text; absent when empty
   5 holder           text, masked
   6 valid from       days since 1970-01-01; absent when open
   7 valid until      days since 1970-01-01, the last valid day; absent when open
   8 issued at        seconds since 1970-01-01T00:00:00Z
   9 status           [number of the status list, index in it]
  10 face digest      16 bytes, `face_digest` of the printed values
==== ================ =============================================================
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

import cbor2
import rfc8785

from keys.errors import DomainError

FORMAT = 1
LARGEST = 2048
"""Bytes of the largest statement that is read."""

DIGEST_SIZE = 16

_ROOT = "1.2.156.3005.2."
_IDENTIFIER = re.compile(
    r"1\.2\.156\.3005\.2\.([0-9A-Z]{21})\.([0-9A-Z]{18})\.([0-9A-Z]{1,32})\.([0-9]{3})\.([0-9A-Z])",
    re.ASCII,
)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EPOCH = date(1970, 1, 1)
_Kind = TypeVar("_Kind")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


class StatementWrong(DomainError):
    """The bytes are not a statement in the one form `encode` writes; `claim` is the wrong key."""

    code = "statement.wrong"


class NotOurCode(DomainError):
    """The text of a code is neither our link nor its bare fragment."""

    code = "code.not_ours"


@dataclass(frozen=True, slots=True)
class LicenceStatement:
    """What the issuer says of one licence on the licence itself.

    `holder_masked` must hold no full name of a person. `issued_at` is aware, whole seconds.
    `status_list` and `status_index` say where the licence's present status stands.
    """

    identifier: str
    issuer: str
    number: str
    holder_masked: str
    valid_from: date | None
    valid_until: date | None
    issued_at: datetime
    status_list: int
    status_index: int
    face_digest: bytes
    type_name: str = ""


def encode(statement: LicenceStatement) -> bytes:
    """Return the statement as deterministic CBOR: one statement, one encoding."""
    claims: dict[int, Any] = {0: FORMAT, 1: _pack(statement.identifier)}
    if statement.issuer != _issuer_in(statement.identifier):
        claims[2] = statement.issuer
    claims[3] = statement.number
    if statement.type_name:
        claims[4] = statement.type_name
    claims[5] = statement.holder_masked
    if statement.valid_from is not None:
        claims[6] = (statement.valid_from - _EPOCH).days
    if statement.valid_until is not None:
        claims[7] = (statement.valid_until - _EPOCH).days
    claims[8] = int(statement.issued_at.timestamp())
    claims[9] = [statement.status_list, statement.status_index]
    claims[10] = statement.face_digest
    return cbor2.dumps(claims, canonical=True)


def decode(data: bytes) -> LicenceStatement:
    """Read a statement. Raises `StatementWrong` unless `encode` would write exactly these bytes."""
    claims = _map(data)
    identifier = _identifier(claims)
    statement = LicenceStatement(
        identifier=identifier,
        issuer=_issuer(claims, identifier),
        number=_typed(claims, 3, str),
        type_name=_typed(claims, 4, str) if 4 in claims else "",
        holder_masked=_typed(claims, 5, str),
        valid_from=_day(claims, 6),
        valid_until=_day(claims, 7),
        issued_at=_moment(claims, 8),
        status_list=_place(claims)[0],
        status_index=_place(claims)[1],
        face_digest=_digest(claims),
    )
    # Duplicate, unknown and re-ordered keys, long integers and trailing bytes all differ here.
    if encode(statement) != data:
        raise StatementWrong(claim="form")
    return statement


def face_digest(values: Mapping[str, str]) -> bytes:
    """Return the first 16 bytes of SHA-256 over the RFC 8785 JSON of every printed value."""
    return hashlib.sha256(rfc8785.dumps(dict(values))).digest()[:DIGEST_SIZE]


def code_text(public_url: str, cose: bytes) -> str:
    """Return the text of the printed code: a link to the verify page, the statement its fragment.

    A fragment is never sent to a server (RFC 3986 §3.5), so a scan leaves no trace of what was
    scanned.
    """
    return f"{public_url.rstrip('/')}/v#{_base64url(cose)}"


def read_code(text: str) -> bytes:
    """Return the COSE bytes in the text of a code: our link, on any host, or the bare base64url.

    Raises `NotOurCode`.
    """
    text = text.strip()
    fragment = text
    if "#" in text or "/" in text:
        link = _split(text)
        if link.scheme not in ("http", "https") or not link.path.endswith("/v") or link.query:
            raise NotOurCode
        fragment = link.fragment
    if not _BASE64URL.fullmatch(fragment) or len(fragment) > 2 * LARGEST:
        raise NotOurCode
    try:
        data = base64.urlsafe_b64decode(fragment + "=" * (-len(fragment) % 4))
    except ValueError as malformed:
        raise NotOurCode from malformed
    if _base64url(data) != fragment:
        raise NotOurCode
    return data


def _split(text: str) -> Any:
    try:
        return urlsplit(text)
    except ValueError as malformed:
        raise NotOurCode from malformed


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


# --- Identifiers, packed: 53 characters take 36 bytes ---


def _pack(identifier: str) -> bytes | str:
    match = _IDENTIFIER.fullmatch(identifier)
    if match is None:
        return identifier
    number = int("1" + "".join(match.groups()), 36)
    return number.to_bytes((number.bit_length() + 7) // 8)


def _unpack(packed: bytes) -> str:
    number, digits = int.from_bytes(packed), ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    body = digits[1:]
    parts = (body[:21], body[21:39], body[39:-4], body[-4:-1], body[-1:])
    return _ROOT + ".".join(parts)


def _issuer_in(identifier: str) -> str:
    match = _IDENTIFIER.fullmatch(identifier)
    return match.group(2) if match else ""


# --- Claims, each of its type or refused ---


def _map(data: bytes) -> dict[Any, Any]:
    if len(data) > LARGEST:
        raise StatementWrong(claim="size")
    try:
        claims = cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as malformed:
        raise StatementWrong(claim="form") from malformed
    if not isinstance(claims, dict) or claims.get(0) != FORMAT:
        raise StatementWrong(claim="format")
    return claims


def _typed(claims: Mapping[Any, Any], key: int, kind: type[_Kind]) -> _Kind:
    value = claims.get(key)
    if type(value) is not kind:  # not isinstance: True is no number here
        raise StatementWrong(claim=str(key))
    return value


def _identifier(claims: Mapping[Any, Any]) -> str:
    value = claims.get(1)
    return value if isinstance(value, str) else _unpack(_typed(claims, 1, bytes)[:64])


def _issuer(claims: Mapping[Any, Any], identifier: str) -> str:
    issuer = _typed(claims, 2, str) if 2 in claims else _issuer_in(identifier)
    if not issuer:
        raise StatementWrong(claim="2")
    return issuer


def _day(claims: Mapping[Any, Any], key: int) -> date | None:
    if key not in claims:
        return None
    try:
        return _EPOCH + timedelta(days=_typed(claims, key, int))
    except OverflowError as out_of_range:
        raise StatementWrong(claim=str(key)) from out_of_range


def _moment(claims: Mapping[Any, Any], key: int) -> datetime:
    try:
        return datetime.fromtimestamp(_typed(claims, key, int), UTC)
    except (OverflowError, ValueError, OSError) as out_of_range:
        raise StatementWrong(claim=str(key)) from out_of_range


def _place(claims: Mapping[Any, Any]) -> tuple[int, int]:
    place = _typed(claims, 9, list)
    if len(place) != 2 or any(type(part) is not int or part < 0 for part in place):
        raise StatementWrong(claim="9")
    return place[0], place[1]


def _digest(claims: Mapping[Any, Any]) -> bytes:
    digest = _typed(claims, 10, bytes)
    if len(digest) != DIGEST_SIZE:
        raise StatementWrong(claim="10")
    return digest
