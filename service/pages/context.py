"""For whom somebody acts at a portal: themselves, an entity, or a citizen whom they help.

The page decides nothing: the choice is kept with the sign-on, and the browser goes back to the steps.
"""

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction
from idp.entities import choosing, context
from idp.entities.context import Stance
from idp.entity_errors import ContextNotOpen
from idp.interaction import Details
from service.pages.forms import Faults, go, in_language_of, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit, Visitor
from service.wiring import World

_PATH = "/login/context"
_MYSELF = "myself"
_DENY = "deny"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, _context), methods=["GET", "POST"])]


def _context(visit: Visit) -> Response:
    provider, visitor, uid = visit.world.provider, visit.visitor, visit.asked("interaction")
    with provider.begin() as tx:
        details = interaction.details(tx, provider, uid, visit.browser)
    # Whoever is not signed in must be first: where the browser goes after a page, that is seen to.
    if visitor is None or visitor.sign_on.realm is not details.realm:
        return go(interaction.resume_url(provider, uid))
    with provider.begin() as tx:
        stance = choosing.question(tx, provider, uid, visit.browser, visitor.sign_on)
    visit = in_language_of(visit, details.ui_locales)
    if not visit.posted:
        return _page(visit, details, visitor, stance, Faults())
    if visit.typed("acting") == _DENY:
        interaction.deny(provider, uid, visit.browser)
        return go(interaction.resume_url(provider, uid))
    faults = _choose(visit, visitor, stance)
    if faults:
        return _page(visit, details, visitor, stance, faults, 422)
    return go(interaction.resume_url(provider, uid))


def _choose(visit: Visit, visitor: Visitor, stance: Stance) -> Faults:
    chosen, provider = visit.typed("acting"), visit.world.provider
    if not chosen or (chosen == _MYSELF and not stance.wanted.oneself):
        return Faults({"acting": visit.t("context.missing")})
    try:
        with provider.begin() as tx:
            mandate = None if chosen == _MYSELF else chosen
            context.choose(tx, provider, visitor.sign_on, mandate)
    except ContextNotOpen as refused:
        return Faults({"acting": told(visit, refused)})
    return Faults()


def _page(
    visit: Visit,
    details: Details,
    visitor: Visitor,
    stance: Stance,
    faults: Faults,
    status: int = 200,
) -> Response:
    return draw(
        visit,
        "context.html",
        status,
        images=[details.logo_uri] if details.logo_uri else (),
        faults=faults,
        asker=details,
        portal=visit.either(details.client_name_zh, details.client_name_en),
        name=visitor.name,
        stance=stance,
    )
