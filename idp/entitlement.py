"""What a grant entitles to, before it is minted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from idp.approval import Approval
from idp.clients import Client

LIFETIME = timedelta(minutes=10)
"""Of an access token and an ID Token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """What a grant entitles to: who, through which client, to what, for which audiences.

    `subject` is ours, `sub` what this client is told; `organisation` is the USCC acted for;
    `approval` is absent for machines; `confirmation` is the `cnf` of bound tokens; `act` the chain
    of actors (RFC 8693 §4.1); `id_claims` what the ID Token also tells of the person; `acting` tells
    for whom the person acts, if not for themselves; `ends_at` when
    the access token ends at the latest; `issued_token_type` what an exchange says that it is (§2.2.1).
    """

    client: Client
    subject: str
    sub: str
    scopes: tuple[str, ...]
    audiences: tuple[str, ...]
    organisation: str | None
    approval: Approval | None
    confirmation: Mapping[str, str] = field(default_factory=dict)
    act: Mapping[str, Any] | None = None
    id_claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    ends_at: datetime | None = None
    acting: Mapping[str, Any] = field(default_factory=dict, repr=False)
    issued_token_type: str | None = None

    def expires_at(self, now: datetime) -> datetime:
        """When an access token made now expires."""
        full = now + LIFETIME
        return full if self.ends_at is None else min(full, self.ends_at)
