"""Apply for a seal, change the application, or apply for another in a seal's place.

The picture is drawn for who has none: it is seen on the seal's page before the application is
handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from idp import staff
from idp.people_errors import AccountUnknown
from idp.staff_errors import BodyUnknown
from idp.staffing import bodies
from keys.errors import DomainError
from seal.life import application, remaking
from seal.life.application import Amendment, Draft, SealKind
from seal.life.errors import ApplicationWrong
from seal.life.gate import APPLY
from seal.life.impression import LARGEST
from seal.life.remaking import Remaking
from seal.life.tables import SealRow
from seal.seal_design import Design, SealPictureRefused
from seal.seal_picture import draw_design
from seal.seal_sizes import Centre, Shape
from service.pages.counter import clerk_of, for_clerks
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.seal_steps import reach, subject_named, typed_day
from service.pages.seals import ONE, PATH, seen
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_APPLY = f"{PATH}/apply"
_OPEN = frozenset({APPLY})
_FIELDS = (
    "owner",
    "owner_name",
    "name",
    "kind",
    "legal_basis",
    "keeper",
    "until",
    "picture_from",
    "shape",
    "purpose",
    "width",
    "height",
)
_KEEP, _DRAW, _UPLOAD = "keep", "draw", "upload"
_USUAL = {"width": "42", "shape": Shape.ROUND.value, "kind": SealKind.LICENCE.value}


@dataclass(frozen=True, slots=True)
class _Picture:
    """What is drawn, uploaded or kept, and its size in mm."""

    png: bytes
    width: int
    height: int


def routes(world: World) -> list[Route]:
    """Return the routes of these pages; they come before those of single seals."""
    both = ["GET", "POST"]
    return [
        Route(_APPLY, page(world, for_clerks(_apply)), methods=both),
        Route(f"{ONE}/change", page(world, for_clerks(_change)), methods=both),
        Route(f"{ONE}/remake", page(world, for_clerks(_remake)), methods=both),
    ]


def _apply(visit: Visit) -> Response:
    def write(tx: Session) -> UUID:
        return application.draft(tx, visit.world.seals, _draft(tx, visit, None))

    return _form(visit, "apply", None, write, "drafted")


def _change(visit: Visit) -> Response:
    with visit.world.begin() as tx:
        row = seen(tx, visit)

    def write(tx: Session) -> UUID:
        reach(tx, visit, _OPEN).require(row.owner)
        amendment = Amendment(row.id, _draft(tx, visit, row))
        application.amend(tx, visit.world.seals, amendment)
        return row.id

    return _form(visit, "change", row, write, "amended")


def _remake(visit: Visit) -> Response:
    with visit.world.begin() as tx:
        row = seen(tx, visit)

    def write(tx: Session) -> UUID:
        reach(tx, visit, _OPEN).require(row.owner)
        owner_name = visit.typed("owner_name").strip() or row.owner_name
        kept = visit.typed("picture_from") == _KEEP
        wish = Remaking(
            predecessor=row.id,
            by=clerk_of(visit),
            until=typed_day(visit, "until") or visit.world.clock(),
            owner_name=owner_name,
            name=visit.typed("name").strip() or None,
            keeper=subject_named(tx, visit.typed("keeper")),
            picture_png=None if kept else _drawn(visit, owner_name, row).png,
        )
        return remaking.remake(tx, visit.world.seals, wish)

    return _form(visit, "remake", row, write, "remade")


def _form(
    visit: Visit,
    mode: str,
    row: SealRow | None,
    write: Callable[[Session], UUID],
    word: str,
) -> Response:
    if not visit.posted:
        return _page(visit, mode, row, Faults())
    try:
        with visit.world.begin() as tx:
            seal = write(tx)
    except DomainError as refused:
        return _page(visit, mode, row, _faults(visit, refused), status_of(refused.code))
    return go(f"{PATH}/{seal}?done={word}")


def _draft(tx: Session, visit: Visit, row: SealRow | None) -> Draft:
    """Return what was typed. Raises SealOutOfReach, AccountUnknown, SealPictureRefused."""
    owner = visit.typed("owner")
    reach(tx, visit, _OPEN).require(owner)
    owner_name = visit.typed("owner_name").strip() or _body_name(tx, owner)
    picture = _drawn(visit, owner_name, row)
    kept_ofd = row is not None and row.picture_type == "ofd" and picture.png == row.picture_png
    return Draft(
        owner=owner,
        owner_name=owner_name,
        name=visit.typed("name"),
        kind=visit.typed("kind"),
        legal_basis=visit.typed("legal_basis"),
        keeper=subject_named(tx, visit.typed("keeper")),
        picture_png=picture.png,
        picture_ofd=row.picture if row is not None and kept_ofd else b"",
        width=picture.width,
        height=picture.height,
        until=typed_day(visit, "until") or visit.world.clock(),
        by=clerk_of(visit),
    )


def _drawn(visit: Visit, owner_name: str, row: SealRow | None) -> _Picture:
    """Return the picture asked for. Raises SealPictureRefused."""
    chosen = visit.typed("picture_from")
    if chosen == _KEEP and row is not None:
        return _Picture(row.picture_png, row.width, row.height)
    width = _millimetres(visit, "width")
    if chosen == _UPLOAD:
        upload = visit.uploaded("picture")
        # One byte more than allowed is enough to know; the rest is never read into memory.
        png = upload.file.read(LARGEST + 1) if upload else b""
        return _Picture(png, width, _millimetres(visit, "height") or width)
    shape = Shape(visit.typed("shape")) if visit.typed("shape") in set(Shape) else Shape.ROUND
    centre = Centre.NONE if shape is Shape.SQUARE else Centre.STAR
    purpose = visit.typed("purpose").strip()
    design = Design(owner_name, shape, width, centre=centre, purpose_line=purpose)
    height = round(design.size[1])
    exactly = Design(owner_name, shape, width, height, centre=centre, purpose_line=purpose)
    return _Picture(draw_design(exactly), width, height)


def _millimetres(visit: Visit, name: str) -> int:
    typed = visit.typed(name).strip()
    return int(typed) if typed.isdecimal() and len(typed) < 4 else 0


def _faults(visit: Visit, refused: DomainError) -> Faults:
    faults = Faults()
    match refused:
        case ApplicationWrong():
            for problem in refused.problems:
                field = "picture_from" if problem.field.startswith("picture") else problem.field
                faults.add(field, visit.t(f"error.{problem.code}.detail", **problem.parameters))
        case AccountUnknown():
            faults.add("keeper", visit.t("seals.keeper_unknown"))
        case SealPictureRefused():
            faults.add("picture_from", told(visit, refused))
        case _:
            faults.add("", told(visit, refused))
    return faults


def _page(
    visit: Visit, mode: str, row: SealRow | None, faults: Faults, status: int = 200
) -> Response:
    with visit.world.begin() as tx:
        own = reach(tx, visit, _OPEN)
        names = {uscc: _body_name(tx, uscc) for uscc in sorted(own.bodies)}
        shown = (
            {name: visit.typed(name) for name in _FIELDS} if visit.posted else _held(tx, visit, row)
        )
    return draw(
        visit,
        "seal_application.html",
        status,
        mode=mode,
        row=row,
        owners=names,
        typed=shown,
        kinds=[kind.value for kind in SealKind],
        shapes=[shape.value for shape in Shape],
        ways=[_KEEP, _DRAW, _UPLOAD] if row is not None else [_DRAW, _UPLOAD],
        faults=faults,
    )


def _held(tx: Session, visit: Visit, row: SealRow | None) -> dict[str, str]:
    """Return what the form shows before anything is typed: what is on record, or what is usual."""
    if row is None:
        return {
            **dict.fromkeys(_FIELDS, ""),
            **_USUAL,
            "purpose": "电子证照专用章",
            "picture_from": _DRAW,
        }
    return {
        **dict.fromkeys(_FIELDS, ""),
        "owner": row.owner,
        "owner_name": row.owner_name,
        "name": row.name,
        "kind": row.kind,
        "legal_basis": row.legal_basis,
        "keeper": _username(tx, visit, row.keeper),
        "until": row.made_for.date().isoformat(),
        "picture_from": _KEEP,
        "shape": Shape.ROUND.value,
        "width": str(row.width),
        "height": str(row.height),
    }


def _username(tx: Session, visit: Visit, person: str) -> str:
    try:
        return staff.member(tx, visit.world.provider, person).username
    except AccountUnknown:
        return ""


def _body_name(tx: Session, uscc: str) -> str:
    try:
        return bodies.get(tx, uscc).name
    except BodyUnknown:
        return uscc
