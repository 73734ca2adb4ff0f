"""Sign in, for a portal that asks or for our own pages, and sign out.

The pages decide nothing: `idp.interaction` checks the password, and the browser goes back to it.
"""

from dataclasses import replace

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction, sessions
from idp.errors import SignInRefused, TooManyTries
from idp.interaction import Details, SignIn
from idp.vocabulary import Realm
from service import locale
from service.pages.forms import Faults, go, keep_session, local_path, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World

WALLET = "/my/licences"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route("/login", page(world, _login), methods=["GET", "POST"]),
        Route("/logout", page(world, _logout), methods=["POST"]),
        Route("/signed-out", page(world, _signed_out)),
    ]


def _login(visit: Visit) -> Response:
    asker = _asker(visit)
    if asker is not None and not visit.asked("ui_locales"):
        visit = _in_language_of(visit, asker)
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


def _in_language_of(visit: Visit, asker: Details) -> Visit:
    """Return the visit in the language the portal asked for (OpenID Connect Core §3.1.2.1)."""
    accepted = visit.request.headers.get("Accept-Language")
    chosen = visit.request.cookies.get(locale.COOKIE)
    return replace(visit, locale=locale.negotiate(" ".join(asker.ui_locales), chosen, accepted))


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
        answer = go(_next(visit) if realm is Realm.CITIZEN else "/")
    keep_session(visit, answer, opened.cookie)
    return answer


def _form(visit: Visit, asker: Details | None, faults: Faults, status: int = 200) -> Response:
    portal = ""
    if asker is not None:
        portal = asker.client_name_en if visit.locale == "en" else asker.client_name_zh
    username = visit.typed("username") or (asker and asker.login_hint) or ""
    return draw(
        visit,
        "login.html",
        status,
        realm=_realm(visit, asker),
        portal=portal,
        uid=asker.uid if asker else "",
        next=local_path(visit.asked("next"), ""),
        username=username,
        faults=faults,
    )


def _realm(visit: Visit, asker: Details | None) -> Realm:
    """Return whose sign-in this is: the portal's choice, else the chosen tab."""
    if asker is not None:
        return asker.realm
    return Realm.STAFF if visit.asked("realm") == Realm.STAFF else Realm.CITIZEN


def _next(visit: Visit) -> str:
    return local_path(visit.asked("next"), WALLET)


def _logout(visit: Visit) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        sessions.end(tx, provider, visit.request.cookies.get(sessions.COOKIE))
    answer = go("/signed-out")
    answer.delete_cookie(sessions.COOKIE)
    return answer


def _signed_out(visit: Visit) -> Response:
    return draw(visit, "signed_out.html")
