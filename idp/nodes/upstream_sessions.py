"""Sign-ons that an upstream answers for, and their end when it says that its own ended.

OpenID Connect Back-Channel Logout 1.0 §2.5 to §2.8, as the relying party: the end travels down from
the province to the city, and from there to the city's portals.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import artifacts, sessions
from idp.artifacts import Kind
from idp.call import Answer, Call
from idp.client_signed import moment
from idp.errors import OAuthError
from idp.node_errors import UpstreamAnswerWrong, UpstreamUnavailable, UpstreamUnknown
from idp.nodes import upstream_metadata
from idp.nodes.tables import UpstreamSessionRow
from idp.nodes.upstream_id_token import refused
from idp.provider import Provider
from idp.sessions import Ending
from idp.upstream import Upstream
from idp.vocabulary import OAuthCode
from keys.jose import TokenError

_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TYPES = ("logout+jwt", "JWT", None)
_LEEWAY = 30
_RECENT = timedelta(minutes=10)
_USED = Kind("upstream-logout", TypeAdapter(bool), 2 * _RECENT)


def answer(provider: Provider, call: Call) -> Answer:
    """End what came from the sign-on that an upstream, named by the path, says is over (§2.7).

    Raises `OAuthError`: 400 for a token that is not believed (§2.8).
    """
    try:
        upstream = provider.node.upstream(call.path)
        upstream_sid = ended_upstream(provider, upstream, call.sent.get("logout_token") or "")
    except UpstreamUnavailable:
        raise OAuthError(
            OAuthCode.TEMPORARILY_UNAVAILABLE, "your keys cannot be had", status=503
        ) from None
    except (UpstreamUnknown, UpstreamAnswerWrong):
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the logout token is not believed") from None
    with provider.begin() as tx:
        end(tx, provider, upstream, upstream_sid)
    return Answer(200)


def note(tx: Session, upstream: Upstream, sid: str, upstream_sid: str | None) -> None:
    """Keep which sign-on of theirs ours came from, when the upstream tells."""
    if upstream_sid is None:
        return
    told = {"upstream": upstream.name, "upstream_sid": upstream_sid}
    made = insert(UpstreamSessionRow).values(sid=sid, **told)
    tx.execute(made.on_conflict_do_update(index_elements=["sid"], set_=told))


def ended_upstream(provider: Provider, upstream: Upstream, token: str) -> str:
    """Check a logout token and return the `sid` that ended; call it outside any transaction.

    Raises `UpstreamAnswerWrong`, `UpstreamUnavailable`.
    """
    try:
        claims = upstream_metadata.verified(provider, upstream, token, _TYPES)
        sid, jti = _checked(provider, upstream, claims)
    except TokenError as wrong:
        raise refused(upstream, f"logout token: {wrong.code}") from None
    except ValueError as wrong:
        raise refused(upstream, f"logout token: {wrong}") from None
    # §2.6 step 8: each once.
    if not artifacts.is_first(provider, _USED, f"{upstream.name} {jti}", True, _USED.lifetime):
        raise refused(upstream, "logout token: used before")
    return sid


def end(tx: Session, provider: Provider, upstream: Upstream, upstream_sid: str) -> int:
    """End every sign-on that came from one of theirs; say how many did."""
    query = select(UpstreamSessionRow.sid).where(
        UpstreamSessionRow.upstream == upstream.name,
        UpstreamSessionRow.upstream_sid == upstream_sid,
    )
    by, why = f"upstream:{upstream.name}", Ending.UPSTREAM
    sids = sorted(tx.scalars(query))
    return sum(sessions.end(tx, provider, sid, by=by, why=why) for sid in sids)


def _checked(provider: Provider, upstream: Upstream, claims: Mapping[str, Any]) -> tuple[str, str]:
    """Return `sid` and `jti`. Raises `ValueError`, which names the claim."""
    now = int(provider.clock().timestamp())
    audience, events = claims.get("aud"), claims.get("events")
    if claims.get("iss") != upstream.issuer:
        raise ValueError("iss")
    if upstream.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise ValueError("aud")
    made, expires = moment(claims, "iat"), moment(claims, "exp")
    if made is None or abs(now - made) > _RECENT.total_seconds():
        raise ValueError("iat")
    if expires is None or expires <= now - _LEEWAY:
        raise ValueError("exp")
    if not isinstance(events, Mapping) or _EVENT not in events:
        raise ValueError("events")
    if "nonce" in claims:  # §2.4: or an ID Token would pass for one
        raise ValueError("nonce")
    sid, jti = claims.get("sid"), claims.get("jti")
    if not isinstance(sid, str) or not isinstance(jti, str):
        raise ValueError("sid")
    return sid, jti
