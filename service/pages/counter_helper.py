"""The counter, for helpers: a citizen says in person, before a clerk, who may act for them."""

from starlette.responses import Response
from starlette.routing import Route

from idp import counter
from idp.counter import Document
from idp.entities import giving
from idp.entities.giving import Named, Witness
from idp.levels import Ladder
from keys.errors import DomainError
from service.pages import items
from service.pages.counter import clerk_of, for_clerks
from service.pages.entities import field_of, shown_gift, typed_gift
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/staff/counter/helper"
_CITIZEN = ("citizen_number", "citizen_name")
_OF_CITIZEN = "mandate.citizen_unknown"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, for_clerks(_helper)), methods=["GET", "POST"])]


def _helper(visit: Visit) -> Response:
    if not visit.posted:
        return _page(visit, Faults())
    faults = Faults()
    for name in _CITIZEN:
        if not visit.typed(name).strip():
            faults.add(name, visit.t(f"counter_helper.{name}_missing"))
    if visit.typed("document") not in frozenset(Document):
        faults.add("document", visit.t("counter.document_missing"))
    if faults:
        return _page(visit, faults, 422)
    try:
        _give(visit)
    except DomainError as refused:
        field = "citizen_number" if refused.code == _OF_CITIZEN else field_of(refused)
        return _page(visit, Faults({field: told(visit, refused)}), status_of(refused.code))
    return go(f"{_PATH}?done=given")


def _give(visit: Visit) -> None:
    """Keep that the citizen agreed. Raises what `giving.to_helper_at_counter` does."""
    provider, document = visit.world.provider, Document(visit.typed("document"))
    witness = Witness(clerk_of(visit), visit.typed("counter"), document)
    citizen = Named(visit.typed("citizen_number"), visit.typed("citizen_name"))
    with provider.begin() as tx:
        giving.to_helper_at_counter(tx, provider, citizen, typed_gift(visit), witness)


def _page(visit: Visit, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        counters = counter.of_clerk(tx, provider, clerk_of(visit))
        offered = items.offered(tx, visit, Ladder.NATURAL)
    names = ("counter", "document", *_CITIZEN)
    return draw(
        visit,
        "counter_helper.html",
        status,
        done=visit.asked("done") == "given",
        counters=counters,
        documents=[document.value for document in Document],
        offered=offered,
        typed={name: visit.typed(name) for name in names} | shown_gift(visit),
        faults=faults,
    )
