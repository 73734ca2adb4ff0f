"""The backchannel authentication endpoint: a client asks for one person by name (CIBA Core 1.0 §7).

The person answers where they are signed in already, in their own app or browser.
"""

from sqlalchemy.orm import Session

from idp import (
    accounts,
    asking,
    backchannel_ping,
    backchannel_request,
    id_token_hint,
    pending,
    polling,
    staff,
    throttle,
)
from idp.backchannel_request import BackchannelRequest
from idp.call import Answer, Call, told
from idp.clients import Client
from idp.errors import OAuthError
from idp.id_token_hint import HintRefused
from idp.pending import Pending
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.vocabulary import BACKCHANNEL_PARAMETERS, GrantType, OAuthCode, Realm

MOST_WAITING = 20
"""How many requests may wait for one person: nobody is worn down by asking them again and again."""


def answer(provider: Provider, call: Call) -> Answer:
    """Let a request wait for the person it is for. Raises `OAuthError`."""
    client = asking.client_of(provider, call, GrantType.CIBA, BACKCHANNEL_PARAMETERS)
    sent = backchannel_request.effective(provider, client, call.sent)
    asked = backchannel_request.read(sent, client)
    subject = _subject_meant(provider, client, *asked.hint)
    if len(pending.line_of(provider, subject)) >= MOST_WAITING:
        raise OAuthError(
            OAuthCode.TEMPORARILY_UNAVAILABLE,
            "too many requests wait for this person",
            status=429,
            headers={"Retry-After": str(int(backchannel_request.USUAL_LIFETIME.total_seconds()))},
        )
    auth_req_id = provider.handle()
    pending.keep(
        provider, auth_req_id, _pending(provider, client, asked, subject, auth_req_id, call)
    )
    return told(
        {
            "auth_req_id": auth_req_id,
            "expires_in": int(asked.lifetime.total_seconds()),
            "interval": polling.INTERVAL,
        }
    )


def _subject_meant(provider: Provider, client: Client, name: str, hint: str) -> str:
    """Whom the hint means. Raises `OAuthError`.

    That somebody has no account here is told, as the client cannot go on otherwise (§13), but only
    so often: whoever tries names one after another is stopped.
    """
    throttle.count_call(provider, throttle.UNKNOWN_PER_CLIENT, client.client_id)
    try:
        with provider.begin() as tx:
            subject = _known(tx, provider, client, name, hint)
    except HintRefused:
        throttle.give_back(provider, throttle.UNKNOWN_PER_CLIENT, client.client_id)
        raise OAuthError(
            OAuthCode.INVALID_REQUEST,
            "id_token_hint is not an ID Token that this client got here",
        ) from None
    except AccountUnknown:
        raise OAuthError(OAuthCode.UNKNOWN_USER_ID, "the hint means nobody here") from None
    throttle.give_back(provider, throttle.UNKNOWN_PER_CLIENT, client.client_id)
    return subject


def _known(tx: Session, provider: Provider, client: Client, name: str, hint: str) -> str:
    """Raises `HintRefused`, `AccountUnknown`."""
    is_staff = client.realm is Realm.STAFF
    if name == "id_token_hint":
        subject = id_token_hint.subject(provider, client, hint)
        if is_staff:
            return staff.member(tx, provider, subject).subject
        accounts.check_open(tx, subject)
        return subject
    known = staff.credentials if is_staff else accounts.credentials
    found = known(tx, provider, hint)
    if found is None:
        raise AccountUnknown
    return found.subject


def _pending(
    provider: Provider,
    client: Client,
    asked: BackchannelRequest,
    subject: str,
    auth_req_id: str,
    call: Call,
) -> Pending:
    now, token = provider.clock(), asked.notification_token
    return Pending(
        grant=GrantType.CIBA,
        client_id=client.client_id,
        realm=client.realm or Realm.CITIZEN,
        subject=subject,
        scopes=asked.wishes.scopes,
        resources=asked.wishes.resources,
        authorization_details=asked.wishes.authorization_details,
        acr_values=asked.acr_values,
        binding_message=asked.binding_message,
        asked_from=call.address,
        asked_at=now,
        expires_at=now + asked.lifetime,
        ping=None if token is None else backchannel_ping.seal(provider, auth_req_id, token),
    )
