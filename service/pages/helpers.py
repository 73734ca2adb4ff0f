"""My helpers: who may act for me, on what, until when; what they did; and an end to it."""

from starlette.responses import Response
from starlette.routing import Route

from idp.acting import MandateKind
from idp.entities import giving, mandates
from idp.levels import Ladder
from idp.sign_in_errors import SignInTooOld
from keys.errors import DomainError
from service.pages import items
from service.pages.entities import (
    done,
    field_of,
    for_citizens,
    name_of,
    own,
    shown_gift,
    typed_gift,
    used,
)
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/my/helpers"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, for_citizens(_helpers)), methods=["GET", "POST"])]


def _helpers(visit: Visit) -> Response:
    if not visit.posted:
        return _drawn(visit, Faults())
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            if visit.typed("revoke"):
                mandates.revoke(tx, provider, visit.typed("revoke"), by=own(visit).subject)
                word = "revoked"
            else:
                giving.to_helper(tx, provider, own(visit), typed_gift(visit))
                word = "given"
    except DomainError as refused:
        faults = Faults({field_of(refused): told(visit, refused)})
        stale = isinstance(refused, SignInTooOld)
        return _drawn(visit, faults, status_of(refused.code), stale=stale)
    return go(f"{_PATH}?done={word}")


def _drawn(visit: Visit, faults: Faults, status: int = 200, *, stale: bool = False) -> Response:
    provider, subject = visit.world.provider, own(visit).subject
    with provider.begin() as tx:
        given = [
            (m, name_of(tx, visit, m.holder), m.live(provider.clock()))
            for m in mandates.of_principal(tx, subject)
            if m.kind is MandateKind.HELPER
        ]
        uses = used(tx, visit, subject)
        item_names, offered = items.names(tx, visit), items.offered(tx, visit, Ladder.NATURAL)
    return draw(
        visit,
        "helpers.html",
        status,
        done=done(visit),
        given=given,
        uses=uses,
        faults=faults,
        stale=stale,
        item_names=item_names,
        offered=offered,
        typed=shown_gift(visit),
    )
