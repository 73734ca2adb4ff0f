"""Token revocation (RFC 7009): an access token dies alone, a refresh token with its whole grant.

As for introspection, the form of a token says what it is and `token_type_hint` is not needed; a
wrong one does no harm (§2.2).
"""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from idp import client_auth, issued_tokens, refresh_tokens, revocations
from idp.call import Answer, Call
from idp.clients import Client
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import REVOCATION_PARAMETERS, OAuthCode
from keys import journal
from keys.jose import TokenError, TokenWrongType


def answer(provider: Provider, call: Call) -> Answer:
    """Make a token worthless, for the client that it was given to. Raises `OAuthError`."""
    if repeated := sorted(call.sent.repeated & REVOCATION_PARAMETERS.keys()):
        raise OAuthError(OAuthCode.INVALID_REQUEST, f"{repeated[0]} is repeated")
    client = client_auth.authenticate(provider, call)
    token = call.sent.get("token")
    if token is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "token is missing")
    with provider.begin() as tx:
        if "." in token:
            _revoke_access_token(tx, provider, client, token)
        else:
            _revoke_grant(tx, provider, client, token)
    # RFC 7009 §2.2: 200 too for a token that is unknown or dead: it is what the client wants.
    return Answer(200)


def _revoke_access_token(tx: Session, provider: Provider, client: Client, token: str) -> None:
    try:
        caller = issued_tokens.read(provider, token)
    except TokenWrongType:
        # An ID Token is a statement of what was: it cannot be taken back (RFC 7009 §2.2.1).
        raise OAuthError(
            OAuthCode.UNSUPPORTED_TOKEN_TYPE, "tokens of this type cannot be revoked"
        ) from None
    except TokenError:
        return
    _check_holder(client, caller.client_id)
    jti, lapses = caller.claims["jti"], datetime.fromtimestamp(caller.claims["exp"], UTC)
    _end(tx, provider, revocations.token(jti), lapses, client, "token.revoked", jti)


def _revoke_grant(tx: Session, provider: Provider, client: Client, token: str) -> None:
    kept = refresh_tokens.find(tx, provider, token)
    if kept is None:
        return
    _check_holder(client, kept.client_id)
    # RFC 7009 §2.1: with a refresh token go the access tokens of the same grant.
    grant_id = kept.approval.grant_id
    _end(tx, provider, revocations.grant(grant_id), None, client, "grant.revoked", grant_id)


def _check_holder(client: Client, holder: str) -> None:
    """RFC 7009 §2.1: another client's token is not revoked, and the error says so."""
    if holder != client.client_id:
        raise OAuthError(OAuthCode.INVALID_GRANT, "the token was given to another client")


def _end(
    tx: Session,
    provider: Provider,
    dead: str,
    until: datetime | None,
    by: Client,
    action: str,
    subject: str,
) -> None:
    """End it and say so, once: whoever asks a thousand times writes no thousand rows."""
    if revocations.any_revoked(tx, provider, (dead,)):
        return
    revocations.revoke(tx, provider, dead, until)
    journal.append(
        tx,
        at=provider.clock(),
        actor=by.client_id,
        action=action,
        subject=subject,
        details={},
    )
