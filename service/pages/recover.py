"""Forgotten the password: ID number and phone on one page, the code and a new password on the next."""

from starlette.responses import Response
from starlette.routing import Route

from idp.methods import recovery
from idp.passwords import MINIMUM
from idp.sign_in_errors import PasswordWeak, RecoveryRefused, SmsCodeGone
from keys.errors import DomainError
from service.pages import codes, entering
from service.pages.forms import Faults, go, keep_session, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

TICKET_COOKIE = "yinxin_recovery"
_PATH = "/recover"
_CODE = f"{_PATH}/code"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route(_PATH, page(world, _who), methods=both),
        Route(_CODE, page(world, _code), methods=both),
    ]


def _who(visit: Visit) -> Response:
    if not visit.posted:
        return _who_form(visit, Faults())
    faults = _missing(visit, "number", "phone")
    if faults:
        return _who_form(visit, faults, 422)
    number, phone = visit.typed("number"), visit.typed("phone")
    try:
        ticket = recovery.begin(visit.world.provider, number, phone, visit.address)
    except DomainError as refused:
        faults.add(str(refused.parameters.get("field", "")), told(visit, refused))
        return _who_form(visit, faults, status_of(refused.code))
    answer = go(f"{_CODE}{entering.query(visit)}")
    codes.keep(visit, answer, TICKET_COOKIE, _PATH, ticket)
    return answer


def _code(visit: Visit) -> Response:
    handle, phone = codes.kept(visit, TICKET_COOKIE)
    if not handle:
        return go(f"{_PATH}{entering.query(visit)}")
    if not visit.posted:
        return _code_form(visit, phone, Faults())
    faults = _missing(visit, "code", "password")
    if faults:
        return _code_form(visit, phone, faults, 422)
    asker = entering.asker(visit)
    provider = visit.world.provider
    try:
        proven = recovery.prove(provider, handle, visit.typed("code"), visit.typed("password"))
        with provider.begin() as tx:
            opened = recovery.recover(tx, provider, entering.entry(visit, asker), proven)
    except (SmsCodeGone, RecoveryRefused) as refused:
        # Neither is mended by typing the code again: back to the start.
        answer: Response = _who_form(
            visit, Faults({"number": told(visit, refused)}), status_of(refused.code)
        )
    except DomainError as refused:
        name = "password" if isinstance(refused, PasswordWeak) else "code"
        return _code_form(
            visit, phone, Faults({name: told(visit, refused)}), status_of(refused.code)
        )
    else:
        answer = go("/my/security?done=recovered")
        if asker is not None:
            answer = entering.entered(visit, asker, opened)
        keep_session(visit, answer, opened.cookie)
    answer.delete_cookie(TICKET_COOKIE, _PATH)
    return answer


def _missing(visit: Visit, *names: str) -> Faults:
    faults = Faults()
    for name in names:
        if not visit.typed(name).strip():
            faults.add(name, visit.t("register.missing", label=visit.t(f"recover.{name}")))
    return faults


def _who_form(visit: Visit, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "recover.html",
        status,
        number=visit.typed("number"),
        phone=visit.typed("phone"),
        action=f"{_PATH}{entering.query(visit)}",
        back=f"/login{entering.query(visit)}",
        faults=faults,
    )


def _code_form(visit: Visit, phone: str, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "recover_code.html",
        status,
        phone=phone,
        least=MINIMUM,
        inbox=codes.inbox(visit.world),
        again=f"{_PATH}{entering.query(visit)}",
        faults=faults,
    )
