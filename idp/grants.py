"""The token endpoint's phases, the same for every grant; a grant only says what it entitles to.

Read → authenticate the client → may it use this grant → the grant's own rule. No grant can
forget a shared step.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy.orm import Session

from idp import client_auth, grant_client, grant_code
from idp.clients import Client
from idp.errors import OAuthError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.tokens import Entitlement
from idp.vocabulary import TOKEN_PARAMETERS, GrantType, OAuthCode

Authorise = Callable[[Session, Provider, Client, Parameters], Entitlement]

GRANTS: Mapping[GrantType, Authorise] = MappingProxyType(
    {
        GrantType.AUTHORIZATION_CODE: grant_code.authorise,
        GrantType.CLIENT_CREDENTIALS: grant_client.authorise,
    }
)


def authorise(
    tx: Session, provider: Provider, sent: Parameters, authorization: str | None
) -> Entitlement:
    """Go through the phases. Raises `OAuthError`."""
    if repeated := sorted(sent.repeated & TOKEN_PARAMETERS):
        raise OAuthError(OAuthCode.INVALID_REQUEST, f"{repeated[0]} is repeated")
    client = client_auth.authenticate(tx, provider, sent, authorization)
    grant = _grant(sent.get("grant_type"))
    if grant not in client.grant_types:
        raise OAuthError(OAuthCode.UNAUTHORIZED_CLIENT, "this client may not use this grant")
    return GRANTS[grant](tx, provider, client, sent)


def _grant(name: str | None) -> GrantType:
    if name is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "grant_type is missing")
    if name not in frozenset(GrantType):
        raise OAuthError(OAuthCode.UNSUPPORTED_GRANT_TYPE, "grant_type is not supported")
    return GrantType(name)
