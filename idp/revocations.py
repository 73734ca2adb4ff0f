"""What is dead before its time: grants, sign-ons and single tokens, by identifiers of their own.

A token that was signed cannot be called back; whoever accepts one asks here first. One look-up
answers for all that a token hangs on.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Text, any_, bindparam, event, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from idp.errors import OAuthError
from idp.provider import Provider
from idp.tables import metadata
from idp.vocabulary import OAuthCode
from keys import journal

LIVES: Mapping[str, timedelta] = MappingProxyType(
    {
        "grant": timedelta(days=30),  # its refresh tokens: `refresh_tokens.LONGEST`
        "mandate": timedelta(hours=1),  # its access tokens; refresh tokens ask for the mandate
        "session": timedelta(hours=1),  # its access tokens; refresh tokens ask for the sign-on
        "token": timedelta(hours=1),
    }
)
"""By the kind of an identifier, the longest that anything it kills may live."""

ACTING_CLAIMS = ("entity", "helping")
"""The claims that tell for whom somebody acts, each with the mandate as its `grant_id`."""

_TABLE = metadata.tables["idp.revocation"]
_ANY = select(_TABLE.c.id).where(_TABLE.c.id == any_(bindparam("ids", type_=ARRAY(Text()))))


class GrantMisused(OAuthError):
    """What was spent came again, so it is in two hands: the whole grant ends (RFC 9700 §4.14.2).

    The refusal undoes its transaction, so the endpoint ends the grant in one of its own, with
    `end_misused`. `event` is what the journal calls it.
    """

    def __init__(self, grant_id: str, client_id: str, event: str, description: str) -> None:
        super().__init__(OAuthCode.INVALID_GRANT, description)
        self.grant_id = grant_id
        self.client_id = client_id
        self.event = event


def grant(grant_id: str) -> str:
    """The identifier of all that comes from one approval."""
    return f"grant:{grant_id}"


def session(sid: str) -> str:
    """The identifier of all that lives no longer than a sign-on."""
    return f"session:{sid}"


def mandate(mandate_id: str) -> str:
    """The identifier of all that was given to somebody who acts by a mandate."""
    return f"mandate:{mandate_id}"


def token(jti: str) -> str:
    """The identifier of one access token."""
    return f"token:{jti}"


def of_token(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Every identifier that an access token with these claims dies with.

    One that outlives the sign-on (OpenID Connect Core §11) does not name it.
    """
    ids = [token(str(claims.get("jti")))]
    if "grant_id" in claims:
        ids.append(grant(str(claims["grant_id"])))
    if "sid" in claims:
        ids.append(session(str(claims["sid"])))
    ids += [mandate(str(claims[name]["grant_id"])) for name in ACTING_CLAIMS if name in claims]
    return tuple(ids)


def revoke(tx: Session, provider: Provider, dead: str, until: datetime | None = None) -> None:
    """Let everything of this identifier be dead until all of it has lapsed anyway (aware UTC)."""
    event.listen(tx, "after_commit", lambda _: provider.live_tokens.clear(), once=True)
    lapsed = until or provider.clock() + LIVES[dead.partition(":")[0]]
    statement = insert(_TABLE).values(id=dead, until=lapsed)
    longest = func.greatest(_TABLE.c.until, statement.excluded.until)
    tx.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"until": longest}))


def any_revoked(tx: Session, provider: Provider, ids: Collection[str]) -> bool:
    """Is one of these dead? One look-up by primary key, and no write."""
    return tx.execute(_ANY, {"ids": list(ids)}).first() is not None


def end_misused(tx: Session, provider: Provider, refused: GrantMisused) -> None:
    """End the grant of which something spent was presented again, and say so once.

    Whoever sends the same thing a thousand times writes no thousand rows.
    """
    if any_revoked(tx, provider, (grant(refused.grant_id),)):
        return
    revoke(tx, provider, grant(refused.grant_id))
    journal.append(
        tx,
        at=provider.clock(),
        actor=refused.client_id,
        action=refused.event,
        subject=refused.grant_id,
        details={},
    )
