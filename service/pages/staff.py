"""Where a member of staff works and what they may do; security administrators see to those below.

The page decides nothing: `idp.staffing` does, and says no. Only a sign-in with both factors is let in.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from idp import staff
from idp.sessions import SignOn
from idp.staff import Member
from idp.staff_errors import BodyOutOfReach, ManagesNobody, RoleOfOperators
from idp.staffing import appointments, bodies, lifecycle
from idp.staffing.appointments import Appointment, Post
from idp.staffing.roles import OPERATORS_ALONE, ROLE_SCOPES
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
    provider = visit.world.provider
    with provider.begin() as tx:
        manager = staff.member(tx, provider, own.subject)
        if subject := visit.typed("close"):
            _reached(tx, visit, manager, staff.last_body(tx, subject))
            lifecycle.close(tx, provider, subject, by=manager.subject)
            return "closed"
        if number := visit.typed("end"):
            _end(tx, visit, manager, number)
            return "ended"
        subject = staff.subject_of(tx, visit.typed("username").strip()) or ""
        _give(tx, visit, manager, subject, visit.typed("role"))
        return "given"


def _give(tx: Session, visit: Visit, manager: Member, subject: str, role: str) -> None:
    """Give what reaches no further than the manager's own appointment does."""
    body = staff.last_body(tx, subject)
    below = _reached(tx, visit, manager, body)
    if role in OPERATORS_ALONE:
        raise RoleOfOperators(role=role)
    post = Post(role, body, below)
    appointments.appoint(tx, visit.world.provider, subject, post, by=manager.subject)


def _end(tx: Session, visit: Visit, manager: Member, number: str) -> None:
    provider = visit.world.provider
    subject = visit.typed(f"holder_{number}")
    for one in appointments.unended(tx, subject, provider.clock()):
        if str(one.id) == number:
            _reached(tx, visit, manager, one.body)
            appointments.end(tx, provider, one.id, by=manager.subject)


def _reached(tx: Session, visit: Visit, manager: Member, body: str) -> bool:
    """See that the manager answers for the staff of a body; say whether for those below it too.

    Raises `ManagesNobody` for who manages nobody, `BodyOutOfReach` for those of other bodies.
    """
    if not any(_MANAGE in one.scopes for one in manager.appointments):
        raise ManagesNobody
    by = appointments.permitting(tx, visit.world.provider, manager.subject, _MANAGE, body)
    if not by:
        raise BodyOutOfReach(body=body)
    return any(one.below for one in by)


def _page(visit: Visit, own: SignOn, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        member = staff.member(tx, provider, own.subject)
        names = {body.uscc: body.name for body in bodies.every(tx)}
        lines = [_Line(one, names.get(one.body, one.body)) for one in member.appointments]
        managing = [one for one in member.appointments if _MANAGE in one.scopes]
        others = staff.working_for(tx, provider, _managed(tx, managing))
    return draw(
        visit,
        "staff.html",
        status,
        done=visit.asked("done") if visit.asked("done") in _DONE else "",
        member=member,
        body=names.get(member.organisation, member.organisation),
        lines=lines,
        manages=bool(managing),
        others=[
            (other, names.get(other.organisation, other.organisation))
            for other in others
            if other.subject != member.subject
        ],
        roles=[role for role in ROLE_SCOPES if role not in OPERATORS_ALONE],
        faults=faults,
    )


def _managed(tx: Session, managing: list[Appointment]) -> frozenset[str]:
    """The bodies that these appointments reach."""
    reached = (bodies.below(tx, one.body) if one.below else {one.body} for one in managing)
    return frozenset().union(*reached)
