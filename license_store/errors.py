"""Every way the licence store says no. Codes and parameters only: the sentences live in `service/locale`."""

import dataclasses
from collections.abc import Mapping

from keys.errors import DomainError


class CatalogueWrong(DomainError):
    """A catalogue file does not say what it must: `file`, the `key` in it, and the `reason`."""

    code = "licence.catalogue.wrong"


class TypeUnknown(DomainError):
    """No licence type has this `type_code`."""

    code = "licence.type.unknown"


class IssuerUnknown(DomainError):
    """The body `issuer` (USCC) is not registered as an issuer."""

    code = "licence.issuer.unknown"


class TypeNotAllowed(DomainError):
    """The body `issuer` may not issue `type_code`."""

    code = "licence.type.not_allowed"


class CaseUndecided(DomainError):
    """The case `case_number` was not approved: its `decision` is another, or none yet."""

    code = "licence.case.undecided"


class CaseConflict(DomainError):
    """The case `case_number` already has a licence of this type, `identifier`, with other content."""

    code = "licence.case.conflict"


@dataclasses.dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of an application: its name, a code, and the code's parameters."""

    field: str
    code: str
    parameters: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


class FieldsWrong(DomainError):
    """The application is wrong in one or more fields; `problems` tells every one of them."""

    code = "licence.fields.wrong"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__(fields=", ".join(dict.fromkeys(p.field for p in problems)))
        self.problems = problems


class NumbersExhausted(DomainError):
    """The numbering rule of `type_code` has no number left in `series`."""

    code = "licence.number.exhausted"


class IdentifierWrong(DomainError):
    """The text is not a licence identifier: its `part` (root, form, check) is wrong."""

    code = "licence.identifier.wrong"


class LicenceUnknown(DomainError):
    """No licence has this `identifier`."""

    code = "licence.unknown"


class LicenceNotYours(DomainError):
    """The licence `identifier` was issued by another body."""

    code = "licence.not_yours"


class MoveNotAllowed(DomainError):
    """A licence in `state` cannot go to `target`."""

    code = "licence.move.not_allowed"


class FileNotReady(DomainError):
    """The licence `identifier` is still being sealed."""

    code = "licence.file.not_ready"


class FileClash(DomainError):
    """The file store already holds other bytes under `digest`."""

    code = "licence.file.clash"


class FileDamaged(DomainError):
    """The file stored under `digest` is gone or no longer has that digest."""

    code = "licence.file.damaged"


class NoLookupRight(DomainError):
    """The body `consumer` has no right to look up licences of `type_code`."""

    code = "lookup.no_right"


class HolderNumberWrong(FieldsWrong):
    """The holder number of a look-up is malformed; `problems` says which rule it breaks."""

    code = "lookup.number_wrong"


class StatusListUnknown(DomainError):
    """There is no status list `number`."""

    code = "status_list.unknown"


class TokenMissing(DomainError):
    """The request carries no bearer token."""

    code = "token.missing"
