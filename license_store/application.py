"""What an approval result must bring to become a licence: every fault is found, and named, at once.

Pure: the type's rules against what was sent, with the check digits of holders' numbers.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from keys import identity_numbers
from keys.errors import DomainError
from license_store.catalogue import DataField, LicenceType
from license_store.errors import FieldProblem
from license_store.licence import Holder

APPROVED = "approved"
LONGEST_NAME = 100
LATEST_START = timedelta(days=366)

# GB/T 36903 holder code types, and the rule of each number.
NUMBER_RULES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"001": identity_numbers.uscc, "111": identity_numbers.resident_id}
)


@dataclass(frozen=True, slots=True)
class Application:
    """A decided approval case, as the approval system hands it over. `valid_from`: default today."""

    type_code: str
    case_number: str
    decision: str
    decided_on: date
    holders: tuple[Holder, ...]
    fields: Mapping[str, str]
    valid_from: date | None = None


def problems_of(
    application: Application, licence_type: LicenceType, today: date
) -> tuple[FieldProblem, ...]:
    """Return everything that is wrong with `application` under its type's rules."""
    return (
        *_problems_of_dates(application, licence_type, today),
        *_problems_of_holders(application.holders, licence_type),
        *_problems_of_fields(application.fields, licence_type),
    )


def tidy(holder: Holder) -> Holder:
    """Return `holder` with its number in the one form it is stored and searched in."""
    return Holder(holder.name, holder.number_type, NUMBER_RULES[holder.number_type](holder.number))


def _problems_of_dates(
    application: Application, licence_type: LicenceType, today: date
) -> Iterator[FieldProblem]:
    if application.decided_on > today:
        yield FieldProblem("case.decided_on", "licence.field.in_the_future")
    if application.valid_from is not None and application.valid_from < application.decided_on:
        yield FieldProblem("valid_from", "licence.field.before_decision")
    valid_from = application.valid_from or today
    if valid_from - today > LATEST_START:
        yield FieldProblem("valid_from", "licence.field.too_far_ahead")
        return
    valid_until = licence_type.validity.until(valid_from)
    if valid_until is not None and valid_until < today:
        yield FieldProblem(
            "valid_from", "licence.field.already_expired", {"until": valid_until.isoformat()}
        )


def _problems_of_holders(
    holders: tuple[Holder, ...], licence_type: LicenceType
) -> Iterator[FieldProblem]:
    if not 1 <= len(holders) <= licence_type.max_holders:
        yield FieldProblem(
            "holders", "licence.field.holder_count", {"most": licence_type.max_holders}
        )
    seen: set[tuple[str, str]] = set()
    for position, holder in enumerate(holders):
        place = f"holders.{position}"
        yield from _problems_of_text(f"{place}.name", holder.name, LONGEST_NAME)
        if holder.number_type not in licence_type.holder_kinds:
            kinds = "、".join(licence_type.holder_kinds)
            yield FieldProblem(
                f"{place}.number_type", "licence.field.not_a_choice", {"choices": kinds}
            )
            continue
        try:
            key = (holder.number_type, NUMBER_RULES[holder.number_type](holder.number))
        except DomainError as wrong:
            yield FieldProblem(f"{place}.number", wrong.code)
            continue
        if key in seen:
            yield FieldProblem(f"{place}.number", "licence.field.holder_twice")
        seen.add(key)


def _problems_of_fields(
    fields: Mapping[str, str], licence_type: LicenceType
) -> Iterator[FieldProblem]:
    known = {field.name for field in licence_type.fields}
    for field in licence_type.fields:
        yield from _problems_of_field(field, fields.get(field.name, ""))
    for name in fields:
        if name not in known:
            yield FieldProblem(f"fields.{name}", "licence.field.unknown")


def _problems_of_field(field: DataField, value: str) -> Iterator[FieldProblem]:
    place = f"fields.{field.name}"
    if not value.strip():
        if field.required:
            yield FieldProblem(place, "licence.field.missing", {"label": field.zh})
    elif field.kind == "choice" and value not in field.choices:
        yield FieldProblem(
            place, "licence.field.not_a_choice", {"choices": "、".join(field.choices)}
        )
    else:
        yield from _problems_of_text(place, value, field.max_length)


def _problems_of_text(place: str, value: str, most: int) -> Iterator[FieldProblem]:
    if not value.strip():
        yield FieldProblem(place, "licence.field.missing", {"label": place})
    if len(value) > most:
        yield FieldProblem(place, "licence.field.too_long", {"most": most, "length": len(value)})
