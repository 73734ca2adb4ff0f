"""Requests that clients pushed, until they are answered (RFC 9126 §2.2, §4).

A reference may be opened again until then, as browsers load pages twice; the answer spends it.
Exactly one answer wins: spending is one atomic step in Redis.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import TypeAdapter

from idp import artifacts, sealed_parameters
from idp.clients import Client
from idp.errors import RedirectedError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.vocabulary import OAuthCode

URN = "urn:ietf:params:oauth:request_uri:"  # RFC 9126 §2.2
LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Kept:
    """A pushed request: whose, whether the client signed it, and its parameters, sealed."""

    client_id: str
    signed: bool
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pushed:
    """A pushed request, opened."""

    parameters: Parameters
    signed: bool


_KEPT = artifacts.Kind("pushed-request", TypeAdapter(Kept), LIFETIME)
# Longer than an interaction waits: what was opened in time may be answered late.
_SPENT = artifacts.Kind("spent-request", TypeAdapter(bool), timedelta(hours=1))


def keep(provider: Provider, client: Client, parameters: Parameters, *, signed: bool) -> str:
    """Keep a request for `LIFETIME` and return its reference (`request_uri`)."""
    kept = Kept(client.client_id, signed, sealed_parameters.seal(provider, parameters))
    return URN + artifacts.put(provider, _KEPT, kept)


def find(provider: Provider, client: Client, reference: str) -> Pushed:
    """The request this client pushed. Raises `RedirectedError` `invalid_request_uri`."""
    kept = artifacts.get(provider, _KEPT, reference.removeprefix(URN))
    if kept is None or kept.client_id != client.client_id:
        raise _refused()
    return Pushed(sealed_parameters.opened(provider, kept.sealed), kept.signed)


def spend(provider: Provider, reference: str) -> None:
    """Before the request is answered. Raises `RedirectedError` `invalid_request_uri` the second time."""
    handle = reference.removeprefix(URN)
    if not artifacts.is_first(provider, _SPENT, handle, True, _SPENT.lifetime):
        raise _refused()
    artifacts.take(provider, _KEPT, handle)


def _refused() -> RedirectedError:
    return RedirectedError(
        OAuthCode.INVALID_REQUEST_URI, "request_uri is unknown, lapsed, used, or of another client"
    )
