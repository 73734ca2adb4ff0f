"""How a client begins to ask a person away from their browser: who asks, and for what.

What may be asked for is what an authorization request may ask for, by the very same checks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from idp import authorization_details, client_auth, request_checks
from idp.call import Call
from idp.clients import Client
from idp.errors import OAuthError, RedirectedError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.submission import Submission
from idp.vocabulary import OFFLINE, GrantType, OAuthCode

_CHECKS: tuple[Callable[[Submission, Client], None], ...] = (
    request_checks.no_parameter_is_over_long,
    request_checks.scopes_are_allowed,
    request_checks.resources_are_allowed,
    request_checks.authorization_details_are_allowed,
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for; `scopes` are only those known and allowed."""

    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    authorization_details: tuple[Mapping[str, Any], ...]


def client_of(
    provider: Provider, call: Call, grant: GrantType, parameters: Mapping[str, str]
) -> Client:
    """The client that asks, if it may use the grant. Raises `OAuthError`."""
    if repeated := sorted(call.sent.repeated & parameters.keys()):
        raise OAuthError(OAuthCode.INVALID_REQUEST, f"{repeated[0]} is repeated")
    client = client_auth.authenticate(provider, call)
    if grant not in client.grant_types:
        raise OAuthError(OAuthCode.UNAUTHORIZED_CLIENT, "this client may not use this grant")
    return client


def wishes(sent: Parameters, client: Client) -> Wishes:
    """What the request asks for. Raises `OAuthError`."""
    try:
        for check in _CHECKS:
            check(Submission(sent), client)
    except RedirectedError as refused:
        raise OAuthError(refused.error, refused.description) from None
    scopes = _scopes(sent, client)
    if not scopes:
        raise OAuthError(OAuthCode.INVALID_SCOPE, "scope asks for nothing")
    return Wishes(scopes, tuple(dict.fromkeys(sent.resources)), _details(sent, client))


def _scopes(sent: Parameters, client: Client) -> tuple[str, ...]:
    """OpenID Connect Core §11: the person is asked every time, so `offline_access` may be too."""
    stays = GrantType.REFRESH_TOKEN in client.grant_types
    asked = sent.words("scope")
    return tuple(s for s in client.scopes if s in asked and (s != OFFLINE or stays))


def _details(sent: Parameters, client: Client) -> tuple[Mapping[str, Any], ...]:
    text = sent.get("authorization_details")
    if text is None:
        return ()
    return authorization_details.parse(text, client.authorization_details_types, client.resources)
