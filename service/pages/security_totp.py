"""An authenticator app: set up by scanning and a first code, or taken away."""

from starlette.responses import Response
from starlette.routing import Route

from idp import recent, throttle
from idp.errors import TooManyTries
from idp.method import factors
from idp.methods import totp, totp_sign_in
from idp.sessions import SignOn
from idp.sign_in_errors import SecondFactorNeeded, TotpCodeWrong, TotpEnrolmentGone
from service.pages.forms import Faults, go, page, told
from service.pages.more import app_label, picture
from service.pages.rendering import draw
from service.pages.security import PATH, for_own
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = f"{PATH}/totp"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, for_own(_totp)), methods=["GET", "POST"])]


def _totp(visit: Visit, own: SignOn) -> Response:
    provider = visit.world.provider
    recent.require_recent(provider, own)
    # Whoever knows no more than a password must not make themselves the second factor.
    if len(factors(own.methods)) < 2:
        raise SecondFactorNeeded
    if not visit.posted:
        return _form(visit, own, Faults())
    if visit.typed("remove"):
        with provider.begin() as tx:
            totp.remove(tx, provider, own.realm, own.subject, by=own.subject)
        return go(f"{PATH}?done=totp_removed")
    try:
        totp_sign_in.count_try(provider, own)
        with provider.begin() as tx:
            totp.confirm(tx, provider, own, visit.typed("app"))
    except (TotpCodeWrong, TotpEnrolmentGone, TooManyTries) as refused:
        faults = Faults({"app": told(visit, refused)})
        return _form(visit, own, faults, status_of(refused.code))
    throttle.forgive(provider, throttle.TOTP_PER_ACCOUNT, totp_sign_in.who(own))
    return go(f"{PATH}?done=totp")


def _form(visit: Visit, own: SignOn, faults: Faults, status: int = 200) -> Response:
    enrolment = totp.enrol(visit.world.provider, own, app_label(visit, own))
    with visit.world.begin() as tx:
        has_app = totp.is_enrolled(tx, own.realm, own.subject)
    return draw(
        visit,
        "security_totp.html",
        status,
        enrolment=enrolment,
        picture=picture(enrolment.uri),
        has_app=has_app,
        faults=faults,
    )
