"""What one node tells another: a Security Event Token (RFC 8417), pushed as RFC 8935 has it.

It is signed with the telling node's own key for what it says of people, and is of no use elsewhere
(`aud`) or later: a telling that failed is told again in a fresh token.
"""

from collections.abc import Mapping
from typing import Any

from idp.client_signed import moment
from idp.nodes import peers
from idp.nodes.peers import Peer, PeerKeysUnavailable, Place
from idp.provider import Provider
from keys import jose
from keys.algorithms import ES256, Purpose
from keys.compact import TokenError

TYPE = "secevent+jwt"
MEDIA_TYPE = "application/secevent+jwt"
LARGEST = 1024 * 1024

PEOPLE = "urn:yinxin:event:people"
DIGESTS = "urn:yinxin:event:people-digests"

_LEEWAY = 60
"""Seconds that the teller's clock may be ahead of ours."""

_OLDEST = 600
"""Seconds after which a token says nothing any more: far more than its way takes."""


class EventRefused(Exception):
    """What came is not believed; `err` is a code of RFC 8935 §2.4, the text says why."""

    def __init__(self, err: str, description: str) -> None:
        super().__init__(description)
        self.err = err
        self.description = description


def make(provider: Provider, to: str, event: str, content: Mapping[str, Any]) -> bytes:
    """Sign an event for the node whose issuer identifier is `to`; call it outside any transaction."""
    claims = {
        "iss": provider.issuer,
        "aud": to,
        "iat": int(provider.clock().timestamp()),
        "jti": provider.handle(16),
        "events": {event: dict(content)},
    }
    signer = provider.signer(Purpose.ID_TOKEN, ES256)
    return jose.sign(claims, signer, TYPE).encode()


def heard(provider: Provider, body: bytes, event: str) -> tuple[Peer, Mapping[str, Any]]:
    """Check what came, and return who told it and the content; call it outside any transaction.

    Only the province is listened to. Raises `EventRefused`.
    """
    try:
        token = body.decode("ascii")
        issuer = peers.claimed_issuer(token)
    except (TokenError, ValueError):
        raise EventRefused("invalid_request", "the body is no signed token") from None
    with provider.begin() as tx:
        teller = peers.find(tx, issuer)
    if teller is None or teller.place is not Place.ABOVE:
        raise EventRefused("invalid_issuer", "the issuer is not our province")
    claims = _signed(provider, teller, token)
    if claims.get("aud") != provider.issuer:
        raise EventRefused("invalid_audience", "the token is for somebody else")
    _check_moment(provider, claims)
    events = claims.get("events")
    content = events.get(event) if isinstance(events, dict) else None
    if not isinstance(content, dict):
        raise EventRefused("invalid_request", "the token holds no event that belongs here")
    return teller, content


def _signed(provider: Provider, teller: Peer, token: str) -> Mapping[str, Any]:
    try:
        return peers.verified(provider, teller, token, TYPE, largest=LARGEST).claims
    except TokenError:
        raise EventRefused("invalid_key", "the token is not signed by the issuer") from None
    except PeerKeysUnavailable:
        raise EventRefused("invalid_key", "the keys of the issuer cannot be had") from None


def _check_moment(provider: Provider, claims: Mapping[str, Any]) -> None:
    now = int(provider.clock().timestamp())
    try:
        made = moment(claims, "iat")
    except ValueError:
        made = None
    if made is None or not now - _OLDEST <= made <= now + _LEEWAY:
        raise EventRefused("invalid_request", "iat is not now: the clocks differ")
