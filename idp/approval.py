"""What a person allowed a client at one moment: the value every token of a person is minted from.

A code, a device code, a CIBA request and a refresh token all stand for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from idp.claims_request import NO_CLAIMS, ClaimsRequest
from idp.vocabulary import OFFLINE, Realm


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An approval.

    `grant_id` names the family of tokens that comes from it; `sid` the sign-on it was given in;
    `signed_in_at` and `methods` are that sign-on's (`auth_time`, RFC 8176 `amr`); `level` is the
    number of the rung the sign-in reached; `confirmation` the key the tokens are bound to (RFC 7800
    `cnf`: `jkt` or `x5t#S256`), empty for bearer tokens.
    """

    grant_id: str
    client_id: str
    realm: Realm
    subject: str
    sid: str
    signed_in_at: datetime
    methods: tuple[str, ...]
    level: int
    scopes: tuple[str, ...]
    resources: tuple[str, ...] = ()
    claims: ClaimsRequest = NO_CLAIMS
    authorization_details: tuple[Mapping[str, Any], ...] = ()
    nonce: str | None = None
    confirmation: Mapping[str, str] = field(default_factory=dict)

    @property
    def outlives_session(self) -> bool:
        """Its refresh tokens go on when the person has signed out (Core §11)."""
        return OFFLINE in self.scopes
