"""Sign in with another node's word: off to it, and back from it.

The pages decide nothing: `idp.nodes.upstream_sign_in` says where to go and judges what comes back.
"""

from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction, sessions
from idp.methods.sign_in import Entry
from idp.node_errors import UpstreamPersonDiffers
from idp.nodes import upstream_sign_in
from idp.nodes.upstream_sign_in import Begun, Proven, Returned, Start
from idp.sessions import Opened
from keys.errors import DomainError
from service.pages.forms import go, keep_session, local_path, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

WALLET = "/my/licences"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages, and the one that the upstream calls when a sign-on ended."""
    return [
        Route("/login/upstream/{name}", page(world, _begin)),
        Route("/login/upstream/{name}/callback", page(world, _return)),
    ]


def entries(visit: Visit, uid: str = "") -> list[tuple[str, str]]:
    """The label and the address of each upstream, for the page where people choose."""
    query = f"interaction={quote(uid)}" if uid else f"next={quote(visit.asked('next'))}"
    return [
        (visit.either(one.label_zh, one.label_en), f"/login/upstream/{one.name}?{query}")
        for one in visit.world.provider.node.upstreams.values()
    ]


def _begin(visit: Visit) -> Response:
    uid = visit.asked("interaction")
    start = Start(
        browser=visit.browser,
        interaction=uid or None,
        next=local_path(visit.asked("next"), WALLET),
        locale=visit.locale,
    )
    try:
        return go(upstream_sign_in.begin(visit.world.provider, _name(visit), start))
    except DomainError as refused:
        return _failed(visit, refused, uid)


def _return(visit: Visit) -> Response:
    provider, name = visit.world.provider, _name(visit)
    begun = upstream_sign_in.taken(provider, name, visit.asked("state"), visit.browser)
    returned = Returned(visit.asked("code"), visit.asked("error"), visit.asked("iss"))
    try:
        proven = upstream_sign_in.prove(provider, begun, returned)
        opened = _enter(visit, proven, begun)
    except DomainError as refused:
        return _failed(visit, refused, begun.interaction or "")
    uid = begun.interaction
    answer = go(interaction.resume_url(provider, uid) if uid else begun.next)
    keep_session(visit, answer, opened.cookie)
    return answer


def _enter(visit: Visit, proven: Proven, begun: Begun) -> Opened:
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            return upstream_sign_in.enter(tx, provider, proven, _entry(visit, begun))
    except UpstreamPersonDiffers:
        with provider.begin() as tx:
            upstream_sign_in.keep_conflict(tx, provider, proven)
        raise


def _entry(visit: Visit, begun: Begun) -> Entry:
    return Entry(
        address=visit.address,
        device=visit.device,
        interaction=begun.interaction,
        browser=visit.browser,
        session=visit.request.cookies.get(sessions.COOKIE),
    )


def _failed(visit: Visit, refused: DomainError, uid: str) -> Response:
    """Say what happened, and lead back to the other ways to sign in."""
    back = f"/login?interaction={quote(uid)}" if uid else "/login"
    return draw(
        visit,
        "upstream_failed.html",
        status_of(refused.code),
        title=visit.t(f"error.{refused.code}.title"),
        text=told(visit, refused),
        back=back,
    )


def _name(visit: Visit) -> str:
    return str(visit.request.path_params["name"])
