"""A backchannel authentication request, exchanged for tokens once the person has agreed (CIBA §10.1)."""

from sqlalchemy.orm import Session

from idp import polling
from idp.call import Call
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import GrantType, OAuthCode


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """Redeem an `auth_req_id`. Raises `OAuthError`."""
    handle = call.sent.get("auth_req_id")
    if handle is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "auth_req_id is missing")
    return polling.authorise(tx, provider, client, GrantType.CIBA, handle)
