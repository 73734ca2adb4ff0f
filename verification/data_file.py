"""The canonical data file inside a licence: the attachment `licence.jws`, read as a stranger reads it.

It is RFC 8785 JSON in a compact JWS, signed by the issuing body's licence-data key; the OFD, the
PDF and the printed code are three faces of it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import rfc8785

from keys.errors import DomainError
from keys.identity_numbers import mask_name

ATTACHMENT = "licence.jws"
CONTENT_TYPE = "application/yinxin-licence+json"
"""What the JWS says it signs (`cty`): a body's key may sign other documents, which are no licence."""

# GB/T 36903: the code of a holder's number that is a resident ID number.
_RESIDENT_ID = "111"


class DataFileIncomplete(DomainError):
    """The data file lacks a member it must have, or one is of the wrong form. Parameter `member`."""

    code = "data.incomplete"


@dataclass(frozen=True, slots=True)
class LicenceData:
    """What the data file says, as far as a stranger may know.

    `fields` are the face values by field name, `template` the form they are printed on; persons
    among the `holders` are masked.
    """

    identifier: str
    type_name: str
    template: str
    number: str
    issuer_uscc: str
    issuer_name: str
    holders: tuple[str, ...]
    fields: Mapping[str, str]
    issued_at: datetime
    valid_from: date | None
    valid_until: date | None
    status_list: int
    status_index: int


def read_data(payload: bytes) -> LicenceData:
    """Return what the signed payload says; raise `DataFileIncomplete`."""
    try:
        told = json.loads(payload)
        # One content, one form: no member twice, no text or number others read differently.
        canonical = rfc8785.dumps(told) == payload
    except (ValueError, RecursionError) as error:
        raise DataFileIncomplete(member="") from error
    if not canonical:
        raise DataFileIncomplete(member="")
    issuer = _member(told, "issuer", dict)
    status = _member(told, "status", dict)
    return LicenceData(
        identifier=_member(told, "identifier", str),
        type_name=_member(told, "type_name", str),
        template=_member(told, "template", str),
        number=_member(told, "number", str),
        issuer_uscc=_member(issuer, "uscc", str),
        issuer_name=_member(issuer, "name", str),
        holders=tuple(_holder(holder) for holder in _member(told, "holders", list)),
        fields=_fields(_member(told, "fields", dict)),
        issued_at=_moment(told, "issued_at"),
        valid_from=_day(told, "valid_from"),
        valid_until=_day(told, "valid_until"),
        status_list=_member(status, "list", int),
        status_index=_member(status, "index", int),
    )


_Kind = TypeVar("_Kind")


def _member(table: Any, name: str, kind: type[_Kind]) -> _Kind:
    value = table.get(name) if isinstance(table, dict) else None
    # bool is an int to Python and nothing of the kind to us.
    if not isinstance(value, kind) or isinstance(value, bool):
        raise DataFileIncomplete(member=name)
    return value


def _fields(table: dict[str, Any]) -> Mapping[str, str]:
    return {name: _member(table, name, str) for name in table}


def _holder(table: Any) -> str:
    """Return the name a stranger may see: a body's in full, a person's masked."""
    name = _member(table, "name", str)
    return mask_name(name) if _member(table, "number_type", str) == _RESIDENT_ID else name


def _moment(table: dict[str, Any], name: str) -> datetime:
    text = _member(table, name, str)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise DataFileIncomplete(member=name) from error
    if moment.tzinfo is None:
        raise DataFileIncomplete(member=name)
    return moment


def _day(table: dict[str, Any], name: str) -> date | None:
    if name in table and table[name] is None:
        return None
    try:
        return date.fromisoformat(_member(table, name, str))
    except ValueError as error:
        raise DataFileIncomplete(member=name) from error
