"""One row of a city's existing users: read, checked, and ready to be compared with who is here.

What a row may say of a person is who they are and how they sign in at the city. It says nothing of
how sure anybody is of that: a level comes from evidence alone, and none is imported.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

from idp.accounts import MOBILE, PHONE, is_name, is_username
from idp.code_tables import ETHNICITIES, SEXES
from idp.identity_documents import RULES, Document, birthdate
from idp.methods import foreign_passwords
from idp.nodes.import_file import Line
from idp.provider import Provider
from keys.identity_numbers import NumberWrong

NO_PASSWORD = "!"  # noqa: S105 - what no password opens
_DIGEST = "imported-row"
_STATE = re.compile(r"[A-Z]{3}", re.ASCII)
_UNKNOWN = "0"
"""GB/T 2261.1 for a sex that nobody told."""

RowId = Annotated[str, Field(pattern=r"^[!-~]{1,128}$")]


class RowRefused(Exception):
    """The row cannot be taken: `row` is its identifier, as far as it has one, `reason` a word."""

    def __init__(self, row: str, reason: str) -> None:
        super().__init__(reason)
        self.row = row
        self.reason = reason


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Row:
    """A row as the city writes it: a JSON object, of which `id`, `number`, `name` and `phone` are needed.

    `id` is the city's own for it, and never of two people. `ethnicity` and `sex` are codes of GB/T
    3304 and GB/T 2261.1, `nationality` has three letters; `password` is what the city kept
    (`methods.foreign_passwords`).
    """

    id: RowId
    number: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=200)]
    phone: Annotated[str, Field(max_length=32)]
    document: str = Document.RESIDENT_ID
    ethnicity: str = ""
    sex: str = ""
    nationality: str = ""
    birthdate: date | None = None
    username: Annotated[str | None, Field(max_length=64)] = None
    password: Annotated[str | None, Field(max_length=512)] = None
    registered_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked row: its numbers normalised, with the keyed indexes to find them by.

    `content` is the row as it came, and `digest` its keyed digest.
    """

    row: str
    content: bytes = field(repr=False)
    digest: bytes
    document: str
    number: str = field(repr=False)
    number_index: bytes
    phone: str = field(repr=False)
    phone_index: bytes
    name: str = field(repr=False)
    ethnicity: str
    sex: str
    nationality: str
    birthdate: date | None = field(repr=False)
    username: str | None = field(repr=False)
    password_hash: str = field(repr=False)
    registered_at: datetime


_READER = TypeAdapter(Row)


def checked(provider: Provider, line: Line) -> Entry:
    """Return what a line says. Raises `RowRefused`, with the field that is wrong or what is."""
    if line.content is None:
        raise RowRefused(f"line {line.place}", "too-long")
    row = _row(line, line.content)
    try:
        return _entry(provider, row, line.content)
    except NumberWrong as wrong:
        raise RowRefused(row.id, wrong.code) from None
    except _FieldWrong as wrong:
        raise RowRefused(row.id, str(wrong)) from None


def sealed(provider: Provider, entry: Entry) -> bytes:
    """The row as it waits for somebody's decision."""
    return provider.protector.seal(entry.content.decode(), provider.random)


def opened(provider: Provider, blob: bytes) -> Entry:
    """The row that was sealed. Raises `RowRefused` if it would no longer be taken."""
    return checked(provider, Line(1, provider.protector.open(blob).encode()))


class _FieldWrong(Exception):
    """A field is not as it must be: the text is its name."""


def _row(line: Line, content: bytes) -> Row:
    try:
        return _READER.validate_json(content)
    except ValidationError as wrong:
        fault = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = str(fault["loc"][0]) if fault["loc"] else "json"
        raise RowRefused(_row_id(content) or f"line {line.place}", reason) from None


def _row_id(content: bytes) -> str | None:
    """The identifier of a row that is wrong otherwise."""
    try:
        return _NAMED.validate_json(content).id
    except ValidationError:
        return None


@checked_dataclass(frozen=True, slots=True, config=ConfigDict(extra="ignore"))
class _Named:
    id: RowId


_NAMED: TypeAdapter[_Named] = TypeAdapter(_Named)


def _entry(provider: Provider, row: Row, content: bytes) -> Entry:
    """Return the row with its numbers normalised. Raises `NumberWrong`, `_FieldWrong`."""
    if row.document not in set(Document):
        raise _FieldWrong("document")
    rule = RULES[Document(row.document)]
    number = rule.read(row.number)
    now, protector = provider.clock(), provider.protector
    name, phone = row.name.strip(), row.phone.strip()
    nationality = rule.nationality(number) or row.nationality
    registered_at = (row.registered_at or now).replace(microsecond=0)
    good = {
        "name": is_name(name),
        "phone": MOBILE.fullmatch(phone) is not None,
        "ethnicity": row.ethnicity in ETHNICITIES or not row.ethnicity,
        "sex": row.sex in SEXES or not row.sex,
        "nationality": _STATE.fullmatch(nationality) is not None,
        "birthdate": row.birthdate is None or row.birthdate < now.date(),
        "username": row.username is None or is_username(row.username),
        "password": row.password is None or foreign_passwords.is_foreign(row.password),
        "registered_at": registered_at <= now,
    }
    for field_name, is_good in good.items():
        if not is_good:
            raise _FieldWrong(field_name)
    return Entry(
        row=row.id,
        content=content,
        digest=protector.index(_DIGEST, content.decode()),
        document=row.document,
        number=number,
        number_index=protector.index(rule.space(number), rule.key(number, nationality)),
        phone=phone,
        phone_index=protector.index(PHONE, phone),
        name=name,
        ethnicity=row.ethnicity,
        sex=row.sex or _sex(number),
        nationality=nationality,
        birthdate=None if birthdate(number) else row.birthdate,
        username=row.username,
        password_hash=row.password or NO_PASSWORD,
        registered_at=registered_at,
    )


def _sex(number: str) -> str:
    """The sex (GB/T 2261.1) that a number tells: its serial is odd for a man (GB 11643 §4.2.1)."""
    if birthdate(number) is None:
        return _UNKNOWN
    return "1" if int(number[16]) % 2 else "2"
