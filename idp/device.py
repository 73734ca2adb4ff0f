"""The device authorization endpoint: a kiosk or a television asks for somebody (RFC 8628 §3.1).

It answers with a code for the device and one for the person, who types it where they are signed in.
"""

from datetime import timedelta

from idp import asking, device_approval, pending, polling, throttle
from idp.asking import Wishes
from idp.call import Answer, Call, told
from idp.clients import Client
from idp.pending import Pending
from idp.provider import Provider
from idp.vocabulary import DEVICE_PARAMETERS, GrantType, Realm

_LIFETIME = timedelta(minutes=10)


def answer(provider: Provider, call: Call) -> Answer:
    """Give a device the two codes. Raises `OAuthError`."""
    client = asking.client_of(provider, call, GrantType.DEVICE_CODE, DEVICE_PARAMETERS)
    if client.is_public:
        throttle.count_call(provider, throttle.DEVICE_PER_ADDRESS, call.address)
    asked = _pending(provider, client, asking.wishes(call.sent, client), call.address)
    device_code = provider.handle()
    pending.keep(provider, device_code, asked)
    user_code = device_approval.give(provider, pending.uid_of(device_code))
    page = f"{provider.public_url}/device"
    return told(
        {
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={user_code}",
            "expires_in": int(_LIFETIME.total_seconds()),
            "interval": polling.INTERVAL,
        }
    )


def _pending(provider: Provider, client: Client, wishes: Wishes, address: str) -> Pending:
    now = provider.clock()
    return Pending(
        grant=GrantType.DEVICE_CODE,
        client_id=client.client_id,
        realm=client.realm or Realm.CITIZEN,
        subject=None,
        scopes=wishes.scopes,
        resources=wishes.resources,
        authorization_details=wishes.authorization_details,
        asked_from=address,
        asked_at=now,
        expires_at=now + _LIFETIME,
    )
