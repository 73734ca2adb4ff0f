"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): asked for, confirmed, and what follows.

The request is checked here and waits in Redis for its page, which asks the person when it must and
calls `sign_out`. Nobody is sent to an address that the client did not register, to the letter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, clients, frontchannel_logout, id_token_hint, sessions, subjects
from idp.call import Answer, Call, sent_to
from idp.clients import Client
from idp.errors import (
    LogoutAddressUnregistered,
    LogoutClientUnknown,
    LogoutHintWrong,
    LogoutRefused,
)
from idp.id_token_hint import Hinted, HintRefused
from idp.parameters import Parameters
from idp.provider import Provider
from idp.sessions import Ending, SignOn
from idp.vocabulary import END_SESSION_PARAMETERS

_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Asked:
    """A logout that a client asks for: which, of which sign-on, and where the browser goes then.

    `return_to` has its `state` already; `sid` and `sub` are the hint's.
    """

    client_id: str | None
    sid: str | None
    sub: str | None
    return_to: str | None


@dataclass(frozen=True, slots=True)
class Farewell:
    """What the logged-out page still has to do: load `frames`, then go on to `return_to`."""

    client_id: str | None
    return_to: str | None
    frames: tuple[str, ...]


NOBODY_ASKED = Asked(None, None, None, None)
"""The person's own wish to sign out."""

WAITING = artifacts.Kind("logout", TypeAdapter(Asked), timedelta(minutes=30))
FAREWELL = artifacts.Kind("farewell", TypeAdapter(Farewell), timedelta(minutes=5))


def nothing_is_repeated(sent: Parameters, hinted: Hinted | None, client: Client | None) -> None:
    """RFC 6749 §3.1, of which this is an extension."""
    if sent.repeated.intersection(END_SESSION_PARAMETERS):
        raise LogoutRefused


def nothing_is_over_long(sent: Parameters, hinted: Hinted | None, client: Client | None) -> None:
    """Ours: what the request carries must fit into a URL again. Tokens have a limit of their own."""
    texts = END_SESSION_PARAMETERS.keys() - {"id_token_hint"}
    if any(len(sent.get(name) or "") > _LONGEST for name in texts):
        raise LogoutRefused


def client_is_known(sent: Parameters, hinted: Hinted | None, client: Client | None) -> None:
    """§2: whoever is named, by itself or in the hint, must be registered."""
    if client is None and (sent.get("client_id") is not None or hinted is not None):
        raise LogoutClientUnknown


def hint_is_of_this_client(sent: Parameters, hinted: Hinted | None, client: Client | None) -> None:
    """§2: when both are given, the ID Token was issued to the client named."""
    if hinted is not None and client is not None and client.client_id not in hinted.audiences:
        raise LogoutHintWrong


def address_is_registered(sent: Parameters, hinted: Hinted | None, client: Client | None) -> None:
    """§3: exactly one of the client's, compared as strings; never one of nobody's."""
    address = sent.get("post_logout_redirect_uri")
    if address is None:
        return
    if client is None or address not in client.post_logout_redirect_uris:
        raise LogoutAddressUnregistered


CHECKS: tuple[Callable[[Parameters, Hinted | None, Client | None], None], ...] = (
    nothing_is_repeated,
    nothing_is_over_long,
    client_is_known,
    hint_is_of_this_client,
    address_is_registered,
)


def start(provider: Provider, call: Call) -> Answer:
    """Take a logout request and send the browser to its page. Raises a `LogoutRefused`.

    The page is fetched with a GET of its own: a browser sends no cookies of ours along with another
    site's POST.
    """
    with provider.begin() as tx:
        asked = read(tx, provider, call.sent)
    query = {"waiting": artifacts.put(provider, WAITING, asked)}
    if locales := call.sent.get("ui_locales"):
        query["ui_locales"] = locales
    return sent_to(f"{provider.public_url}/logout?{urlencode(query)}")


def read(tx: Session, provider: Provider, sent: Parameters) -> Asked:
    """Run every check. Raises a `LogoutRefused`."""
    hinted = _hinted(provider, sent.get("id_token_hint"))
    client = clients.find(tx, sent.get("client_id") or _audience(hinted))
    for check in CHECKS:
        check(sent, hinted, client)
    return Asked(
        client_id=None if client is None else client.client_id,
        sid=None if hinted is None else hinted.sid,
        sub=None if hinted is None else hinted.sub,
        return_to=_with_state(sent.get("post_logout_redirect_uri"), sent.get("state")),
    )


def waiting(provider: Provider, uid: str) -> Asked | None:
    """The logout that waits under `uid`; `None` when it lapsed or was done."""
    return artifacts.get(provider, WAITING, uid)


def must_ask(tx: Session, provider: Provider, asked: Asked, session: SignOn) -> bool:
    """§2: the person is asked unless the hint is of this very sign-on, and of its person."""
    client = clients.find(tx, asked.client_id or "")
    if client is None or asked.sub is None or asked.sid != session.sid:
        return True
    return subjects.recognised(provider, client, asked.sub) != session.subject


def sign_out(provider: Provider, session: SignOn | None, asked: Asked, uid: str = "") -> str:
    """End the session, if there is one, and return where the browser goes.

    `uid` is that of the logout that waited: it is done with.
    """
    with provider.begin() as tx:
        frames = () if session is None else frontchannel_logout.frames(tx, provider, session.sid)
    # Before the session ends: when Redis is away nothing is done, and can be tried again.
    if uid:
        artifacts.take(provider, WAITING, uid)
    location = _farewell_url(provider, Farewell(asked.client_id, asked.return_to, frames))
    if session is not None:
        by = asked.client_id or session.subject
        with provider.begin() as tx:
            sessions.end(tx, provider, session.sid, by=by, why=Ending.SIGNED_OUT)
    return location


def farewell(provider: Provider, uid: str) -> Farewell | None:
    """What the logged-out page has to do, as long as it may be loaded again."""
    return artifacts.get(provider, FAREWELL, uid)


def _farewell_url(provider: Provider, left: Farewell) -> str:
    page = f"{provider.public_url}/signed-out"
    if not left.frames:
        return left.return_to or page
    return f"{page}?after={artifacts.put(provider, FAREWELL, left)}"


def _hinted(provider: Provider, token: str | None) -> Hinted | None:
    if token is None:
        return None
    try:
        return id_token_hint.read(provider, token)
    except HintRefused:
        raise LogoutHintWrong from None


def _audience(hinted: Hinted | None) -> str:
    return hinted.audiences[0] if hinted is not None and hinted.audiences else ""


def _with_state(address: str | None, state: str | None) -> str | None:
    if address is None or state is None:
        return address
    joint = "&" if "?" in address else "?"
    return f"{address}{joint}{urlencode({'state': state})}"
