"""A kiosk or a television shows a code: typed here, it shows who asks for what (RFC 8628 §3.3)."""

from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from idp import deciding, device_approval, user_codes
from idp.errors import TooManyTries
from idp.sessions import SignOn
from idp.sign_in_errors import ApprovalGone, UserCodeWrong
from keys.errors import DomainError
from service.pages.approvals import decided, done, shown, sign_in_first
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/device"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, _device), methods=["GET", "POST"])]


def _device(visit: Visit) -> Response:
    code = visit.asked("user_code") or visit.typed("user_code")
    if visit.visitor is None:
        return sign_in_first(_address(code))
    if done(visit):
        return draw(visit, "device_done.html", done=done(visit))
    if visit.posted and not visit.typed("decision"):
        return go(_address(code))
    if not code:
        return _form(visit, Faults())
    try:
        return _asked(visit, visit.visitor.sign_on, code)
    except (UserCodeWrong, ApprovalGone, TooManyTries) as refused:
        return _refused(visit, refused)


def _asked(visit: Visit, sign_on: SignOn, code: str) -> Response:
    provider = visit.world.provider
    uid = device_approval.entered(provider, sign_on, visit.address, code)
    if visit.posted:
        return go(f"{_PATH}?done={decided(visit, uid, sign_on)}")
    with provider.begin() as tx:
        question = deciding.question(tx, provider, uid, sign_on)
    logo = question.client.logo_uri
    return draw(
        visit,
        "device_request.html",
        images=[logo] if logo else (),
        code=user_codes.read(code),
        each=shown(visit, question),
    )


def _refused(visit: Visit, refused: DomainError) -> Response:
    faults = Faults()
    faults.add("user_code", told(visit, refused))
    return _form(visit, faults, status_of(refused.code))


def _form(visit: Visit, faults: Faults, status: int = 200) -> Response:
    code = visit.typed("user_code") or visit.asked("user_code")
    return draw(visit, "device.html", status, code=code, faults=faults)


def _address(code: str) -> str:
    return f"{_PATH}?{urlencode({'user_code': code})}" if code else _PATH
