"""Sign in, for a portal that asks or for our own pages.

The pages decide nothing: `idp.interaction` checks the password, and the browser goes back to it.
"""

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction, sessions
from idp.errors import SignInRefused, TooManyTries
from idp.interaction import Details, SignIn
from idp.vocabulary import Realm
from service.locale import DEFAULT, catalogue
from service.pages.forms import Faults, go, in_language_of, keep_session, local_path, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World

WALLET = "/my/licences"


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route("/login", page(world, _login), methods=["GET", "POST"])]


def _login(visit: Visit) -> Response:
    asker = _asker(visit)
    if asker is not None:
        visit = in_language_of(visit, asker.ui_locales)
    if asker is not None and visit.typed("decision") == "deny":
        interaction.deny(visit.world.provider, asker.uid, visit.browser)
        return go(interaction.resume_url(visit.world.provider, asker.uid))
    if visit.posted:
        return _sign_in(visit, asker)
    if asker is None and visit.visitor is not None and visit.visitor.is_citizen:
        return go(_next(visit))
    return _form(visit, asker, Faults())


def _asker(visit: Visit) -> Details | None:
    """Return the authorization request this sign-in is for, or `None` on our own account."""
    uid = visit.asked("interaction")
    if not uid:
        return None
    with visit.world.begin() as tx:
        return interaction.details(tx, visit.world.provider, uid, visit.browser)


def _sign_in(visit: Visit, asker: Details | None) -> Response:
    faults = Faults()
    realm = _realm(visit, asker)
    if not visit.typed("username").strip():
        label = visit.t(f"login.username_{realm}")
        faults.add("username", visit.t("login.username_missing", label=label))
    if not visit.typed("password"):
        faults.add("password", visit.t("login.password_missing"))
    if faults:
        return _form(visit, asker, faults, 422)
    asked = SignIn(
        realm=realm,
        username=visit.typed("username"),
        password=visit.typed("password"),
        address=visit.address,
        device=visit.device,
        interaction=asker.uid if asker else None,
        browser=visit.browser,
        session=visit.request.cookies.get(sessions.COOKIE),
    )
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            claimed = interaction.claim(tx, provider, asked)
        proven = interaction.prove(provider, claimed)
        with provider.begin() as tx:
            opened = interaction.sign_in(tx, provider, proven)
    except SignInRefused as refused:
        faults.add("username", told(visit, refused))
        return _form(visit, asker, faults, 401)
    except TooManyTries as refused:
        faults.add("username", told(visit, refused))
        return _form(visit, asker, faults, 429)
    if asker is not None:
        answer = go(interaction.resume_url(provider, asker.uid))
    else:
        answer = go(
            _next(visit) if realm is Realm.CITIZEN else local_path(visit.asked("next"), "/")
        )
    keep_session(visit, answer, opened.cookie)
    return answer


def _form(visit: Visit, asker: Details | None, faults: Faults, status: int = 200) -> Response:
    realm = _realm(visit, asker)
    username = visit.typed("username") or (asker and asker.login_hint) or ""
    return draw(
        visit,
        "login.html",
        status,
        images=[asker.logo_uri] if asker and asker.logo_uri else (),
        realm=realm,
        asker=asker,
        portal=visit.either(asker.client_name_zh, asker.client_name_en) if asker else "",
        why=_why(visit, asker),
        uid=asker.uid if asker else "",
        username=username,
        faults=faults,
    )


def _why(visit: Visit, asker: Details | None) -> str:
    """Return why somebody who is signed in is asked to sign in once more, or nothing."""
    if visit.visitor is None:
        return ""
    because = "other_realm" if asker is None else asker.because
    key = f"login.why.{because}"
    # Whoever went back from a later page need not sign in at all: there is no why.
    return visit.t(key, name=visit.visitor.name) if key in catalogue(DEFAULT) else ""


def _realm(visit: Visit, asker: Details | None) -> Realm:
    """Return whose sign-in this is: the portal's choice, else the chosen tab."""
    if asker is not None:
        return asker.realm
    return Realm.STAFF if visit.asked("realm") == Realm.STAFF else Realm.CITIZEN


def _next(visit: Visit) -> str:
    return local_path(visit.asked("next"), WALLET)
