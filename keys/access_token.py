"""The resource server's side of an access token: RFC 9068 tokens checked, callers named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from keys import jose
from keys.errors import DomainError
from keys.signer import PublicKey

TYPE = "at+jwt"  # RFC 9068 §2.1
LEVEL_PREFIX = "urn:yinxin:level:natural:"
# RFC 9449 §6.1 and RFC 8705 §3.1: thumbprints of the key, or certificate, that the caller must show.
_CONFIRMATIONS = frozenset({"jkt", "x5t#S256"})
ORGANISATION_CLAIM = "organisation"
"""The private claim that holds the 统一社会信用代码 a caller acts for."""

LEEWAY = 5
"""Seconds by which the clock of the process that made a token may be ahead of ours."""

_LATEST = 253402300799  # the last second that has four digits for its year (RFC 3339 §1)


class ScopeMissing(DomainError):
    """The token is good but does not allow this."""

    code = "token.scope_missing"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: `subject` (a person, or the client itself), for which organisation ("" for none).

    `level` is a natural person's, N of the `acr` urn:yinxin:level:natural:N; 0 with any other.
    `confirmation` holds `jkt` or `x5t#S256` when the token is bound to a key or a certificate: whoever
    takes it must ask for the proof (`keys.dpop_proof.check`, the TLS layer). It is empty
    for a bearer token. `signed_in_at` is when the person signed in (aware UTC), None if untold.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    organisation: str
    level: int
    claims: Mapping[str, Any] = field(repr=False)
    acr: str = ""
    signed_in_at: datetime | None = None
    confirmation: Mapping[str, str] = field(default_factory=dict)


def check(
    token: str,
    keys: Mapping[str, PublicKey],
    *,
    issuer: str,
    audience: str | jose.AnyAudience,
    now: datetime,
) -> Caller:
    """Check an access token (RFC 9068 §4) and return its caller. Raises TokenError.

    `keys` are the issuer's access-token keys by kid. A token may begin up to `LEEWAY` ahead of `now`,
    and ends when it says. The other claims (`act` of RFC 8693,
    `authorization_details` of RFC 9396) are in `Caller.claims` as they are.
    """
    claims = jose.verify(
        token, keys, TYPE, issuer=issuer, audience=audience, now=now, leeway=LEEWAY
    )
    # RFC 9068 §2.2: required, beyond what every token here must have.
    subject, client_id, _ = (_text(claims, name) for name in ("sub", "client_id", "jti"))
    scope, acr = claims.get("scope", ""), claims.get("acr", "")
    organisation = claims.get(ORGANISATION_CLAIM, "")
    if not all(isinstance(value, str) for value in (scope, acr, organisation)):
        raise jose.TokenMalformed(claim="scope")
    return Caller(
        subject=subject,
        client_id=client_id,
        scopes=frozenset(scope.split()),
        organisation=organisation,
        level=_level(acr),
        claims=MappingProxyType(claims),
        acr=acr,
        signed_in_at=_moment(claims, "auth_time"),
        confirmation=MappingProxyType(_confirmation(claims)),
    )


def require(caller: Caller, scope: str) -> None:
    """Raise ScopeMissing unless the caller's token has `scope`."""
    if scope not in caller.scopes:
        raise ScopeMissing(scope=scope)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise jose.TokenMalformed(claim=name)
    return value


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    seconds = claims.get(name)
    if seconds is None:
        return None
    # A bool is an int to Python, and not to JSON.
    if type(seconds) is not int or not 0 <= seconds <= _LATEST:
        raise jose.TokenMalformed(claim=name)
    return datetime.fromtimestamp(seconds, UTC)


def _confirmation(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return what the token is bound to (RFC 7800 §3.1).

    A token bound in a way we do not know is refused: it would pass for one that anybody may use.
    """
    if "cnf" not in claims:
        return {}
    cnf = claims["cnf"]
    if not isinstance(cnf, dict) or not cnf or not cnf.keys() <= _CONFIRMATIONS:
        raise jose.TokenMalformed(claim="cnf")
    return {name: _text(cnf, name) for name in cnf}


def _level(acr: str) -> int:
    # Staff stand on another ladder: their levels say nothing on this one.
    number = acr.removeprefix(LEVEL_PREFIX) if acr.startswith(LEVEL_PREFIX) else ""
    return int(number) if number.isascii() and number.isdigit() else 0
