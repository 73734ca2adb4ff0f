"""The tokens of one answer: minted outside any transaction from what a grant entitles to."""

from dataclasses import dataclass, field
from typing import Any

from idp import access_tokens, id_tokens, userinfo_claims
from idp.entitlement import Entitlement
from idp.provider import Provider


@dataclass(frozen=True, slots=True)
class Minted:
    """The tokens of one answer; `lifetime` is the access token's, in seconds."""

    access_token: str = field(repr=False)
    id_token: str | None = field(repr=False)
    refresh_token: str | None = field(repr=False)
    token_type: str
    scope: str
    lifetime: int
    authorization_details: tuple[Any, ...] = ()
    issued_token_type: str | None = None

    @property
    def members(self) -> dict[str, Any]:
        """The members of the token answer (RFC 6749 §5.1, Core §3.1.3.3, RFC 9396 §7, RFC 8693 §2.2.1)."""
        told = {
            "access_token": self.access_token,
            "token_type": self.token_type,
            "expires_in": self.lifetime,
            "scope": self.scope,
            "id_token": self.id_token,
            "refresh_token": self.refresh_token,
            "authorization_details": list(self.authorization_details) or None,
            "issued_token_type": self.issued_token_type,
        }
        return {name: value for name, value in told.items() if value is not None}


def mint(provider: Provider, entitlement: Entitlement) -> Minted:
    """Sign what the entitlement says, and keep what userinfo must know of the request.

    Raises `OAuthError` when the ID Token is to be encrypted and the client's keys cannot be had.
    """
    now, approval = provider.clock(), entitlement.approval
    access_token = access_tokens.issue(provider, entitlement)
    id_token = None
    if approval is not None and "openid" in entitlement.scopes:
        id_token = id_tokens.issue(provider, entitlement, approval, access_token)
        userinfo_claims.keep(provider, approval)
    return Minted(
        access_token,
        id_token,
        entitlement.refresh_token,
        "DPoP" if "jkt" in entitlement.confirmation else "Bearer",
        " ".join(entitlement.scopes),
        int((entitlement.expires_at(now) - now).total_seconds()),
        () if approval is None else approval.authorization_details,
        entitlement.issued_token_type,
    )
