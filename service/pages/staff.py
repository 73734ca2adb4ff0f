"""Where a member of staff works and what they may do; security administrators see to those below.

The page decides nothing: `idp.staffing` does, and says no. Only a sign-in with both factors is let in.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from idp import staff
from idp.errors import BodyOutOfReach, ManagesNobody
from idp.sessions import SignOn
from idp.staff import Member
from idp.staffing import appointments, bodies, lifecycle
from idp.staffing.appointments import Appointment, Post
from idp.staffing.roles import ROLE_SCOPES
from idp.vocabulary import Realm
from keys.errors import DomainError
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/staff"
_DONE = ("closed", "given", "ended")
_MANAGE = "staff.manage"


@dataclass(frozen=True, slots=True)
class _Line:
    """An appointment as it is shown: the role, and the name of the body if it is in the tree."""

    appointment: Appointment
    body: str


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, _staff), methods=["GET", "POST"])]


def _staff(visit: Visit) -> Response:
    visitor = visit.visitor
    if visitor is None or visitor.sign_on.realm is not Realm.STAFF:
        return go(f"/login?realm=staff&next={_PATH}")
    if visitor.sign_on.level < 1:
        return go(f"/login/more?realm=staff&next={_PATH}")
    if not visit.posted:
        return _page(visit, visitor.sign_on, Faults())
    try:
        done = _act(visit, visitor.sign_on)
    except DomainError as refused:
        faults = Faults({"give": told(visit, refused)})
        return _page(visit, visitor.sign_on, faults, status_of(refused.code))
    return go(f"{_PATH}?done={done}")


def _act(visit: Visit, own: SignOn) -> str:
    """Do what the button pressed says, and return the word for it."""
    provider, by = visit.world.provider, own.subject
    with provider.begin() as tx:
        manager = staff.member(tx, provider, own.subject)
        if subject := visit.typed("close"):
            _check_reach(tx, manager, subject)
            lifecycle.close(tx, provider, subject, by=by)
            return "closed"
        if number := visit.typed("end"):
            subject = visit.typed(f"holder_{number}")
            _check_reach(tx, manager, subject)
            _end(tx, visit, subject, number, by)
            return "ended"
        subject = staff.subject_of(tx, visit.typed("username").strip()) or ""
        _check_reach(tx, manager, subject)
        post = Post(visit.typed("role"), staff.last_body(tx, subject))
        appointments.appoint(tx, provider, subject, post, by=by)
        return "given"


def _end(tx: Session, visit: Visit, subject: str, number: str, by: str) -> None:
    provider = visit.world.provider
    for one in appointments.unended(tx, subject, provider.clock()):
        if str(one.id) == number:
            appointments.end(tx, provider, one.id, by=by)


def _check_reach(tx: Session, manager: Member, subject: str) -> None:
    """Raise `ManagesNobody` for who manages nobody, `BodyOutOfReach` for those of other bodies."""
    if _MANAGE not in manager.scopes:
        raise ManagesNobody
    body = staff.last_body(tx, subject)
    if body not in bodies.below(tx, manager.organisation):
        raise BodyOutOfReach(body=body)


def _page(visit: Visit, own: SignOn, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        member = staff.member(tx, provider, own.subject)
        names = {body.uscc: body.name for body in bodies.every(tx)}
        lines = [_Line(one, names.get(one.body, one.body)) for one in member.appointments]
        manages = _MANAGE in member.scopes
        below = bodies.below(tx, member.organisation) if manages else frozenset()
        others = staff.working_for(tx, provider, below)
    return draw(
        visit,
        "staff.html",
        status,
        done=visit.asked("done") if visit.asked("done") in _DONE else "",
        member=member,
        body=names.get(member.organisation, member.organisation),
        lines=lines,
        manages=manages,
        others=[
            (other, names.get(other.organisation, other.organisation))
            for other in others
            if other.subject != member.subject
        ],
        roles=list(ROLE_SCOPES),
        faults=faults,
    )
