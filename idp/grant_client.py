"""The client credentials grant (RFC 6749 §4.4): a machine speaks for its organisation."""

from sqlalchemy.orm import Session

from idp.clients import Client
from idp.errors import OAuthError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.tokens import Entitlement
from idp.vocabulary import LICENCE_SCOPES, OAuthCode


def authorise(tx: Session, provider: Provider, client: Client, sent: Parameters) -> Entitlement:
    """What the client may have by itself. Raises `OAuthError`."""
    own = [scope for scope in client.scopes if scope in LICENCE_SCOPES]
    asked = (sent.get("scope") or " ".join(own)).split()
    if not asked or not set(asked) <= set(own):
        raise OAuthError(OAuthCode.INVALID_SCOPE, "a scope is unknown or not allowed here")
    resources = sent.resources or client.resources[:1]
    if not resources or not set(resources) <= set(client.resources):
        raise OAuthError(OAuthCode.INVALID_TARGET, "resource is not registered for this client")
    return Entitlement(
        client=client,
        subject=client.client_id,
        scopes=tuple(scope for scope in own if scope in asked),
        audiences=tuple(resources),
        organisation=client.organisation,
        sign_in=None,
    )
