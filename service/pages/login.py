"""Sign in by name and password, for a portal that asks or for our own pages.

The pages decide nothing: `idp.methods` checks the password, and the browser goes back to it.
"""

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction
from idp.errors import TooManyTries
from idp.interaction import Details
from idp.methods import password_sign_in
from idp.methods.password_sign_in import Typed
from idp.sessions import Opened
from idp.sign_in_errors import PasswordLocked, SignInRefused
from idp.vocabulary import Realm
from service.locale import DEFAULT, catalogue
from service.pages import entering, upstream
from service.pages.forms import Faults, go, in_language_of, local_path, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route("/login", page(world, _login), methods=["GET", "POST"])]


def _login(visit: Visit) -> Response:
    asker = entering.asker(visit)
    if asker is not None:
        visit = in_language_of(visit, asker.ui_locales)
    if asker is not None and visit.typed("decision") == "deny":
        interaction.deny(visit.world.provider, asker.uid, visit.browser)
        return go(interaction.resume_url(visit.world.provider, asker.uid))
    if visit.posted:
        return _sign_in(visit, asker)
    if asker is None and _may_go_on(visit):
        return go(local_path(visit.asked("next"), entering.WALLET))
    return _form(visit, asker, Faults())


def _may_go_on(visit: Visit) -> bool:
    """Whether the visitor is where they want to be; `again` is for what needs a recent sign-in."""
    return visit.visitor is not None and visit.visitor.is_citizen and not visit.asked("again")


def _sign_in(visit: Visit, asker: Details | None) -> Response:
    faults = Faults()
    realm = entering.realm(visit, asker)
    if not visit.typed("username").strip():
        label = visit.t(f"login.username_{realm}")
        faults.add("username", visit.t("login.username_missing", label=label))
    if not visit.typed("password"):
        faults.add("password", visit.t("login.password_missing"))
    if faults:
        return _form(visit, asker, faults, 422)
    try:
        opened = _opened(visit, asker)
    except (SignInRefused, TooManyTries, PasswordLocked) as refused:
        faults.add("username", told(visit, refused))
        return _form(visit, asker, faults, status_of(refused.code))
    return entering.entered(visit, asker, opened)


def _opened(visit: Visit, asker: Details | None) -> Opened:
    provider, realm = visit.world.provider, entering.realm(visit, asker)
    entry = entering.entry(visit, asker)
    typed = Typed(realm, visit.typed("username"), visit.typed("password"), entry)
    with provider.begin() as tx:
        claimed = password_sign_in.claim(tx, provider, typed)
    proven = password_sign_in.prove(provider, claimed)
    with provider.begin() as tx:
        return password_sign_in.enter(tx, provider, proven)


def _form(visit: Visit, asker: Details | None, faults: Faults, status: int = 200) -> Response:
    realm = entering.realm(visit, asker)
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
        upstreams=upstream.entries(visit, asker.uid if asker else "")
        if realm is Realm.CITIZEN
        else [],
        signs_in=visit.world.provider.node.signs_in or realm is Realm.STAFF,
        ways=entering.ways(visit, asker),
        way="password",
        query=entering.query(visit),
        faults=faults,
    )


def _why(visit: Visit, asker: Details | None) -> str:
    """Return why somebody who is signed in is asked to sign in once more, or nothing."""
    if visit.visitor is None:
        return ""
    if asker is not None:
        because = asker.because
    else:
        because = "signed_in_too_long_ago" if visit.asked("again") else "other_realm"
    key = f"login.why.{because}"
    # Whoever went back from a later page need not sign in at all: there is no why.
    return visit.t(key, name=visit.visitor.name) if key in catalogue(DEFAULT) else ""
