"""What a person allowed a client at one moment: the value every token of a person is minted from.

A code, a device code, a CIBA request and a refresh token all stand for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from idp import levels, transaction
from idp.acting import Context
from idp.claims_request import NO_CLAIMS, ClaimsRequest
from idp.transaction import SeenLive
from idp.vocabulary import OFFLINE, Realm


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An approval.

    `grant_id` names the family of tokens that comes from it; `sid` the sign-on it was given in;
    `signed_in_at` and `methods` are that sign-on's (`auth_time`, RFC 8176 `amr`); `level` is the
    number of the rung the sign-in reached; `confirmation` the key the tokens are bound to (RFC 7800
    `cnf`: `jkt` or `x5t#S256`), empty for bearer tokens; `live` is the live check for the one
    transaction that it is of, when there was one; `context` for whom the person acts, if not for
    themselves; `local_account` by which account staff go into an application that has its own.
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
    live: SeenLive | None = None
    context: Context | None = None
    local_account: str | None = None

    @property
    def outlives_session(self) -> bool:
        """Its refresh tokens go on when the person has signed out (Core §11)."""
        return OFFLINE in self.scopes

    @property
    def without_transaction(self) -> "Approval":
        """What is left when the transaction is over: the sign-on, without the live check."""
        if self.live is None:
            return self
        return replace(
            self,
            methods=tuple(method for method in self.methods if method not in self.live.amr),
            level=min(self.level, levels.HIGHEST_STANDING),
            authorization_details=tuple(
                detail
                for detail in self.authorization_details
                if detail["type"] != transaction.TYPE
            ),
            live=None,
        )
