"""The ID Token of an upstream, believed only after every check of OpenID Connect Core §3.1.3.7."""

import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from idp.client_signed import moment
from idp.node_errors import UpstreamAnswerWrong
from idp.nodes import upstream_metadata
from idp.provider import Provider
from idp.upstream import Upstream
from keys.jose import TokenError

_LEEWAY = 30
"""Seconds that two clocks may differ."""

_OLDEST = timedelta(minutes=10)
"""How long ago a token that answers a code just redeemed may have been made."""

_LONGEST_SUB = 255  # Core §2
_TYPES = (None, "JWT")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the request asked for and the token must bear out; `max_age` in seconds."""

    nonce: str
    max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Asserted:
    """What the upstream says of the sign-in: for whom, at which of its levels, when, which sign-on.

    `reference` is the digest of the token, by which both nodes find it again.
    """

    sub: str
    acr: str | None
    signed_in_at: datetime
    sid: str | None
    reference: str
    claims: Mapping[str, Any]


def read(provider: Provider, upstream: Upstream, token: str, expected: Expected) -> Asserted:
    """Check a token and return what it asserts. Raises `UpstreamAnswerWrong`, `UpstreamUnavailable`."""
    try:
        claims = upstream_metadata.verified(provider, upstream, token, _TYPES)
        asserted = _checked(provider.clock(), upstream, claims, expected)
    except TokenError as wrong:
        raise refused(upstream, f"ID Token: {wrong.code}") from None
    except ValueError as wrong:
        raise refused(upstream, f"ID Token: {wrong}") from None
    return replace(asserted, reference=hashlib.sha256(token.encode("ascii")).hexdigest())


def refused(upstream: Upstream, cause: str) -> UpstreamAnswerWrong:
    """The error to raise, with the cause told to the log alone."""
    _log.warning("upstream.answer_wrong", extra={"upstream": upstream.name, "cause": cause})
    return UpstreamAnswerWrong()


def _checked(
    now: datetime, upstream: Upstream, claims: Mapping[str, Any], expected: Expected
) -> Asserted:
    """Raises `ValueError`, which names the claim."""
    if claims.get("iss") != upstream.issuer:
        raise ValueError("iss")
    _check_audience(upstream, claims)
    seconds = int(now.timestamp())
    expires, made = _moment(claims, "exp"), _moment(claims, "iat")
    if expires <= seconds - _LEEWAY:
        raise ValueError("exp")
    if not seconds - _OLDEST.total_seconds() <= made <= seconds + _LEEWAY:
        raise ValueError("iat")
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(), expected.nonce.encode()
    ):
        raise ValueError("nonce")
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= _LONGEST_SUB:
        raise ValueError("sub")
    return Asserted(
        sub=sub,
        acr=_text(claims, "acr"),
        signed_in_at=_signed_in_at(now, claims, expected),
        sid=_text(claims, "sid"),
        reference="",
        claims=claims,
    )


def _check_audience(upstream: Upstream, claims: Mapping[str, Any]) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if upstream.client_id not in audiences:
        raise ValueError("aud")
    party = claims.get("azp")
    if party != upstream.client_id and (party is not None or len(audiences) > 1):
        raise ValueError("azp")


def _signed_in_at(now: datetime, claims: Mapping[str, Any], expected: Expected) -> datetime:
    """When the person signed in there, and never in our future; now, when it is not told."""
    told = moment(claims, "auth_time")
    if told is None:
        if expected.max_age is not None:  # Core §3.1.2.1: required then
            raise ValueError("auth_time")
        return now
    seconds = int(now.timestamp())
    too_old = expected.max_age is not None and told + expected.max_age < seconds - _LEEWAY
    if too_old or not 0 <= told <= seconds + _LEEWAY:
        raise ValueError("auth_time")
    return datetime.fromtimestamp(min(told, seconds), UTC)


def _moment(claims: Mapping[str, Any], name: str) -> int:
    told = moment(claims, name)
    if told is None:
        raise ValueError(name)
    return told


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    told = claims.get(name)
    return told if isinstance(told, str) else None
