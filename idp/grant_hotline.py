"""The code that a caller tells a hotline, exchanged for tokens (a grant of our own, RFC 6749 §4.5)."""

from sqlalchemy.orm import Session

from idp import entitlements, sessions, throttle
from idp.call import Call
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.methods import hotline_codes
from idp.provider import Provider
from idp.vocabulary import OAuthCode


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """Redeem a code. Raises `OAuthError`; with status 429 when too many were wrong."""
    told = call.sent.get("hotline_code")
    if told is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "hotline_code is missing")
    throttle.count_call(provider, throttle.HOTLINE_CODE_PER_CLIENT, client.client_id)
    approval = hotline_codes.redeem(tx, provider, client, told)
    if approval is None:
        raise OAuthError(
            OAuthCode.INVALID_GRANT, "it is unknown, used, lapsed, or of another client"
        )
    throttle.give_back(provider, throttle.HOTLINE_CODE_PER_CLIENT, client.client_id)
    entitlement = entitlements.of_person(tx, provider, client, approval)
    sessions.seen_by(tx, provider, approval.sid, client, entitlement.sub)
    return entitlement
