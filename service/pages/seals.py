"""The seals of the bodies somebody works for: where each stands, and the steps that are theirs to take.

`service.pages.seal_steps` says to whom which step is offered, `service.pages.seal_taking` takes it.
"""

from collections.abc import Mapping
from itertools import pairwise
from shlex import quote
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from idp import staff
from idp.people_errors import AccountUnknown
from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.vault import DESTROY, USE, subject
from seal.life import browsing, destroying, grants, register, remaking, usage
from seal.life.gate import APPLY, READING
from seal.life.grants import HolderKind
from seal.life.tables import SealRow
from seal.seal_states import SealState
from seal.ses_reading import read_seal
from service.pages.counter import clerk_of, for_clerks
from service.pages.forms import Faults, go, page
from service.pages.rendering import draw
from service.pages.seal_steps import STEPS, WAITING, offered, reach, reaches_of
from service.pages.seal_taking import TAKEN, TYPED, field_of, sentence_of
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

PATH = "/staff/seals"
ONE = "/staff/seals/{seal}"
_PAGE = 50
_USES = 20
_PIXELS_A_MM = 96 / 25.4

_S = SealState
TONES: Mapping[SealState, str] = MappingProxyType(
    {
        _S.IN_USE: "good",
        _S.REJECTED: "bad",
        _S.LOST: "bad",
        _S.DESTROYED: "bad",
        _S.SUSPENDED: "warn",
    }
)
"""How a state looks; the others are on the way."""


_DONE = (*STEPS, "drafted", "amended", "remade", "reject", "approve", "end")


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(PATH, page(world, for_clerks(_list))),
        Route(ONE, page(world, for_clerks(_seal)), methods=["GET", "POST"]),
        Route(f"{ONE}/picture", page(world, for_clerks(_picture))),
    ]


def number_of(visit: Visit) -> UUID:
    """Return the seal that the address names. Raises HTTPException (404)."""
    try:
        return UUID(visit.request.path_params["seal"])
    except ValueError:
        raise HTTPException(404) from None


def seen(tx: Session, visit: Visit) -> SealRow:
    """Return the row of the seal that the address names. Raises SealUnknown, SealOutOfReach."""
    row = register.find(tx, number_of(visit))
    reach(tx, visit, READING).require(row.owner)
    return row


def name_of(tx: Session, visit: Visit, person: str) -> str:
    """Return what a member of staff is called, or the subject of one who left."""
    try:
        return staff.member(tx, visit.world.provider, person).name
    except AccountUnknown:
        return person


def _list(visit: Visit) -> Response:
    after = browsing.read_mark(visit.asked("after"))
    with visit.world.begin() as tx:
        seen_at = reach(tx, visit, READING)
        bodies = None if seen_at.everywhere else seen_at.bodies
        rows = browsing.seals(tx, bodies, after=after, limit=_PAGE)
        reaches, me = reaches_of(tx, visit), clerk_of(visit)
        steps = {row.id: offered(tx, me, row, reaches) for row in rows}
    waiting = {row: [name for name in WAITING if name in steps[row]] for row in steps}
    return draw(
        visit,
        "seals.html",
        rows=[row for row in rows if waiting[row.id]]
        + [row for row in rows if not waiting[row.id]],
        waiting=waiting,
        tones=TONES,
        applies=bool(reaches[APPLY].bodies),
        sees=bool(seen_at.everywhere or seen_at.bodies),
        next=browsing.mark_of(rows[-1]) if len(rows) == _PAGE else "",
    )


def _picture(visit: Visit) -> Response:
    with visit.world.begin() as tx:
        picture = seen(tx, visit).picture_png
    return Response(picture, media_type="image/png")


def _seal(visit: Visit) -> Response:
    if not visit.posted:
        return _page(visit, Faults())
    word = visit.typed("do")
    take = TAKEN.get(word)
    if take is None:
        raise HTTPException(400)
    try:
        with visit.world.begin() as tx:
            seen(tx, visit)
            take(tx, visit, number_of(visit), clerk_of(visit))
    except DomainError as refused:
        faults = Faults({field_of(word, refused): sentence_of(visit, refused)})
        return _page(visit, faults, status_of(refused.code))
    return go(f"{visit.request.url.path}?done={word}")


def _page(visit: Visit, faults: Faults, status: int = 200) -> Response:
    world, before = visit.world, visit.asked("before")
    with world.begin() as tx:
        row = seen(tx, visit)
        reaches = reaches_of(tx, visit)
        steps = offered(tx, clerk_of(visit), row, reaches)
        events = register.history(tx, row.id)
        held = grants.grants_of(tx, row.id)
        counts = usage.counts(tx, row.id)
        least = int(before) if before.isdecimal() and len(before) < 18 else None
        uses = usage.log(tx, row.id, before=least, limit=_USES)
        of_keys = destroying.subjects_of(tx, world.seals, row.id) if "destroy" in steps else ()
        persons = {row.keeper, row.applied_by, *(event.by for event in events)}
        persons |= {one.holder for one in held if one.holder_kind is HolderKind.PERSON}
        persons |= {use.by for use in uses}
        names = {person: name_of(tx, visit, person) for person in persons}
        predecessor = register.find(tx, row.predecessor) if row.predecessor else None
        successor = remaking.successor(tx, row)
    return draw(
        visit,
        "seal.html",
        status,
        row=row,
        tone=TONES.get(SealState(row.state), "unsure"),
        tones=TONES,
        width=round(row.width * _PIXELS_A_MM),
        height=round(row.height * _PIXELS_A_MM),
        predecessor=predecessor,
        successor=successor,
        until=read_seal(row.der).valid_until if row.der else None,
        steps=steps,
        idle=not steps & {*WAITING},
        waits="replaced" if _is_replaced(row, successor) else row.state,
        events=events,
        again={one.number for before, one in pairwise(events) if one.state == before.state},
        grants=held,
        now=world.clock(),
        counts=counts,
        uses=uses,
        older=uses[-1].number if len(uses) == _USES else None,
        names=names,
        to_make=commands(USE, subject(Purpose.SEAL_MAKER, world.seals.maker)),
        to_destroy=commands(DESTROY, *of_keys),
        kinds=[kind.value for kind in HolderKind],
        typed={name: visit.typed(name) for name in TYPED},
        done=visit.asked("done") if not visit.posted and visit.asked("done") in _DONE else "",
        faults=faults,
    )


def _is_replaced(row: SealRow, successor: SealRow | None) -> bool:
    stopped = row.state in (SealState.SUSPENDED, SealState.LOST)
    return stopped and successor is not None and successor.state in remaking.TAKEN_OVER


def commands(action: str, *subjects: str) -> str:
    """Return the commands by which one custodian asks for an action and another agrees to it."""
    asked = [f"yinxin keys ask {action} {quote(about)} --custodian NAME" for about in subjects]
    return "\n".join((*asked, "yinxin keys agree NUMBER --custodian NAME"))
