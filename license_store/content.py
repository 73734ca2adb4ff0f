"""The three forms of one licence's content: what is printed, what the data file says, what the code says.

All are computed from the same `Licence`, so they cannot disagree. The data file is RFC 8785 JSON.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date
from typing import Any

import rfc8785

from keys.identity_numbers import mask_name, mask_number
from license_store.catalogue import LicenceType
from license_store.licence import Holder, Licence, local_date
from seal.statement import LicenceStatement, face_digest

FORMAT = "yinxin.licence/1"
DATA_FILE = "licence.jws"
DATA_CONTENT_TYPE = "application/yinxin-licence+json"
_RESIDENT_ID = "111"
# The printed code grows with every character; the rest of a long name is on the face, and the
# face digest vouches for it.
_LONGEST_STATED_HOLDER = 16


def face_values(licence: Licence) -> Mapping[str, str]:
    """Return what is printed, by field name: the type's own fields, and `catalogue.DERIVED`.

    A resident ID number is printed masked.
    """
    derived = {
        "identifier": licence.identifier,
        "number": licence.number,
        "holder_name": "、".join(holder.name for holder in licence.holders),
        "holder_number": "、".join(masked_number(holder) for holder in licence.holders),
        "issuer_name": licence.issuer.name,
        "issued_on": _printed_date(local_date(licence.issued_at)),
        "valid_until": _printed_date(licence.valid_until) if licence.valid_until else "长期",
    }
    return {**licence.fields, **derived}


def printed_digest(licence: Licence) -> bytes:
    """Return SHA-256 over the RFC 8785 JSON of every printed value: the same whenever it is printed.

    The printed code states its first bytes (`seal.statement.face_digest`).
    """
    return hashlib.sha256(rfc8785.dumps(dict(face_values(licence)))).digest()


def data(licence: Licence, licence_type: LicenceType) -> bytes:
    """Return the canonical data (RFC 8785) that the issuer signs.

    The file travels inside the OFD and the PDF, which are shown and handed on: a resident ID number
    is masked in it as on the face. The full number stays sealed in the library.
    """
    told: dict[str, Any] = {
        "format": FORMAT,
        "identifier": licence.identifier,
        "type_code": licence.type_code,
        "type_name": licence_type.name,
        "definer": {"uscc": licence_type.definer.uscc, "name": licence_type.definer.name},
        "template": licence_type.template,
        "number": licence.number,
        "version": licence.version,
        "issuer": {
            "uscc": licence.issuer.uscc,
            "name": licence.issuer.name,
            "area_code": licence.issuer.area_code,
        },
        "case_number": licence.case_number,
        "holders": [
            {"name": h.name, "number_type": h.number_type, "number": masked_number(h)}
            for h in licence.holders
        ],
        "fields": dict(face_values(licence)),
        "issued_at": licence.issued_at.astimezone(UTC).isoformat(),
        "valid_from": licence.valid_from.isoformat(),
        "valid_until": licence.valid_until.isoformat() if licence.valid_until else None,
        "status": {"list": licence.status_list, "index": licence.status_index},
    }
    return rfc8785.dumps(told)


def statement(licence: Licence, licence_type: LicenceType) -> LicenceStatement:
    """Return what the printed code states: enough to find and check the licence, no full name."""
    return LicenceStatement(
        identifier=licence.identifier,
        issuer=licence.issuer.uscc,
        number=licence.number,
        type_name=licence_type.name,
        holder_masked=_abridged("、".join(masked_name(holder) for holder in licence.holders)),
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        issued_at=licence.issued_at,
        status_list=licence.status_list,
        status_index=licence.status_index,
        face_digest=face_digest(face_values(licence)),
    )


def masked_name(holder: Holder) -> str:
    """Return the name a stranger may see: a body's in full, a person's masked."""
    return mask_name(holder.name) if holder.number_type == _RESIDENT_ID else holder.name


def masked_number(holder: Holder) -> str:
    """Return the number that may be shown: a body's in full, a person's masked."""
    return mask_number(holder.number) if holder.number_type == _RESIDENT_ID else holder.number


def _abridged(names: str) -> str:
    if len(names) <= _LONGEST_STATED_HOLDER:
        return names
    return names[: _LONGEST_STATED_HOLDER - 1] + "…"


def _printed_date(day: date) -> str:
    return f"{day.year}年{day.month:02}月{day.day:02}日"
