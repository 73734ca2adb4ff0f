"""The counter: a clerk records whom they saw with which document, and looks again at what others saw.

Entities too: their licence is seen there, and they rise by it.
"""

from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from idp import counter
from idp.counter import Document, Seen
from idp.entities import promotions
from idp.entities.promotions import Sight
from idp.entity_errors import EntityFieldWrong, EntityNotRegistered
from idp.level_errors import CounterError
from idp.sign_in_errors import SessionUnknown
from idp.vocabulary import Realm
from service.pages.forms import Faults, Page, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/staff/counter"
_FIELDS = ("number", "name")
_ENTITY_FIELDS = ("uscc", "entity_name")
_DONE = ("recorded", "to_review", "confirmed", "refused", "entity")
_AT_FIELD = {
    "counter.number_unknown": "number",
    "counter.person_differs": "name",
    "entity.field": "entity_name",
}


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, for_clerks(_counter)), methods=["GET", "POST"])]


def for_clerks(function: Page) -> Page:
    """Let only staff in who have shown two factors; anyone else does so first and comes back."""

    def guarded(visit: Visit) -> Response:
        visitor, back = visit.visitor, quote(visit.request.url.path)
        if visitor is None or visitor.sign_on.realm is not Realm.STAFF:
            return go(f"/login?realm=staff&next={back}")
        if visitor.sign_on.level < 1:
            return go(f"/login/more?realm=staff&next={back}")
        return function(visit)

    return guarded


def clerk_of(visit: Visit) -> str:
    """Return the subject of the clerk."""
    if visit.visitor is None:
        raise SessionUnknown
    return visit.visitor.sign_on.subject


def _counter(visit: Visit) -> Response:
    if not visit.posted:
        return _page(visit, Faults())
    try:
        if visit.typed("confirm") or visit.typed("refuse"):
            return go(f"{_PATH}?done={_review(visit)}")
        return _record_entity(visit) if visit.typed("do") == "entity" else _record(visit)
    except (CounterError, EntityFieldWrong, EntityNotRegistered) as refused:
        faults = Faults()
        faults.add(_AT_FIELD.get(refused.code, ""), told(visit, refused))
        return _page(visit, faults, status_of(refused.code))


def _record(visit: Visit) -> Response:
    faults = Faults()
    for name in _FIELDS:
        if not visit.typed(name).strip():
            faults.add(name, visit.t(f"counter.{name}_missing"))
    document = visit.typed("document")
    if document not in frozenset(Document):
        faults.add("document", visit.t("counter.document_missing"))
    if faults:
        return _page(visit, faults, 422)
    seen = Seen(
        visit.typed("counter"), Document(document), visit.typed("number"), visit.typed("name")
    )
    provider = visit.world.provider
    with provider.begin() as tx:
        risen = counter.record(tx, provider, clerk_of(visit), seen)
    return go(f"{_PATH}?done={'to_review' if risen.to_review else 'recorded'}")


def _record_entity(visit: Visit) -> Response:
    faults = Faults()
    for name in _ENTITY_FIELDS:
        if not visit.typed(name).strip():
            faults.add(name, visit.t(f"counter.{name}_missing"))
    if faults:
        return _page(visit, faults, 422)
    provider, clerk = visit.world.provider, clerk_of(visit)
    with provider.begin() as tx:
        sight = Sight(visit.typed("uscc"), visit.typed("entity_name"), visit.typed("counter"))
        promotions.at_counter(tx, provider, clerk, sight)
    return go(f"{_PATH}?done=entity")


def _review(visit: Visit) -> str:
    """Do what the button pressed says, and return the word for it. Raises `CounterError`."""
    confirmed = visit.typed("confirm")
    number = confirmed or visit.typed("refuse")
    provider = visit.world.provider
    with provider.begin() as tx:
        at = int(number) if number.isdecimal() and len(number) < 18 else 0
        counter.review(tx, provider, clerk_of(visit), at, good=bool(confirmed))
    return "confirmed" if confirmed else "refused"


def _page(visit: Visit, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        counters = counter.of_clerk(tx, provider, clerk_of(visit))
        waiting = counter.to_review(tx, provider, clerk_of(visit))
    return draw(
        visit,
        "counter.html",
        status,
        done=visit.asked("done") if visit.asked("done") in _DONE else "",
        counters=counters,
        waiting=waiting,
        documents=[document.value for document in Document],
        typed={
            name: visit.typed(name) for name in ("counter", "document", *_FIELDS, *_ENTITY_FIELDS)
        },
        faults=faults,
    )
