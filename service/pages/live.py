"""高级: before a transaction goes through, the person is seen live, and reads here what it is for."""

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction, live_checks
from idp.errors import TooManyTries
from idp.interaction import Details
from idp.level_errors import LiveCheckPending
from idp.live_checks import Claim
from idp.people_errors import SourceUnavailable
from idp.sources.live_person import LiveMethod
from service.pages import seeing
from service.pages.forms import Faults, go, in_language_of, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/login/live"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, _live), methods=["GET", "POST"])]


def _live(visit: Visit) -> Response:
    provider, uid = visit.world.provider, visit.asked("interaction")
    with provider.begin() as tx:
        asker = interaction.details(tx, provider, uid, visit.browser)
    visit = in_language_of(visit, asker.ui_locales)
    # Whoever is not signed in must be first: where the browser goes after a page, that is seen to.
    if visit.visitor is None or visit.visitor.sign_on.realm is not asker.realm:
        return go(interaction.resume_url(provider, uid))
    if visit.typed("decision") == "deny":
        interaction.deny(provider, uid, visit.browser)
        return go(interaction.resume_url(provider, uid))
    with provider.begin() as tx:
        details = asker.authorization_details
        claimed = live_checks.claim(tx, provider, visit.visitor.sign_on, asker.client_id, details)
    try:
        if visit.posted:
            return seeing.send(visit, claimed, f"{_PATH}?interaction={uid}")
        return _come_back(visit, asker, claimed)
    except (LiveCheckPending, SourceUnavailable, TooManyTries) as refused:
        faults = Faults()
        faults.add("", told(visit, refused))
        return _page(visit, asker, claimed, faults, status_of(refused.code))


def _come_back(visit: Visit, asker: Details, claimed: Claim) -> Response:
    """See how it went, if the person was seen; else show what it is for."""
    good, faults = seeing.came_of(visit, claimed), Faults()
    if good is None:
        return _page(visit, asker, claimed, faults)
    if good:
        return go(interaction.resume_url(visit.world.provider, asker.uid))
    faults.add("", visit.t("live.failed"))
    return _page(visit, asker, claimed, faults, 422)


def _page(
    visit: Visit, asker: Details, claimed: Claim, faults: Faults, status: int = 200
) -> Response:
    return draw(
        visit,
        "live.html",
        status,
        images=[asker.logo_uri] if asker.logo_uri else (),
        asker=asker,
        portal=visit.either(asker.client_name_zh, asker.client_name_en),
        done=claimed.transaction,
        methods=[method.value for method in LiveMethod],
        faults=faults,
    )
