"""My account: where one is signed in, what portals may know, and how to end either."""

from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from idp import clients, consents, sessions
from idp.consents import Given
from idp.sessions import Ending, SignOn
from idp.sign_in_errors import SessionUnknown
from service.pages.consent import item_name
from service.pages.forms import Page, go, page
from service.pages.rendering import draw
from service.pages.visit import Visit, Visitor
from service.wiring import World

_PATH = "/my/account"
_DONE = ("ended", "ended_others", "taken_back")


def routes(world: World) -> list[Route]:
    """Return the routes of this page."""
    return [Route(_PATH, page(world, _for_signed_in(_account)), methods=["GET", "POST"])]


def _for_signed_in(function: Page) -> Page:
    """Let only those in who are signed in; anyone else signs in first and comes back."""

    def guarded(visit: Visit) -> Response:
        if visit.visitor is None:
            return go(f"/login?next={quote(_PATH)}")
        return function(visit)

    return guarded


def _account(visit: Visit) -> Response:
    visitor = _visitor(visit)
    if visit.posted:
        return go(f"{_PATH}?done={_act(visit, visitor.sign_on)}")
    provider = visit.world.provider
    with provider.begin() as tx:
        signed_in = sessions.of_subject(tx, provider, visitor.sign_on.subject)
        agreed = consents.given(tx, visitor.sign_on.subject)
        known = {given.client_id: clients.find(tx, given.client_id) for given in agreed}
    names = {
        client_id: visit.either(client.name_zh, client.name_en) if client else client_id
        for client_id, client in known.items()
    }
    return draw(
        visit,
        "account.html",
        done=visit.asked("done") if visit.asked("done") in _DONE else "",
        signed_in=signed_in,
        own=visitor.sign_on.sid,
        portals=[(given, names[given.client_id], _items(visit, given)) for given in agreed],
    )


def _act(visit: Visit, own: SignOn) -> str:
    """Do what the button pressed says, and return the word for it. Raises `SessionUnknown`."""
    provider = visit.world.provider
    with provider.begin() as tx:
        if client_id := visit.typed("take_back"):
            # Twice is as good as once.
            consents.take_back(tx, provider, own.subject, client_id)
            return "taken_back"
        if visit.typed("end_others"):
            sessions.end_others(tx, provider, own)
            return "ended_others"
        sid = visit.typed("end")
        # Another person's is answered like one that is not there.
        if sid not in {each.sid for each in sessions.of_subject(tx, provider, own.subject)}:
            raise SessionUnknown
        sessions.end(tx, provider, sid, by=own.subject, why=Ending.FROM_ANOTHER_DEVICE)
        return "ended"


def _visitor(visit: Visit) -> Visitor:
    if visit.visitor is None:
        raise SessionUnknown
    return visit.visitor


def _items(visit: Visit, given: Given) -> list[str]:
    return [item_name(visit, item) for item in given.items]
