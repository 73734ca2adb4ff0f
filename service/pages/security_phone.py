"""Another phone: its number on one page, the code sent to it on the next."""

from starlette.responses import Response
from starlette.routing import Route

from idp.methods import phone_change
from idp.people_errors import PhoneTaken
from idp.sessions import SignOn
from idp.sign_in_errors import SecondFactorNeeded, SignInTooOld, SmsCodeGone
from keys.errors import DomainError
from service.pages import codes
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.security import PATH, for_own
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

TICKET_COOKIE = "yinxin_phone"
_PATH = f"{PATH}/phone"
_CODE = f"{_PATH}/code"
_SIGN_IN = (SignInTooOld, SecondFactorNeeded)


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route(_PATH, page(world, for_own(_phone)), methods=both),
        Route(_CODE, page(world, for_own(_code)), methods=both),
    ]


def _phone(visit: Visit, own: SignOn) -> Response:
    provider = visit.world.provider
    phone_change.check_may_change(provider, own)
    if not visit.posted:
        return _phone_form(visit, Faults())
    if not visit.typed("phone").strip():
        return _phone_form(visit, Faults({"phone": visit.t("sms.phone_missing")}), 422)
    try:
        ticket = phone_change.begin(provider, own, visit.typed("phone"), visit.address)
    except _SIGN_IN:
        raise
    except DomainError as refused:
        return _phone_form(visit, Faults({"phone": told(visit, refused)}), status_of(refused.code))
    answer = go(_CODE)
    codes.keep(visit, answer, TICKET_COOKIE, _PATH, ticket)
    return answer


def _code(visit: Visit, own: SignOn) -> Response:
    provider = visit.world.provider
    handle, phone = codes.kept(visit, TICKET_COOKIE)
    if not handle:
        return go(_PATH)
    if not visit.posted:
        return _code_form(visit, phone, Faults())
    try:
        proven = phone_change.prove(provider, own, handle, visit.typed("code"))
        with provider.begin() as tx:
            phone_change.keep(tx, provider, own, proven)
    except _SIGN_IN:
        raise
    except (SmsCodeGone, PhoneTaken) as refused:
        faults = Faults({"phone": told(visit, refused)})
        answer: Response = _phone_form(visit, faults, status_of(refused.code))
    except DomainError as refused:
        faults = Faults({"code": told(visit, refused)})
        return _code_form(visit, phone, faults, status_of(refused.code))
    else:
        answer = go(f"{PATH}?done=phone")
    answer.delete_cookie(TICKET_COOKIE, _PATH)
    return answer


def _phone_form(visit: Visit, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "security_phone.html",
        status,
        phone=visit.typed("phone"),
        action=_PATH,
        faults=faults,
    )


def _code_form(visit: Visit, phone: str, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "security_phone_code.html",
        status,
        phone=phone,
        inbox=codes.inbox(visit.world),
        again=_PATH,
        faults=faults,
    )
