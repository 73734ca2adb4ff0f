"""Refresh tokens (RFC 6749 §6): families that begin with an approval and go on by rotation.

A token is random, kept as a fingerprint beside the approval it stands for, and spent by one
statement, so of any number of parallel uses exactly one rotates. Its successor is derived from it
with a key of ours: a use that comes again within the grace (a lost answer, two tabs) is told the
very same successor, which nobody has to keep in the clear. A use after the grace means that two
hold the token, and ends the family (RFC 9700 §4.14.2).

Clients under the FAPI 2.0 Security Profile keep theirs: it forbids rotation (§5.3.2.1), as their
tokens are of no use without the client's key.
"""

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Row, Update, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import revocations, sessions
from idp.approval import Approval
from idp.clients import Client
from idp.errors import OAuthError
from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.revocations import GrantMisused
from idp.tables import metadata
from idp.vocabulary import OAuthCode

LONGEST = revocations.LIVES["grant"]
"""How long a family lives that outlives the sign-on; any other ends with that."""

IDLE = timedelta(days=14)
"""How long a token may lie unused."""

GRACE = timedelta(seconds=45)
"""How long a use may come again: longer than clients wait for an answer, too short for a thief."""

_FINGERPRINT = "refresh-token"
_SUCCESSOR = "refresh-token-successor"
_APPROVAL = TypeAdapter(Approval)
_TABLE = metadata.tables["idp.refresh_token"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A refresh token as it is kept. `used_at` is when it was rotated, `ends_at` its family's end."""

    client_id: str
    approval: Approval
    issued_at: datetime
    expires_at: datetime
    ends_at: datetime
    used_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """May it still be used, as far as it goes by itself?"""
        return self.used_at is None and now < self.expires_at


def issue(tx: Session, provider: Provider, approval: Approval) -> str:
    """Begin a family of refresh tokens and return its first.

    `grants.authorise` calls it for every grant, with the key the family is bound to in
    `approval.confirmation`; a grant's own rule never does. Raises `OAuthError` `invalid_grant`
    when the sign-on has ended.
    """
    token = provider.handle()
    # OpenID Connect Core §12.2: an ID Token made at a refresh should not have the first one's nonce.
    quiet = replace(approval, nonce=None)
    _keep(tx, provider, token, quiet, _end(tx, provider, approval))
    return token


def redeem(tx: Session, provider: Provider, client: Client, token: str) -> tuple[Approval, str]:
    """What the token stands for, and the token that the client goes on with.

    Raises `OAuthError` `invalid_grant`, for a use after the grace `GrantMisused`.
    """
    spent = tx.execute(_use(provider, client, token)).one_or_none()
    if spent is None:
        return _again(tx, provider, client, token), successor(provider, token)
    approval = _kept(spent).approval
    _refuse_revoked(tx, provider, approval)
    if client.is_fapi2:
        return approval, token
    _keep(tx, provider, successor(provider, token), approval, spent.ends_at)
    return approval, successor(provider, token)


def find(tx: Session, provider: Provider, token: str) -> Kept | None:
    """The token as it is kept, live or not."""
    query = select(_TABLE).where(_TABLE.c.fingerprint == _print(provider, token))
    row = tx.execute(query).one_or_none()
    return None if row is None else _kept(row)


def successor(provider: Provider, token: str) -> str:
    """What comes after `token`: the same whenever it is asked for, and known to us alone."""
    derived = fingerprint(provider.secret, _SUCCESSOR, token)
    return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


def _use(provider: Provider, client: Client, token: str) -> Update:
    """The one statement that spends a token, or that keeps one which is not spent from lapsing."""
    now = provider.clock()
    used = {"expires_at": func.least(_TABLE.c.ends_at, now + IDLE)}
    return (
        update(_TABLE)
        .where(
            _TABLE.c.fingerprint == _print(provider, token),
            _TABLE.c.client_id == client.client_id,
            _TABLE.c.used_at.is_(None),
            _TABLE.c.expires_at > now,
        )
        .values(used if client.is_fapi2 else {"used_at": now})
        .returning(*_TABLE.c)
    )


def _again(tx: Session, provider: Provider, client: Client, token: str) -> Approval:
    """What a token stands for that was spent a moment ago. Raises `OAuthError` for any other."""
    kept = find(tx, provider, token)
    # Another client is told no more than that: it should not have the token at all.
    if kept is None or kept.client_id != client.client_id or kept.used_at is None:
        raise _invalid("the refresh token is unknown or has lapsed")
    _refuse_revoked(tx, provider, kept.approval)
    if provider.clock() > kept.used_at + GRACE:
        raise GrantMisused(
            kept.approval.grant_id,
            client.client_id,
            "refresh_token.reused",
            "the refresh token was used before",
        )
    return kept.approval


def _refuse_revoked(tx: Session, provider: Provider, approval: Approval) -> None:
    if revocations.any_revoked(tx, provider, [revocations.grant(approval.grant_id)]):
        raise _invalid("the grant was revoked")


def _end(tx: Session, provider: Provider, approval: Approval) -> datetime:
    if approval.outlives_session:
        return provider.clock() + LONGEST
    session = sessions.by_sid(tx, provider, approval.sid)
    if session is None:
        raise _invalid("the person has signed out")
    return session.expires_at


def _keep(
    tx: Session, provider: Provider, token: str, approval: Approval, ends_at: datetime
) -> None:
    now = provider.clock()
    tx.execute(
        insert(_TABLE).values(
            fingerprint=_print(provider, token),
            grant_id=approval.grant_id,
            client_id=approval.client_id,
            subject=approval.subject,
            sid=None if approval.outlives_session else approval.sid,
            approval=_APPROVAL.dump_python(approval, mode="json"),
            issued_at=now,
            expires_at=min(ends_at, now + IDLE),
            ends_at=ends_at,
        )
    )


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    return Kept(
        row.client_id,
        _APPROVAL.validate_python(row.approval),
        row.issued_at,
        row.expires_at,
        row.ends_at,
        row.used_at,
    )


def _print(provider: Provider, token: str) -> bytes:
    return fingerprint(provider.secret, _FINGERPRINT, token)


def _invalid(description: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_GRANT, description)
