"""The wire shapes of the administration of levels."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class PolicyIn(BaseModel):
    """Which level an item needs: of a person, of an entity, 0 to 3; null: that kind may not do it."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name_zh: str = Field(min_length=1, max_length=100)
    name_en: str = Field(min_length=1, max_length=100)
    natural: int | None = Field(ge=0, le=3)
    legal: int | None = Field(ge=0, le=3)
    agents: bool = Field(False, description="Agents of an entity may do it; only at 初级.")


class PolicyOut(PolicyIn):
    """A policy and its item."""

    item: str


class PoliciesOut(BaseModel):
    """All policies, by item."""

    policies: list[PolicyOut]


class DecisionIn(BaseModel):
    """May whoever this access token is of do the item?"""

    model_config = ConfigDict(extra="forbid")

    item: str = Field(max_length=100)
    token: str = Field(max_length=16384, description="The access token that your client got.")
    transaction_id: str | None = Field(None, max_length=64)
    hash: str | None = Field(None, max_length=43, description="SHA-256 of it, base64url.")


class DecisionOut(BaseModel):
    """The decision, why, and the `acr` that the item needs; none when no level would do."""

    item: str
    allowed: bool
    reason: str = Field(
        description="level_is_enough, level_is_too_low, live_check_needed, not_for_persons, "
        "not_for_entities or not_for_agents."
    )
    acr: str | None
    explanation: dict[str, str] = Field(description="The reason in a sentence, by language.")


class EvidenceOut(BaseModel):
    """A piece of evidence about a person; never what was compared, only its kind."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str
    source: str
    reference: str
    compared: list[str]
    happened_at: datetime
    valid_until: datetime | None
    by: str
    details: dict[str, Any]
    withdrawn_at: datetime | None


class StandingOut(BaseModel):
    """Where a person stands, since when and until when, and everything recorded about them."""

    acr: str
    since: datetime | None
    until: datetime | None
    evidence: list[EvidenceOut]


class WithdrawalIn(BaseModel):
    """Why evidence is withdrawn: a word for the journal, no particulars."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(pattern="^[a-z][a-z-]{1,63}$")


class CounterIn(BaseModel):
    """A counter: its name, whose it is (USCC), of which tier, in which division."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    name: str = Field(min_length=1, max_length=100)
    body: str = Field(max_length=18)
    tier: str = Field(pattern="^(province|city|county|neighbourhood)$")
    region: str = Field(pattern="^[0-9]{6,12}$")


class CounterOut(CounterIn):
    """A counter and its code."""

    code: str


class CountersOut(BaseModel):
    """All counters, by division."""

    counters: list[CounterOut]


class LiveCheckOut(BaseModel):
    """All that is kept of a live check, and the SHA-256 of it (RFC 8785) that the journal holds."""

    record: dict[str, Any]
    evidence_hash: str | None
    used_at: datetime | None
    signed: str = Field(
        description="All of it as a JWS of type `application/vnd.yinxin.live-check+json`, to be "
        "verified by the issuer's key set without asking us."
    )
