"""Act as an entity by its own certificate: of the connection, or by signing a text of ours."""

from starlette.responses import Response
from starlette.routing import Route

from idp.entities import enterprise_certificate
from idp.methods import certificate_sign_in
from keys.errors import DomainError
from service.pages.certificate import left_empty, proven, shown_certificate
from service.pages.entities import for_citizens, own
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/my/entities/certificate"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, for_citizens(_certificate)), methods=["GET", "POST"])]


def _certificate(visit: Visit) -> Response:
    if not visit.posted:
        return _form(visit, Faults())
    if faults := left_empty(visit):
        return _form(visit, faults, 422)
    provider = visit.world.provider
    try:
        shown = proven(visit)
        with provider.begin() as tx:
            enterprise_certificate.act_by(tx, provider, own(visit), shown)
    except DomainError as refused:
        faults = Faults({"certificate": told(visit, refused)})
        return _form(visit, faults, status_of(refused.code))
    return go("/my/entities?done=chosen")


def _form(visit: Visit, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    nonce = certificate_sign_in.ask(provider, visit.browser)
    return draw(
        visit,
        "entity_certificate.html",
        status,
        by_connection=shown_certificate(visit) is not None,
        nonce=nonce,
        text=certificate_sign_in.text(provider, nonce),
        faults=faults,
    )
