"""A citizen registers in two steps: the particulars of their paper, then the code sent to the phone.

Between the steps the browser keeps the ticket in a cookie, so that it stands in no address.
"""

from dataclasses import fields
from urllib.parse import quote, unquote, urlencode

from starlette.responses import Response
from starlette.routing import Route

from idp import registration
from idp.code_tables import ETHNICITIES, SEXES
from idp.errors import FieldWrong
from idp.identity_documents import RULES, Document
from idp.passwords import MINIMUM
from idp.people_errors import (
    EthnicityOrSexDiffers,
    IdentityDiffers,
    NationalityOrBirthdateDiffers,
    NumberTaken,
    PaperDiffers,
    ParticularsDiffer,
    PhoneTaken,
    SmsCodeWrong,
    TicketGone,
    UsernameTaken,
)
from idp.registration import Form
from idp.sign_in_errors import PasswordWeak
from keys.errors import DomainError
from keys.identity_numbers import NumberWrong
from service.pages.embedding import elsewhere, embeddable, return_address
from service.pages.forms import Faults, go, page, set_cookie, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

TICKET_COOKIE = "yinxin_registration"
_PATH = "/register"
_CHOSEN = ("ethnicity", "sex")
_FIELDS = tuple(field.name for field in fields(Form))


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route("/register", embeddable(world, page(world, _particulars)), methods=both),
        Route("/register/code", embeddable(world, page(world, _code)), methods=both),
        Route("/register/done", embeddable(world, page(world, _done))),
    ]


def _particulars(visit: Visit) -> Response:
    if (away := elsewhere(visit)) is not None:
        return away
    if not visit.posted:
        return _form(visit, Faults())
    faults = _missing(visit)
    if faults:
        return _form(visit, faults, 422)
    form = Form(**{name: visit.typed(name) for name in _FIELDS} | {"document": _document(visit)})
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
    except (TicketGone, ParticularsDiffer, NumberTaken, PhoneTaken, UsernameTaken) as refused:
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
    back = return_address(visit)
    return draw(visit, "register_done.html", uid=visit.asked("interaction"), back=back)


def _missing(visit: Visit) -> Faults:
    faults = Faults()
    asks = RULES[_document(visit)].asks
    for name in ("name", "number", *asks, "phone", "password"):
        if not visit.typed(name).strip():
            asked = "register.choose" if name in _CHOSEN else "register.missing"
            faults.add(name, visit.t(asked, label=_label(visit, name)))
    return faults


def _label(visit: Visit, name: str) -> str:
    """Return what a field is called; a number by its paper."""
    key = f"number_of.{_document(visit)}" if name == "number" else name
    return visit.t(f"register.{key}")


def _document(visit: Visit) -> Document:
    """Return the paper that was chosen in the address of the page."""
    asked = visit.asked("document")
    return Document(asked) if asked in set(Document) else Document.RESIDENT_ID


def _field_of(refused: DomainError) -> str:
    """Return the field of the form an error is about, or "" for the whole form."""
    match refused:
        case NumberWrong() | IdentityDiffers() | PaperDiffers() | NumberTaken():
            return "number"
        case EthnicityOrSexDiffers():
            return "ethnicity"
        case NationalityOrBirthdateDiffers():
            return "birthdate"
        case UsernameTaken():
            return "username"
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
    typed = {name: visit.typed(name) for name in _FIELDS if name != "password"}
    chosen = _document(visit)
    return draw(
        visit,
        "register.html",
        status,
        faults=faults,
        typed=typed,
        chosen=chosen,
        documents=[(document, _address(visit, "/register", document)) for document in Document],
        here=_address(visit, "/register", chosen),
        asks=RULES[chosen].asks,
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
        again=_with_interaction(visit, "/register"),
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
    return _address(visit, path, _document(visit))


def _address(visit: Visit, path: str, document: Document) -> str:
    """Return a page of these with what it must remember: the paper, and the sign-in under way."""
    kept = {"document": "" if document is Document.RESIDENT_ID else document.value}
    kept["interaction"] = visit.asked("interaction")
    query = urlencode({name: value for name, value in kept.items() if value})
    return f"{path}?{query}" if query else path
