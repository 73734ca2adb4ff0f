"""Passkeys: signing in by one, and the page where a person makes them and takes them away.

The browser speaks to the device by script (`passkey.js`): there is no way round it. It fetches what
to ask the device just before it asks, so that a page left open does not hold a lapsed challenge.
"""

from starlette.responses import Response
from starlette.routing import Route

from idp.errors import TooManyTries
from idp.interaction import Details
from idp.methods import passkey_ceremonies, passkey_sign_in, passkeys
from idp.methods.passkey_sign_in import Proven, Sent
from idp.sessions import Opened
from idp.sign_in_errors import PasskeyCopied, PasskeyKnown, PasskeyRefused, PasskeyUnknown
from service.pages import entering
from service.pages.approvals import sign_in_first
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit, Visitor
from service.problems import status_of
from service.wiring import World

_LOGIN = "/login/passkey"
_MINE = "/my/passkeys"
_DONE = ("added", "removed")
_REFUSALS = (PasskeyRefused, PasskeyKnown, PasskeyUnknown, TooManyTries)


def routes(world: World) -> list[Route]:
    """Return the routes of these pages, and of what their script asks for."""
    return [
        Route(_LOGIN, page(world, _login), methods=["GET", "POST"]),
        Route(f"{_LOGIN}/options", page(world, _sign_in_options), methods=["POST"]),
        Route(_MINE, page(world, _mine), methods=["GET", "POST"]),
        Route(f"{_MINE}/options", page(world, _adding_options), methods=["POST"]),
    ]


def _login(visit: Visit) -> Response:
    asker = entering.asker(visit)
    if not visit.posted:
        return _login_form(visit, asker, Faults())
    try:
        opened = _signed_in(visit, asker)
    except (PasskeyRefused, TooManyTries) as refused:
        faults = Faults({"passkey": told(visit, refused)})
        return _login_form(visit, asker, faults, status_of(refused.code))
    return entering.entered(visit, asker, opened)


def _signed_in(visit: Visit, asker: Details | None) -> Opened:
    provider = visit.world.provider
    sent = Sent(
        entering.realm(visit, asker),
        visit.typed("credential"),
        entering.entry(visit, asker),
        adds=_is_second(visit),
    )
    with provider.begin() as tx:
        claimed = passkey_sign_in.claim(tx, provider, sent)
    proven = passkey_sign_in.prove(provider, claimed)
    try:
        with provider.begin() as tx:
            return passkey_sign_in.enter(tx, provider, proven)
    except PasskeyCopied:
        _note_copy(visit, proven)
        raise


def _note_copy(visit: Visit, proven: Proven) -> None:
    with visit.world.begin() as tx:
        passkey_sign_in.note_copy(tx, visit.world.provider, proven)


def _is_second(visit: Visit) -> bool:
    """Whether this is to be a factor on top of the session that the browser is in."""
    return bool(visit.typed("adds")) and visit.visitor is not None


def _login_form(visit: Visit, asker: Details | None, faults: Faults, status: int = 200) -> Response:
    return draw(
        visit,
        "passkey.html",
        status,
        images=[asker.logo_uri] if asker and asker.logo_uri else (),
        asker=asker,
        portal=visit.either(asker.client_name_zh, asker.client_name_en) if asker else "",
        query=entering.query(visit),
        way="passkey",
        ways=entering.ways(visit, asker),
        faults=faults,
    )


def _sign_in_options(visit: Visit) -> Response:
    """Return what to ask the device: any passkey, or one of the person's own as a second factor."""
    provider, visitor = visit.world.provider, visit.visitor
    allowed: list[bytes] = []
    if _is_second(visit) and visitor is not None:
        with visit.world.begin() as tx:
            allowed = passkeys.ids_of(tx, visitor.sign_on.realm, visitor.sign_on.subject)
    return _json(passkey_ceremonies.ask_to_sign_in(provider, visit.browser, allowed))


def _mine(visit: Visit) -> Response:
    visitor = visit.visitor
    if visitor is None:
        return sign_in_first(_MINE)
    if not visit.posted:
        return _list(visit, visitor, Faults())
    try:
        return go(f"{_MINE}?done={_act(visit, visitor)}")
    except _REFUSALS as refused:
        faults = Faults({"passkey": told(visit, refused)})
        return _list(visit, visitor, faults, status_of(refused.code))


def _act(visit: Visit, visitor: Visitor) -> str:
    """Do what the form says, and return the word for it."""
    provider, own = visit.world.provider, visitor.sign_on
    if number := visit.typed("remove"):
        with provider.begin() as tx:
            passkeys.remove(tx, provider, own, int(number) if number.isdecimal() else 0)
        return "removed"
    made = passkeys.prove(provider, own, visit.browser, visit.typed("credential"), visit.device)
    with provider.begin() as tx:
        passkeys.add(tx, provider, own, made)
    return "added"


def _list(visit: Visit, visitor: Visitor, faults: Faults, status: int = 200) -> Response:
    own = visitor.sign_on
    with visit.world.begin() as tx:
        found = passkeys.of_account(tx, own.realm, own.subject)
    done = visit.asked("done")
    return draw(
        visit,
        "passkeys.html",
        status,
        passkeys=found,
        done=done if done in _DONE else "",
        faults=faults,
    )


def _adding_options(visit: Visit) -> Response:
    if visit.visitor is None:
        return sign_in_first(_MINE)
    provider, own = visit.world.provider, visit.visitor.sign_on
    with provider.begin() as tx:
        return _json(passkeys.begin(tx, provider, own, visit.browser, visit.visitor.name))


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
