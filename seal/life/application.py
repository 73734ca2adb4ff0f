"""申请: apply for a seal. A draft is checked whole when it is written, and handed in by who wrote it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session

from keys.identity_numbers import NumberWrong, uscc
from seal.life import impression
from seal.life.desk import SealDesk
from seal.life.errors import ApplicationWrong, FieldProblem, NotTheApplicant, SealMoveRefused
from seal.life.register import change, enter, held
from seal.life.tables import SealRow
from seal.seal_states import SealState


class SealKind(StrEnum):
    """What a seal is for (国办发〔2025〕33号: names of units, of parts of them, of business, of persons)."""

    UNIT = "unit"
    DEPARTMENT = "department"
    BUSINESS = "business"
    LICENCE = "licence"
    PERSON = "person"


MILLIMETRES = range(10, 101)
"""How wide and how high a seal may be (the largest in use is 58 mm)."""

_LONGEST: Mapping[str, int] = MappingProxyType(
    # The owner's name becomes O of the certificates, and that has 64 characters (RFC 5280 A.1).
    {"owner_name": 64, "name": 100, "legal_basis": 500, "keeper": 200}
)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is applied for. `owner` is a USCC, `keeper` and `by` are staff subjects, sizes are mm.

    `picture_png` shows the seal in every reader; `picture_ofd`, a one-page OFD of the same, is what
    the seal carries instead where it is given. `until` (aware UTC) is the end of the term wished.
    """

    owner: str
    owner_name: str
    name: str
    kind: str
    legal_basis: str
    keeper: str
    picture_png: bytes
    width: int
    height: int
    until: datetime
    by: str
    picture_ofd: bytes = b""


@dataclass(frozen=True, slots=True)
class Amendment:
    """The wish to write the application for `seal` anew, as `draft` (whose `by` asks for it)."""

    seal: UUID
    draft: Draft


@dataclass(frozen=True, slots=True)
class Submission:
    """The wish to hand in the application for `seal`."""

    seal: UUID
    by: str


def draft(tx: Session, desk: SealDesk, command: Draft) -> UUID:
    """Write an application down, and return the id of the seal it is for. Raises ApplicationWrong."""
    return begin(tx, desk, command, predecessor=None)


def begin(tx: Session, desk: SealDesk, command: Draft, predecessor: UUID | None) -> UUID:
    """The same for a seal that takes the place of another (`remaking`). Raises ApplicationWrong."""
    row = SealRow(
        id=desk.new_id(),
        state=SealState.DRAFT,
        predecessor=predecessor,
        applied_by=command.by,
        changed_at=desk.clock(),
    )
    _write(desk, row, command)
    tx.add(row)
    enter(tx, desk, row, "seal.drafted", command.by)
    return row.id


def amend(tx: Session, desk: SealDesk, command: Amendment) -> None:
    """Write an application anew that was not handed in yet, or was rejected.

    Raises SealUnknown, SealMoveRefused, NotTheApplicant, ApplicationWrong.
    """
    by = command.draft.by
    row = _of_applicant(tx, command.seal, by)
    if row.state not in (SealState.DRAFT, SealState.REJECTED):
        raise SealMoveRefused(state=row.state, target=SealState.DRAFT)
    _write(desk, row, command.draft)
    enter(tx, desk, row, "seal.amended", by)


def submit(tx: Session, desk: SealDesk, command: Submission) -> None:
    """Hand the application in, for the first time or again. Raises SealUnknown, NotTheApplicant,
    SealMoveRefused.
    """
    row = _of_applicant(tx, command.seal, command.by)
    change(tx, desk, row, SealState.SUBMITTED, "seal.submitted", command.by)


def _of_applicant(tx: Session, seal: UUID, by: str) -> SealRow:
    row = held(tx, seal)
    if row.applied_by != by:
        raise NotTheApplicant()
    return row


def _write(desk: SealDesk, row: SealRow, told: Draft) -> None:
    problems = tuple(_problems(told, desk.clock()))
    if problems:
        raise ApplicationWrong(problems)
    row.owner = uscc(told.owner)
    row.owner_name = told.owner_name.strip()
    row.name = told.name.strip()
    row.kind = SealKind(told.kind)
    row.legal_basis = told.legal_basis.strip()
    row.keeper = told.keeper.strip()
    row.picture_type = "ofd" if told.picture_ofd else "png"
    row.picture = told.picture_ofd or told.picture_png
    row.picture_png = told.picture_png
    row.width, row.height = told.width, told.height
    row.made_for = told.until.replace(microsecond=0)


def _problems(told: Draft, now: datetime) -> Iterator[FieldProblem]:
    """Tell everything that is wrong, so that it is put right in one go."""
    try:
        uscc(told.owner)
    except NumberWrong as wrong:
        yield FieldProblem("owner", wrong.code)
    for field, most in _LONGEST.items():
        length = len(getattr(told, field).strip())
        if length == 0:
            yield FieldProblem(field, "seal.field.missing")
        elif length > most:
            yield FieldProblem(field, "seal.field.too_long", {"most": most})
    if told.kind not in set(SealKind):
        yield FieldProblem("kind", "seal.field.unknown_kind")
    if told.until <= now:
        yield FieldProblem("until", "seal.field.past")
    bounds = {"least": MILLIMETRES.start, "most": MILLIMETRES.stop - 1}
    unfit = [f for f in ("width", "height") if getattr(told, f) not in MILLIMETRES]
    yield from (FieldProblem(field, "seal.field.size", bounds) for field in unfit)
    yield from _picture_problems(told, sized=not unfit)


def _picture_problems(told: Draft, *, sized: bool) -> Iterator[FieldProblem]:
    size = (told.width, told.height) if sized else None
    if reason := impression.fault_of_png(told.picture_png, size):
        yield FieldProblem("picture_png", "seal.field.picture", {"reason": reason})
    if told.picture_ofd and (reason := impression.fault_of_ofd(told.picture_ofd)):
        yield FieldProblem("picture_ofd", "seal.field.picture", {"reason": reason})
