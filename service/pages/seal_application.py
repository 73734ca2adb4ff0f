"""Apply for a seal, change the application, or apply for another in a seal's place.

The picture is drawn for who has none: it is seen on the seal's page before the application is
handed in.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
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
from seal.life.remaking import Remaking
from seal.life.tables import SealRow
from seal.seal_sizes import Shape
from service.pages import seal_drawing
from service.pages.counter import clerk_of, for_clerks
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.seal_steps import reach
from service.pages.seal_taking import subject_named, typed_day
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
    "upload",
    "width",
    "height",
)
_KEEP, _DRAW = "keep", "draw"

_USUAL: Mapping[str, str] = MappingProxyType(
    {
        "kind": SealKind.LICENCE.value,
        "picture_from": _DRAW,
        "shape": Shape.ROUND.value,
        "purpose": "电子证照专用章",
        "width": "42",
    }
)


def routes(world: World) -> list[Route]:
    """Return the routes of these pages; they come before those of single seals."""
    both = ["GET", "POST"]
    return [
        Route(_APPLY, page(world, for_clerks(_apply)), methods=both),
        Route(f"{ONE}/change", page(world, for_clerks(_change)), methods=both),
        Route(f"{ONE}/remake", page(world, for_clerks(_remake)), methods=both),
    ]


def _apply(visit: Visit) -> Response:
    def write(tx: Session, faults: Faults) -> UUID:
        return application.draft(tx, visit.world.seals, _draft(tx, visit, None, faults))

    return _form(visit, "apply", None, write, "drafted")


def _change(visit: Visit) -> Response:
    with visit.world.begin() as tx:
        row = seen(tx, visit)

    def write(tx: Session, faults: Faults) -> UUID:
        reach(tx, visit, _OPEN).require(row.owner)
        amendment = Amendment(row.id, _draft(tx, visit, row, faults))
        application.amend(tx, visit.world.seals, amendment)
        return row.id

    return _form(visit, "change", row, write, "amended")


def _remake(visit: Visit) -> Response:
    with visit.world.begin() as tx:
        row = seen(tx, visit)

    def write(tx: Session, faults: Faults) -> UUID:
        reach(tx, visit, _OPEN).require(row.owner)
        owner_name = visit.typed("owner_name").strip() or row.owner_name
        kept, size = visit.typed("picture_from") == _KEEP, (row.width, row.height)
        picture = None if kept else seal_drawing.picture(visit, owner_name, size, faults)
        keeper = _keeper(tx, visit, faults)
        if faults:
            raise ApplicationWrong(())
        wish = Remaking(
            predecessor=row.id,
            by=clerk_of(visit),
            until=typed_day(visit, "until") or visit.world.clock(),
            owner_name=owner_name,
            name=visit.typed("name").strip() or None,
            keeper=keeper,
            picture_png=picture,
        )
        return remaking.remake(tx, visit.world.seals, wish)

    return _form(visit, "remake", row, write, "remade")


def _form(
    visit: Visit,
    mode: str,
    row: SealRow | None,
    write: Callable[[Session, Faults], UUID],
    word: str,
) -> Response:
    if not visit.posted:
        return _page(visit, mode, row, Faults())
    faults = Faults()
    try:
        with visit.world.begin() as tx:
            seal = write(tx, faults)
    except DomainError as refused:
        _tell(visit, refused, faults)
        return _page(visit, mode, row, _as_on_the_page(faults), status_of(refused.code))
    return go(f"{PATH}/{seal}?done={word}")


def _draft(tx: Session, visit: Visit, row: SealRow | None, faults: Faults) -> Draft:
    """Return what was typed; a keeper or picture at fault is left empty. Raises SealOutOfReach.

    The application refuses what is empty, together with everything else that is wrong: it is told
    in one go.
    """
    owner = visit.typed("owner")
    reach(tx, visit, _OPEN).require(owner)
    owner_name = visit.typed("owner_name").strip() or _body_name(tx, owner)
    kept = row if visit.typed("picture_from") == _KEEP else None
    size = (kept.width, kept.height) if kept else seal_drawing.size_typed(visit)
    return Draft(
        owner=owner,
        owner_name=owner_name,
        name=visit.typed("name"),
        kind=visit.typed("kind"),
        legal_basis=visit.typed("legal_basis"),
        keeper=_keeper(tx, visit, faults),
        picture_png=kept.picture_png
        if kept
        else seal_drawing.picture(visit, owner_name, size, faults),
        picture_ofd=kept.picture if kept and kept.picture_type == "ofd" else b"",
        width=size[0],
        height=size[1],
        until=typed_day(visit, "until") or visit.world.clock(),
        by=clerk_of(visit),
    )


def _keeper(tx: Session, visit: Visit, faults: Faults) -> str:
    """Return the keeper's subject, or "" and the fault for a name that nobody has."""
    typed = visit.typed("keeper").strip()
    try:
        return subject_named(tx, typed) if typed else ""
    except AccountUnknown:
        faults.add("keeper", visit.t("seals.keeper_unknown"))
        return ""


def _tell(visit: Visit, refused: DomainError, faults: Faults) -> None:
    """Add the sentences of an error to what was found before; that stands where both are told."""
    if not isinstance(refused, ApplicationWrong):
        faults.add("", told(visit, refused))
        return
    uploaded = visit.typed("picture_from") == seal_drawing.UPLOAD
    for problem in refused.problems:
        if not problem.field.startswith("picture") and (uploaded or problem.field != "height"):
            sentence = visit.t(f"error.{problem.code}.detail", **problem.parameters)
            faults.add(problem.field, sentence)
        # A drawing that failed was told of before, and its height follows from its width.
        elif uploaded:
            sentence = visit.t(f"seal_picture_fault.{problem.parameters['reason']}")
            faults.add("upload", sentence)


def _as_on_the_page(faults: Faults) -> Faults:
    places = {name: place for place, name in enumerate(("", *_FIELDS))}
    return Faults(dict(sorted(faults.items(), key=lambda fault: places.get(fault[0], 0))))


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
        ways=[_KEEP, _DRAW, seal_drawing.UPLOAD]
        if row is not None
        else [_DRAW, seal_drawing.UPLOAD],
        faults=faults,
    )


def _held(tx: Session, visit: Visit, row: SealRow | None) -> dict[str, str]:
    """Return what the form shows before anything is typed: what is on record, or what is usual."""
    if row is None:
        return {**dict.fromkeys(_FIELDS, ""), **_USUAL}
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
        "shape": (Shape.ROUND if row.width == row.height else Shape.OVAL).value,
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
