"""Clients are told of a logout by the browser itself, in frames (Front-Channel Logout 1.0)."""

from urllib.parse import urlencode

from sqlalchemy.orm import Session

from idp import clients, sessions
from idp.provider import Provider


def frames(tx: Session, provider: Provider, sid: str) -> tuple[str, ...]:
    """The addresses that the browser must load to sign out of every client of a session.

    Read them before the session ends; a client appears once, by identifier.
    """
    told = (clients.find(tx, each.client_id) for each in sessions.told_to(tx, sid))
    return tuple(
        _frame(provider, client.frontchannel_logout_uri, sid)
        for client in told
        if client is not None and client.frontchannel_logout_uri is not None
    )


def _frame(provider: Provider, uri: str, sid: str) -> str:
    """§2: `iss` and `sid`, both or neither; a client that asks for neither ignores them (§3)."""
    joint = "&" if "?" in uri else "?"
    return f"{uri}{joint}{urlencode({'iss': provider.issuer, 'sid': sid})}"
