"""The token endpoint's phases, the same for every grant; a grant only says what it entitles to.

Read → authenticate the client → may it use this grant → which key does it show → the grant's own
rule → is that the key it was given for → which of its audiences → a refresh token. No grant can
forget a shared step.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sqlalchemy.orm import Session

from idp import (
    client_auth,
    grant_ciba,
    grant_client,
    grant_code,
    grant_device,
    grant_exchange,
    grant_hotline,
    grant_refresh,
    refresh_tokens,
    resources,
    sender,
)
from idp.call import Call
from idp.client_rules import OF_PEOPLE
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import TOKEN_PARAMETERS, GrantType, OAuthCode

Authorise = Callable[[Session, Provider, Client, Call], Entitlement]

GRANTS: Mapping[GrantType, Authorise] = MappingProxyType(
    {
        GrantType.AUTHORIZATION_CODE: grant_code.authorise,
        GrantType.CLIENT_CREDENTIALS: grant_client.authorise,
        GrantType.REFRESH_TOKEN: grant_refresh.authorise,
        GrantType.TOKEN_EXCHANGE: grant_exchange.authorise,
        GrantType.DEVICE_CODE: grant_device.authorise,
        GrantType.CIBA: grant_ciba.authorise,
        GrantType.HOTLINE: grant_hotline.authorise,
    }
)


def asking(provider: Provider, call: Call) -> Client:
    """Go through the first two phases, outside any transaction. Raises `OAuthError`."""
    if repeated := sorted(call.sent.repeated & TOKEN_PARAMETERS.keys()):
        raise OAuthError(OAuthCode.INVALID_REQUEST, f"{repeated[0]} is repeated")
    return client_auth.authenticate(provider, call)


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """Go through the others, with the client that asks. Raises `OAuthError`."""
    grant = _grant(client, call.sent.get("grant_type"))
    shown = sender.confirmation(provider, client, call)
    entitlement = _bound(GRANTS[grant](tx, provider, client, call), shown)
    if grant in (*OF_PEOPLE, GrantType.REFRESH_TOKEN):
        entitlement = _for_some(provider, entitlement, call.sent.resources)
    if grant in OF_PEOPLE and GrantType.REFRESH_TOKEN in client.grant_types:
        entitlement = _with_refresh_token(tx, provider, entitlement)
    return entitlement


def _grant(client: Client, name: str | None) -> GrantType:
    if name is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "grant_type is missing")
    if name not in frozenset(GRANTS):
        raise OAuthError(OAuthCode.UNSUPPORTED_GRANT_TYPE, "grant_type is not supported")
    grant = GrantType(name)
    if grant not in client.grant_types:
        raise OAuthError(OAuthCode.UNAUTHORIZED_CLIENT, "this client may not use this grant")
    return grant


def _bound(entitlement: Entitlement, shown: Mapping[str, str]) -> Entitlement:
    """The tokens are bound to the key shown, which is the one agreed on, if any was.

    It was agreed on by `dpop_jkt` (RFC 9449 §10), or is that of a public client's refresh token
    (RFC 9449 §5).
    """
    approval = entitlement.approval
    if approval is not None and not approval.confirmation.items() <= shown.items():
        raise OAuthError(OAuthCode.INVALID_GRANT, "the grant is bound to another key")
    return replace(entitlement, confirmation=shown)


def _for_some(provider: Provider, entitlement: Entitlement, asked: tuple[str, ...]) -> Entitlement:
    """RFC 8707 §2.2: this access token may be for fewer resources than the person agreed to."""
    approval = entitlement.approval
    if not asked or approval is None:
        return entitlement
    allowed = approval.resources or entitlement.client.resources
    ours = tuple(a for a in entitlement.audiences if a == provider.issuer)
    return replace(entitlement, audiences=(*resources.narrowed(asked, allowed), *ours))


def _with_refresh_token(tx: Session, provider: Provider, entitlement: Entitlement) -> Entitlement:
    """RFC 9449 §5: a public client's is bound to its key; a confidential one has its authentication."""
    if entitlement.approval is None:
        return entitlement
    bound_to = entitlement.confirmation if entitlement.client.is_public else {}
    # 高级 is of one transaction: no token that is renewed has it.
    family = replace(entitlement.approval.without_transaction, confirmation=bound_to)
    return replace(entitlement, refresh_token=refresh_tokens.issue(tx, provider, family))
