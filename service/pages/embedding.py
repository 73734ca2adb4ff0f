"""Registration for city portals: shown in their frame, or gone to and come back from.

Which portals is an allow-list of the operator's; the portal's page never sees what is typed.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from idp.node_errors import ReturnAddressUnlisted
from idp.upstream import Upstream
from service.middleware import content_security_policy
from service.pages.forms import go, page, set_cookie
from service.pages.visit import Visit
from service.wiring import World

RETURN_COOKIE = "yinxin_return"
_PATH = "/register"

Endpoint = Callable[[Request], Awaitable[Response]]


def routes(world: World) -> list[Route]:
    """Return the route by which portals send people here to register."""
    return [Route("/register/from", embeddable(world, page(world, _come)))]


def embeddable(world: World, endpoint: Endpoint) -> Endpoint:
    """Let the portals on the list show what this endpoint answers in a frame.

    Browsers that know `frame-ancestors` pass over X-Frame-Options (CSP Level 3 §6.4.2), the others
    show nothing. Our cookies are SameSite=Lax: a frame works for portals of the same site, that is
    the province's own domain; any other sends people here and has them back.
    """
    origins = sorted(world.provider.node.embedding.origins)

    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        if origins:
            policy = content_security_policy(ancestors=origins)
            response.headers["Content-Security-Policy"] = policy
        return response

    return answer


def elsewhere(visit: Visit) -> Response | None:
    """Where new people register when this node makes no accounts; `None` when it does.

    Raises `RegistrationElsewhere` when there is no such page to go to.
    """
    node = visit.world.provider.node
    if node.registers:
        return None
    if node.registrar is None:
        node.require_registration()
        return None
    back = urlencode({"return_to": _back_here(visit, node.registrar)})
    mark = "&" if "?" in node.registrar.registration_url else "?"
    return go(f"{node.registrar.registration_url}{mark}{back}")


def return_address(visit: Visit) -> str:
    """Where the person who registered came from, or nothing. It is judged again: cookies can be made."""
    kept = unquote(visit.request.cookies.get(RETURN_COOKIE, ""))
    return visit.world.provider.node.embedding.return_address(kept) or ""


def _come(visit: Visit) -> Response:
    told = visit.asked("return_to")
    address = visit.world.provider.node.embedding.return_address(told)
    if address is None:
        raise ReturnAddressUnlisted
    answer = go(_PATH)
    set_cookie(visit, answer, RETURN_COOKIE, quote(address), _PATH)
    return answer


def _back_here(visit: Visit, registrar: Upstream) -> str:
    """Our page that signs in with the account which was just made there."""
    uid = visit.asked("interaction")
    query = f"?{urlencode({'interaction': uid})}" if uid else ""
    return f"{visit.world.address}/login/upstream/{registrar.name}{query}"
