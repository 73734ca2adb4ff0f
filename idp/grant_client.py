"""The client credentials grant (RFC 6749 §4.4): a machine speaks for its organisation.

It gets neither an ID Token nor a refresh token (§4.4.3): there is no person, and it can ask again.
"""

from sqlalchemy.orm import Session

from idp import resources
from idp.call import Call
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.vocabulary import STAFF_SCOPES, OAuthCode


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """What the client may have by itself. Raises `OAuthError`."""
    return Entitlement(
        client=client,
        subject=client.client_id,
        sub=client.client_id,
        scopes=_scopes(client, call.sent),
        audiences=_audiences(client, call.sent),
        organisation=client.organisation,
        approval=None,
    )


def _scopes(client: Client, sent: Parameters) -> tuple[str, ...]:
    """Those asked for, or all that are not about a person (RFC 6749 §3.3)."""
    own = tuple(scope for scope in client.scopes if scope in STAFF_SCOPES)
    asked = (sent.get("scope") or " ".join(own)).split()
    if not asked or not set(asked) <= set(own):
        raise OAuthError(OAuthCode.INVALID_SCOPE, "a scope is unknown or not allowed here")
    return tuple(scope for scope in own if scope in asked)


def _audiences(client: Client, sent: Parameters) -> tuple[str, ...]:
    """The resources named (RFC 8707 §2.2), or the first."""
    chosen = resources.narrowed(resources.named(sent), client.resources) or client.resources[:1]
    if not chosen:
        raise OAuthError(OAuthCode.INVALID_TARGET, "no resource is registered for this client")
    return chosen
