"""Sign-in and security: what somebody signs in by and where, and the way to change it."""

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from idp import recent
from idp.methods import devices, more_factors, passkeys, password_change, totp
from idp.methods.password_change import Wanted
from idp.passwords import MINIMUM
from idp.sessions import SignOn
from idp.sign_in_errors import PasswordDiffers, SecondFactorNeeded, SignInTooOld
from keys.errors import DomainError
from service.pages.forms import MORE, Faults, Page, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

PATH = "/my/security"
_PASSWORD = f"{PATH}/password"
_DONE = ("recovered", "password", "phone", "totp", "totp_removed", "forgotten")

Own = Callable[[Visit, SignOn], Response]


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route(PATH, page(world, for_own(_overview)), methods=both),
        Route(_PASSWORD, page(world, for_own(_password)), methods=both),
    ]


def for_own(function: Own) -> Page:
    """Let only those in who are signed in, and as freshly and strongly as what they do asks for."""

    def guarded(visit: Visit) -> Response:
        path = visit.request.url.path
        if visit.visitor is None:
            return go(f"/login?{urlencode({'next': path})}")
        own = visit.visitor.sign_on
        try:
            return function(visit, own)
        except SignInTooOld:
            again = {"again": "1", "realm": own.realm, "next": path}
            return go(f"/login?{urlencode(again)}")
        except SecondFactorNeeded:
            with visit.world.begin() as tx:
                if not more_factors.offers(tx, own):
                    raise  # there is nothing more to ask them for
            return go(f"{MORE}?{urlencode({'next': path})}")

    return guarded


def _overview(visit: Visit, own: SignOn) -> Response:
    provider = visit.world.provider
    if visit.posted:
        with provider.begin() as tx:
            devices.forget(tx, own.realm, own.subject, _bytes(visit.typed("forget")))
        return go(f"{PATH}?done=forgotten")
    with provider.begin() as tx:
        known = devices.of_account(tx, own.realm, own.subject)
        has_app = totp.is_enrolled(tx, own.realm, own.subject)
        count = len(passkeys.ids_of(tx, own.realm, own.subject))
    done = visit.asked("done")
    return draw(
        visit,
        "security.html",
        done=done if done in _DONE else "",
        has_app=has_app,
        passkey_count=count,
        devices=[
            (each, devices.is_this(provider, each, own.realm, own.subject, visit.browser))
            for each in known
        ],
    )


def _password(visit: Visit, own: SignOn) -> Response:
    provider = visit.world.provider
    recent.require_recent(provider, own)
    if not visit.posted:
        return _password_form(visit, Faults())
    faults = Faults()
    for name in ("former", "password"):
        if not visit.typed(name):
            faults.add(name, visit.t("security.missing"))
    if faults:
        return _password_form(visit, faults, 422)
    wanted = Wanted(own, visit.typed("former"), visit.typed("password"))
    try:
        with provider.begin() as tx:
            claimed = password_change.claim(tx, provider, wanted)
        proven = password_change.prove(provider, claimed)
        with provider.begin() as tx:
            password_change.keep(tx, provider, proven)
    except SignInTooOld:
        raise
    except DomainError as refused:
        name = "former" if isinstance(refused, PasswordDiffers) else "password"
        faults.add(name, told(visit, refused))
        return _password_form(visit, faults, status_of(refused.code))
    return go(f"{PATH}?done=password")


def _password_form(visit: Visit, faults: Faults, status: int = 200) -> Response:
    return draw(visit, "security_password.html", status, least=MINIMUM, faults=faults)


def _bytes(text: str) -> bytes:
    """Return what a form's button says in hex; nothing that is there for anything else."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
