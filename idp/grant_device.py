"""The device code, exchanged for tokens once the person has agreed (RFC 8628 §3.4)."""

from sqlalchemy.orm import Session

from idp import polling
from idp.call import Call
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import GrantType, OAuthCode


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """Redeem a device code. Raises `OAuthError`."""
    handle = call.sent.get("device_code")
    if handle is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "device_code is missing")
    return polling.authorise(tx, provider, client, GrantType.DEVICE_CODE, handle)
