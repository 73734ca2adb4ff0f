"""Sign in by a code sent to the phone: the phone on one page, the code on the next."""

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from idp.interaction import Details
from idp.methods import sms_sign_in
from idp.sign_in_errors import PhoneUnknown, SmsCodeGone
from idp.vocabulary import Realm
from keys.errors import DomainError
from service.pages import codes, entering
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

TICKET_COOKIE = "yinxin_sms"
_PATH = "/login/sms"
_CODE = f"{_PATH}/code"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route(_PATH, page(world, _phone), methods=both),
        Route(_CODE, page(world, _code), methods=both),
    ]


def _phone(visit: Visit) -> Response:
    asker = entering.asker(visit)
    if entering.realm(visit, asker) is Realm.STAFF or not visit.world.provider.node.signs_in:
        return go(f"/login{entering.query(visit)}")
    if not visit.posted:
        return _phone_form(visit, asker, Faults())
    phone = visit.typed("phone").strip()
    if not phone:
        return _phone_form(visit, asker, Faults({"phone": visit.t("sms.phone_missing")}), 422)
    try:
        ticket = sms_sign_in.begin(visit.world.provider, phone, visit.address)
    except DomainError as refused:
        faults = Faults({"phone": told(visit, refused)})
        return _phone_form(visit, asker, faults, status_of(refused.code))
    answer = go(f"{_CODE}{entering.query(visit)}")
    codes.keep(visit, answer, TICKET_COOKIE, _PATH, ticket)
    return answer


def _code(visit: Visit) -> Response:
    asker = entering.asker(visit)
    handle, phone = codes.kept(visit, TICKET_COOKIE)
    if not handle:
        return go(f"{_PATH}{entering.query(visit)}")
    if not visit.posted:
        return _code_form(visit, asker, phone, Faults())
    if not visit.typed("code").strip():
        faults = Faults({"code": visit.t("register.code_missing")})
        return _code_form(visit, asker, phone, faults, 422)
    provider = visit.world.provider
    try:
        proven = sms_sign_in.prove(provider, handle, visit.typed("code"))
        with provider.begin() as tx:
            opened = sms_sign_in.enter(tx, provider, entering.entry(visit, asker), proven)
    except (SmsCodeGone, PhoneUnknown) as refused:
        # Neither is mended by typing again: another phone, or another code.
        faults = Faults({"phone": told(visit, refused)})
        answer = _phone_form(visit, asker, faults, status_of(refused.code))
    except DomainError as refused:
        faults = Faults({"code": told(visit, refused)})
        return _code_form(visit, asker, phone, faults, status_of(refused.code))
    else:
        answer = entering.entered(visit, asker, opened)
    answer.delete_cookie(TICKET_COOKIE, _PATH)
    return answer


def _phone_form(visit: Visit, asker: Details | None, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "login_sms.html",
        status,
        **_asked(visit, asker),
        ways=entering.ways(visit, asker),
        way="sms",
        phone=visit.typed("phone"),
        action=f"{_PATH}{entering.query(visit)}",
        faults=faults,
    )


def _code_form(
    visit: Visit, asker: Details | None, phone: str, faults: Faults, status: int = 200
) -> Response:
    return draw(
        visit,
        "login_code.html",
        status,
        **_asked(visit, asker),
        phone=phone,
        inbox=codes.inbox(visit.world),
        again=f"{_PATH}{entering.query(visit)}",
        faults=faults,
    )


def _asked(visit: Visit, asker: Details | None) -> dict[str, Any]:
    """Return what is told of the portal that waits."""
    return {
        "images": [asker.logo_uri] if asker and asker.logo_uri else (),
        "asker": asker,
        "portal": visit.either(asker.client_name_zh, asker.client_name_en) if asker else "",
    }
