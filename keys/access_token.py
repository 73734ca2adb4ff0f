"""The resource server's side of an access token: RFC 9068 tokens checked, callers named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from keys import jose
from keys.errors import DomainError
from keys.signer import PublicKey

TYPE = "at+jwt"  # RFC 9068 §2.1
LEVEL_PREFIX = "urn:yinxin:level:natural:"
ORGANISATION_CLAIM = "organisation"
"""The private claim that holds the 统一社会信用代码 a caller acts for."""


class ScopeMissing(DomainError):
    """The token is good but does not allow this."""

    code = "token.scope_missing"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: `subject` (a person, or the client itself), for which organisation ("" for none).

    `level` is a natural person's, N of the `acr` urn:yinxin:level:natural:N; 0 with any other.
    """

    subject: str
    client_id: str
    scopes: frozenset[str]
    organisation: str
    level: int
    claims: Mapping[str, Any] = field(repr=False)


def check(
    token: str,
    keys: Mapping[str, PublicKey],
    *,
    issuer: str,
    audience: str,
    now: datetime,
) -> Caller:
    """Check an access token (RFC 9068 §4) and return its caller. Raises TokenError.

    `keys` are the issuer's access-token keys by kid.
    """
    claims = jose.verify(token, keys, TYPE, issuer=issuer, audience=audience, now=now)
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


def _level(acr: str) -> int:
    # Staff stand on another ladder: their levels say nothing on this one.
    number = acr.removeprefix(LEVEL_PREFIX) if acr.startswith(LEVEL_PREFIX) else ""
    return int(number) if number.isascii() and number.isdigit() else 0
