"""My level, where it is the lowest: the register is asked again, after a code to the phone.

Between the steps the browser keeps the ticket in a cookie, so that it stands in no address.
"""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.routing import Route

from idp import reconfirmation
from idp.accounts import mask_phone
from idp.code_tables import ETHNICITIES, SEXES
from idp.errors import FieldWrong
from idp.people_errors import NumberTaken, ParticularsDiffer, PhoneTaken, SmsCodeWrong
from idp.reconfirmation import Known
from idp.sessions import SignOn
from idp.sign_in_errors import SignInTooOld, SmsCodeGone
from keys.errors import DomainError
from keys.identity_numbers import mask_number
from service.pages import codes
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.security import for_own
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

PATH = "/my/level/register"
TICKET_COOKIE = "yinxin_reconfirmation"
_CODE = f"{PATH}/code"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route(PATH, page(world, for_own(_begin)), methods=both),
        Route(_CODE, page(world, for_own(_code)), methods=both),
    ]


def _begin(visit: Visit, own: SignOn) -> Response:
    provider, known = visit.world.provider, _known(visit, own)
    if not visit.posted:
        return _begin_form(visit, known, Faults())
    try:
        ticket = reconfirmation.begin(provider, known, visit.typed("phone"), visit.address)
    except SignInTooOld:
        raise
    except DomainError as refused:
        faults = Faults({"phone" if not known.phone else "": told(visit, refused)})
        return _begin_form(visit, known, faults, status_of(refused.code))
    answer = go(_CODE)
    codes.keep(visit, answer, TICKET_COOKIE, PATH, ticket)
    return answer


def _code(visit: Visit, own: SignOn) -> Response:
    provider, known = visit.world.provider, _known(visit, own)
    handle, phone = codes.kept(visit, TICKET_COOKIE)
    if not handle:
        return go(PATH)
    if not visit.posted:
        return _code_form(visit, known, phone, known.particulars, Faults())
    typed = {name: visit.typed(name) for name in known.particulars}
    try:
        found = reconfirmation.prove(provider, known, handle, visit.typed("code"), typed)
        with provider.begin() as tx:
            reconfirmation.keep(tx, provider, found)
    except (SmsCodeGone, ParticularsDiffer, PhoneTaken, NumberTaken) as refused:
        # These use the code up: another is sent for another try.
        faults = Faults({"": told(visit, refused)})
        answer = _begin_form(visit, known, faults, status_of(refused.code))
    except DomainError as refused:
        faults = Faults({_field_of(refused): told(visit, refused)})
        return _code_form(visit, known, phone, typed, faults, status_of(refused.code))
    else:
        answer = go("/my/level?done=raised")
    answer.delete_cookie(TICKET_COOKIE, PATH)
    return answer


def _known(visit: Visit, own: SignOn) -> Known:
    provider = visit.world.provider
    with provider.begin() as tx:
        return reconfirmation.known(tx, provider, own)


def _field_of(refused: DomainError) -> str:
    """Return the field that an error is about, or "" for the whole form."""
    match refused:
        case FieldWrong():
            return str(refused.parameters["field"])
        case SmsCodeWrong():
            return "code"
        case _:
            return ""


def _begin_form(visit: Visit, known: Known, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "reconfirm.html",
        status,
        has_phone=bool(known.phone),
        phone=mask_phone(known.phone) if known.phone else visit.typed("phone"),
        faults=faults,
    )


def _code_form(
    visit: Visit,
    known: Known,
    phone: str,
    typed: Mapping[str, str],
    faults: Faults,
    status: int = 200,
) -> Response:
    return draw(
        visit,
        "reconfirm_code.html",
        status,
        phone=phone,
        inbox=codes.inbox(visit.world),
        again=PATH,
        typed=typed,
        number=mask_number(known.number),
        asks=known.rule.asks,
        ethnicities=ETHNICITIES,
        sexes=SEXES,
        faults=faults,
    )
