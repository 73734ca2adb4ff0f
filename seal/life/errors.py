"""Every way the seals' desk says no. Codes and parameters only: the sentences live in `service/locale`.

`seal` is the id of a seal's row, `esid` the seal's own number; persons are never named.
"""

import dataclasses
from collections.abc import Mapping

from keys.errors import DomainError


class SealUnknown(DomainError):
    """No seal is known by this id, esid or digest."""

    code = "seal.unknown"


class SealMissing(DomainError):
    """The body `owner` (USCC) has no seal that was ever in use."""

    code = "seal.missing"


class SealOutOfTerm(DomainError):
    """The seal of `owner`, or a certificate of it, is good from `valid_from` to `valid_until`, not now."""

    code = "seal.out_of_term"


class SealMoveRefused(DomainError):
    """A seal in `state` cannot go to `target`."""

    code = "seal.move_refused"


@dataclasses.dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of an application: its name, a code, and the code's parameters."""

    field: str
    code: str
    parameters: Mapping[str, str | int] = dataclasses.field(default_factory=dict)


class ApplicationWrong(DomainError):
    """The application for a seal is wrong in one or more fields; `problems` tells every one of them."""

    code = "seal.application.wrong"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__(fields=", ".join(dict.fromkeys(p.field for p in problems)))
        self.problems = problems


class NotTheApplicant(DomainError):
    """Only who applied for the seal changes the application or hands it in."""

    code = "seal.not_the_applicant"


class ReviewedByApplicant(DomainError):
    """Who applied for a seal cannot be who reviews it."""

    code = "seal.reviewed_by_applicant"


class ReasonMissing(DomainError):
    """This change of a seal needs a reason, and none was given, or one longer than `most` characters."""

    code = "seal.reason_missing"


class NumbersExhausted(DomainError):
    """The `region` (six digits) has no number left for another seal or record."""

    code = "seal.numbers_exhausted"


class TermTooShort(DomainError):
    """Nothing is left of the term that was applied for, or of the certificate's: it ended at `until`."""

    code = "seal.term_too_short"


class NotTheKeeper(DomainError):
    """Only the keeper of the seal does this, in person."""

    code = "seal.not_the_keeper"


class HandedToOneself(DomainError):
    """Who hands a seal out cannot be its keeper."""

    code = "seal.handed_to_oneself"


class CertificateNotBound(DomainError):
    """The certificate of the seal's key for `purpose` does not count, or the seal does not list it."""

    code = "seal.certificate_not_bound"


class CutOffWrong(DomainError):
    """A loss counts from a moment since the seal was handed out until now, not from `since`."""

    code = "seal.cut_off_wrong"


class WitnessesMissing(DomainError):
    """A key of the seal, `kid`, is destroyed before two witnesses, the same for all of its keys."""

    code = "seal.witnesses_missing"


class AlreadyRemade(DomainError):
    """Another seal is on its way, or there already, in the place of this one."""

    code = "seal.already_remade"


class GrantWrong(DomainError):
    """The grant is wrong in its `field`: the holder, the term or the number of uses."""

    code = "seal.grant.wrong"


class GrantUnknown(DomainError):
    """There is no such grant."""

    code = "seal.grant.unknown"


class GrantEnded(DomainError):
    """The grant was ended before."""

    code = "seal.grant.ended"


class GrantMissing(DomainError):
    """No grant lets this holder stamp this with the seal `esid` now."""

    code = "seal.grant.missing"


class GrantExhausted(DomainError):
    """The grants that would allow it have been used as often as they may."""

    code = "seal.grant.exhausted"


class ReferenceTaken(DomainError):
    """Another document was stamped under this reference: it counts once, and for that one only."""

    code = "seal.reference_taken"


class SealNotInUse(DomainError):
    """The seal `esid` stamps nothing now: it is in `state`."""

    code = "seal.not_in_use"


class RegisterNewsWrong(DomainError):
    """What a node told of its seals is malformed or out of order: `reason` names the part."""

    code = "seal.register_news.wrong"


class DocumentTooLarge(DomainError):
    """What is sent to be stamped is larger than `limit_mib` MiB."""

    code = "seal.document_too_large"
