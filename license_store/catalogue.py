"""The licence types as data: one strict TOML file a type, checked whole when the catalogue is read.

A type says who defined it, who may hold it, which fields it has, how its numbers are made, how
long it is valid, which face it is printed on and how its states are coded (codes differ by type).
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from license_store.errors import CatalogueWrong, TypeUnknown
from license_store.licence import Licence, State, local_date
from license_store.numbering import mod_11_10

Name = Annotated[str, Field(min_length=1)]

DERIVED = frozenset(
    {
        "identifier",
        "number",
        "holder_name",
        "holder_number",
        "issuer_name",
        "issued_on",
        "valid_until",
    }
)
"""What every face prints and no approval brings: no type may have a field of such a name."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Definer(_Table):
    """The body that defined the type; its USCC begins the type code."""

    uscc: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]
    name: Name


class DataField(_Table):
    """One datum an approval must bring. `max_length` counts characters."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    zh: Name
    en: Name
    kind: Literal["text", "choice"] = "text"
    required: bool = True
    max_length: Annotated[int, Field(ge=1, le=1000)] = 100
    choices: tuple[str, ...] = Field(default=(), strict=False)

    @field_validator("name")
    @classmethod
    def _is_not_derived(cls, name: str) -> str:
        if name in DERIVED:
            raise ValueError(f"{name!r} is printed on every licence and cannot be a field")
        return name


class Validity(_Table):
    """How long a licence lasts: `open` has no end date, `years` ends the day before the anniversary."""

    rule: Literal["open", "years"]
    years: Annotated[int, Field(ge=1, le=100)] | None = None

    @model_validator(mode="after")
    def _years_go_with_their_rule(self) -> "Validity":
        if (self.rule == "years") != (self.years is not None):
            raise ValueError("years belongs to the rule 'years' and to no other")
        return self

    def until(self, start: date) -> date | None:
        """Return the last valid day of a licence valid from `start`, or `None` for no end."""
        if self.years is None:
            return None
        # From 29 February the anniversary is 1 March where there is no 29 February.
        leap = start.month == 2 and start.day == 29
        anniversary = (start + timedelta(days=leap)).replace(year=start.year + self.years)
        return anniversary - timedelta(days=1)


class Literally(_Table):
    """Fixed characters."""

    part: Literal["literal"]
    text: Annotated[str, Field(pattern=r"^[0-9A-Z]+$")]


class Area(_Table):
    """The six-digit division code (GB/T 2260) of the issuer."""

    part: Literal["area"]


class IssueDate(_Table):
    """The day of issue, YYYYMMDD."""

    part: Literal["date"]


class FieldCode(_Table):
    """A code for the value of a choice field."""

    part: Literal["field"]
    field: str
    codes: Mapping[str, Annotated[str, Field(pattern=r"^[0-9]+$")]]


class Sequence(_Table):
    """A running number of `digits` digits within everything else the number says."""

    part: Literal["sequence"]
    digits: Annotated[int, Field(ge=1, le=12)]


class CheckDigit(_Table):
    """ISO/IEC 7064 MOD 11,10 over all digits before it."""

    part: Literal["check"]
    rule: Literal["MOD 11,10"]


NumberPart = Annotated[
    Literally | Area | IssueDate | FieldCode | Sequence | CheckDigit, Field(discriminator="part")
]


class LicenceType(_Table):
    """A licence type (证照类型). `code` is the definer's USCC and three digits.

    `state_codes` maps the states to the codes the type's own standard gives them;
    `retention_years` counts from the end of validity.
    """

    code: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}[0-9]{3}$")]
    name: Name
    name_en: Name
    definer: Definer
    template: Name
    holder_kinds: Annotated[tuple[Literal["001", "111"], ...], Field(min_length=1, strict=False)]
    max_holders: Annotated[int, Field(ge=1, le=20)]
    retention_years: Annotated[int, Field(ge=1)]
    validity: Validity
    number: Annotated[tuple[NumberPart, ...], Field(min_length=1, strict=False)]
    fields: Annotated[tuple[DataField, ...], Field(min_length=1, strict=False)]
    state_codes: Mapping[Annotated[State, Field(strict=False)], str]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> "LicenceType":
        if not self.code.startswith(self.definer.uscc):
            raise ValueError("code must begin with definer.uscc")
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("fields must have different names")
        if [part.part for part in self.number].count("sequence") != 1:
            raise ValueError("number must have exactly one sequence")
        for part in self.number:
            if isinstance(part, FieldCode) and set(part.codes) != set(self._choices(part.field)):
                raise ValueError(f"number codes must cover the choices of {part.field!r}")
        return self

    def _choices(self, name: str) -> tuple[str, ...]:
        return next((f.choices for f in self.fields if f.name == name and f.required), ())

    @property
    def digits(self) -> int:
        """How many digits the running number has."""
        return next(part.digits for part in self.number if isinstance(part, Sequence))

    def series(self, licence: Licence) -> str:
        """Return the series the running number counts in: the number without it and its check."""
        return "".join(
            "*" if isinstance(part, Sequence) else _spell(part, licence)
            for part in self.number
            if not isinstance(part, CheckDigit)
        )

    def printed_number(self, licence: Licence, sequence: int) -> str:
        """Return the printed number (证照编号) of `licence` as number `sequence` of its series."""
        number = ""
        for part in self.number:
            if isinstance(part, CheckDigit):
                number += mod_11_10("".join(c for c in number if c.isdigit()))
            elif isinstance(part, Sequence):
                number += f"{sequence:0{part.digits}}"
            else:
                number += _spell(part, licence)
        return number


def _spell(part: Literally | Area | IssueDate | FieldCode | Sequence, licence: Licence) -> str:
    match part:
        case Literally():
            return part.text
        case Area():
            return licence.issuer.area_code
        case IssueDate():
            return f"{local_date(licence.issued_at):%Y%m%d}"
        case FieldCode():
            return part.codes[licence.fields[part.field]]
        case Sequence():
            return ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The licence types in force, by code."""

    types: Mapping[str, LicenceType]

    def type_of(self, code: str) -> LicenceType:
        """Return the type `code`. Raises `TypeUnknown`."""
        if code not in self.types:
            raise TypeUnknown(type_code=code)
        return self.types[code]

    def __iter__(self) -> Iterator[LicenceType]:
        return iter(self.types.values())


def read_catalogue(folder: Traversable) -> Catalogue:
    """Read every `*.toml` of `folder`. Raises `CatalogueWrong` with the file and the key."""
    types: dict[str, LicenceType] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        licence_type = _read(file)
        if licence_type.code in types:
            raise CatalogueWrong(file=file.name, key="code", reason="another file has this code")
        types[licence_type.code] = licence_type
    return Catalogue(types)


def _read(file: Traversable) -> LicenceType:
    try:
        return LicenceType.model_validate(tomllib.loads(file.read_text("utf-8")))
    except tomllib.TOMLDecodeError as wrong:
        raise CatalogueWrong(file=file.name, key="", reason=str(wrong)) from wrong
    except ValidationError as wrong:
        first = wrong.errors()[0]
        key = ".".join(str(step) for step in first["loc"])
        raise CatalogueWrong(file=file.name, key=key, reason=first["msg"]) from wrong


@cache
def own_catalogue() -> Catalogue:
    """Return the catalogue this package ships, read once a process."""
    return read_catalogue(files("license_store") / "types")
