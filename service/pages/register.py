"""A citizen registers in two steps: the particulars, then the code sent to the phone.

Between the steps the browser keeps the ticket in a cookie, so that it stands in no address.
"""

from urllib.parse import quote, unquote

from starlette.responses import Response
from starlette.routing import Route

from idp import registration
from idp.code_tables import ETHNICITIES, SEXES
from idp.errors import (
    EthnicityOrSexDiffers,
    FieldWrong,
    IdentityDiffers,
    NumberTaken,
    PasswordWeak,
    PhoneTaken,
    SmsCodeWrong,
    TicketGone,
)
from idp.methods.password import MINIMUM
from idp.registration import Form
from keys.errors import DomainError
from keys.identity_numbers import NumberWrong
from service.pages.forms import Faults, go, page, set_cookie, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

TICKET_COOKIE = "yinxin_registration"
_PATH = "/register"
_TYPED = ("number", "name", "phone", "password")
_CHOSEN = ("ethnicity", "sex")


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route("/register", page(world, _particulars), methods=both),
        Route("/register/code", page(world, _code), methods=both),
        Route("/register/done", page(world, _done)),
    ]


def _particulars(visit: Visit) -> Response:
    if not visit.posted:
        return _form(visit, Faults())
    faults = _missing(visit)
    if faults:
        return _form(visit, faults, 422)
    form = Form(**{name: visit.typed(name) for name in _TYPED + _CHOSEN})
    try:
        ticket = registration.begin_registration(visit.world.provider, form, visit.address)
    except DomainError as refused:
        faults.add(_field_of(refused), told(visit, refused))
        return _form(visit, faults, status_of(refused.code))
    answer = go(_with_interaction(visit, "/register/code"))
    kept = f"{ticket.handle} {ticket.phone}"
    set_cookie(visit, answer, TICKET_COOKIE, quote(kept), _PATH)
    return answer


def _code(visit: Visit) -> Response:
    handle, phone = _ticket(visit)
    if not handle:
        return _form(visit, Faults({"": visit.t("register.gone")}), 410)
    if not visit.posted:
        return _code_form(visit, phone, Faults())
    code = visit.typed("code").strip()
    if not code:
        return _code_form(visit, phone, Faults({"code": visit.t("register.code_missing")}), 422)
    provider = visit.world.provider
    try:
        proven = registration.prove_registration(provider, handle, code)
        with provider.begin() as tx:
            registration.open_account(tx, provider, proven)
    except (TicketGone, IdentityDiffers, EthnicityOrSexDiffers, NumberTaken, PhoneTaken) as refused:
        # These end the registration: back to the form, which must be typed again.
        faults = Faults({_field_of(refused): told(visit, refused)})
        answer = _form(visit, faults, status_of(refused.code))
        answer.delete_cookie(TICKET_COOKIE, _PATH)
        return answer
    except DomainError as refused:
        faults = Faults({"code": told(visit, refused)})
        return _code_form(visit, phone, faults, status_of(refused.code))
    answer = go(_with_interaction(visit, "/register/done"))
    answer.delete_cookie(TICKET_COOKIE, _PATH)
    return answer


def _done(visit: Visit) -> Response:
    return draw(visit, "register_done.html", uid=visit.asked("interaction"))


def _missing(visit: Visit) -> Faults:
    faults = Faults()
    for name in ("number", "name", "ethnicity", "sex", "phone", "password"):
        if not visit.typed(name).strip():
            asked = "register.choose" if name in _CHOSEN else "register.missing"
            faults.add(name, visit.t(asked, label=visit.t(f"register.{name}")))
    return faults


def _field_of(refused: DomainError) -> str:
    """Return the field of the form an error is about, or "" for the whole form."""
    match refused:
        case NumberWrong() | IdentityDiffers() | NumberTaken():
            return "number"
        case EthnicityOrSexDiffers():
            return "ethnicity"
        case PhoneTaken():
            return "phone"
        case PasswordWeak():
            return "password"
        case SmsCodeWrong():
            return "code"
        case FieldWrong():
            return str(refused.parameters["field"])
        case _:
            return ""


def _form(visit: Visit, faults: Faults, status: int = 200) -> Response:
    # Whatever was typed is shown again, but never the password.
    typed = {name: visit.typed(name) for name in (*_TYPED, *_CHOSEN) if name != "password"}
    return draw(
        visit,
        "register.html",
        status,
        faults=faults,
        typed=typed,
        ethnicities=ETHNICITIES,
        sexes=SEXES,
        least=MINIMUM,
        uid=visit.asked("interaction"),
    )


def _code_form(visit: Visit, phone: str, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "register_code.html",
        status,
        faults=faults,
        phone=phone,
        inbox=_simulated_inbox(visit.world),
        uid=visit.asked("interaction"),
    )


def _simulated_inbox(world: World) -> str:
    """Return where the simulated SMS are read, or nothing where real ones are sent."""
    simulated = world.simulators_url and not world.settings.sms_gateway_url
    return f"{world.simulators_url}/sms-gateway/messages" if simulated else ""


def _ticket(visit: Visit) -> tuple[str, str]:
    """Return the ticket's handle and the masked phone, both empty when there is none."""
    handle, _, phone = unquote(visit.request.cookies.get(TICKET_COOKIE, "")).partition(" ")
    return handle, phone


def _with_interaction(visit: Visit, path: str) -> str:
    uid = visit.asked("interaction")
    return f"{path}?interaction={quote(uid)}" if uid else path
