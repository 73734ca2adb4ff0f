"""The token that tells a client of a logout (OpenID Connect Back-Channel Logout 1.0 §2.4)."""

from datetime import timedelta

from idp import client_tokens
from idp.clients import Client
from idp.provider import Provider

TYPE = "logout+jwt"
LIFETIME = timedelta(minutes=2)
_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def make(provider: Provider, client: Client, sid: str, sub: str) -> str:
    """Sign a fresh logout token for `client`, and encrypt it if its ID Tokens are (§2.6).

    It has no `nonce`, so that it never passes for an ID Token, and a `jti` of its own each time.
    Call it outside any transaction. Raises `OAuthError` when the client's keys cannot be had.
    """
    now = int(provider.clock().timestamp())
    claims = {
        "iss": provider.issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "jti": provider.handle(16),
        "events": {_EVENT: {}},
        "sub": sub,
        "sid": sid,
    }
    token = client_tokens.signed(provider, claims, client.id_token_signed_response_alg, TYPE)
    return client_tokens.encrypted(
        provider,
        client,
        token,
        client.id_token_encrypted_response_alg,
        client.id_token_encrypted_response_enc,
    )
