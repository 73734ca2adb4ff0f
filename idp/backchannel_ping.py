"""A client is told that the person has decided, so that it need not poll (CIBA Core 1.0 §10.2).

The notification says nothing but which request; what was decided is told at the token endpoint.
The client's token for it, and the request's handle, travel sealed through Redis and the job queue.
"""

import json
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from idp import clients
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from keys import journal

JOB = "ping_client"

_TOLD = "told"
_UNWANTED = "unwanted"
_LATE = "late"


class ClientNotPinged(Exception):
    """The client could not be reached this time; the queue tries again."""


def seal(provider: Provider, auth_req_id: str, token: str) -> str:
    """What is needed to tell the client, sealed (hex); `token` is its `client_notification_token`."""
    return provider.protector.seal(json.dumps([auth_req_id, token]), provider.random).hex()


def announce(tx: Session, provider: Provider, client_id: str, sealed: str, until: datetime) -> None:
    """Put the notification in line; after `until` it would be of no use."""
    told = {"client_id": client_id, "sealed": sealed, "until": str(int(until.timestamp()))}
    provider.defer(tx, JOB, told)


def ping(provider: Provider, client_id: str, sealed: str, until: str) -> None:
    """Tell the client; the job `JOB`. Raises `ClientNotPinged` to be called again.

    Any answer but an outage is final: §10.2 knows 204 and 200, and a client that refuses the
    notification refuses it again. Run twice it tells twice, which a client takes for once.
    """
    with provider.begin() as tx:
        client = clients.find(tx, client_id)
    endpoint = None if client is None else client.backchannel_client_notification_endpoint
    late = provider.clock() >= datetime.fromtimestamp(int(until), UTC)
    if endpoint is None or late:
        outcome = _LATE if late else _UNWANTED
    else:
        outcome = _sent(provider, endpoint, sealed)
    with provider.begin() as tx:
        journal.append(
            tx,
            at=provider.clock(),
            actor="idp",
            action="ciba.pinged" if outcome == _TOLD else "ciba.not_pinged",
            subject=client_id,
            details={"outcome": outcome},
        )


def _sent(provider: Provider, endpoint: str, sealed: str) -> str:
    """Return what came of it. Raises `ClientNotPinged`."""
    auth_req_id, token = json.loads(provider.protector.open(bytes.fromhex(sealed)))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    body = json.dumps({"auth_req_id": auth_req_id}).encode()
    try:
        status = provider.outgoing.post(endpoint, body, headers)
    except OutgoingFailed as failed:
        raise ClientNotPinged(failed.reason.value) from None
    if status >= 500:
        raise ClientNotPinged(f"status {status}")
    return _TOLD if 200 <= status < 300 else f"status {status}"
