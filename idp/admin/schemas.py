"""The wire shapes of the administration of identity."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Document = Annotated[
    dict[str, Any],
    Field(
        description="Client metadata (RFC 7591 §2), with the members that are ours: realm, "
        "organisation, owner, ends_at, consent, resources, allowed_claims, minimum_acr, "
        "require_pkce, profile."
    ),
]


class ProblemOut(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str


class ClientOut(BaseModel):
    """A client: its metadata beside these. A secret is told once, when it is made."""

    model_config = ConfigDict(extra="allow")

    client_id: str
    client_id_issued_at: int = Field(description="Seconds since 1970.")
    client_secret: str | None = None
    client_secret_expires_at: int | None = Field(None, description="0: never.")


class ClientsOut(BaseModel):
    """All clients, by identifier."""

    clients: list[ClientOut]


class SecretOut(BaseModel):
    """A client's new secret, told this once."""

    client_id: str
    client_secret: str


class InvitationIn(BaseModel):
    """An initial access token to make: for whom, for how many clients, for how long."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1, max_length=64)
    uses: int = Field(1, ge=1, le=1000)
    days: int = Field(7, ge=1, le=366)


class InvitationOut(BaseModel):
    """An initial access token; the token itself is told once, when it is made."""

    model_config = ConfigDict(from_attributes=True)

    label: str
    uses_left: int
    made_at: datetime
    expires_at: datetime
    token: str | None = None


class InvitationsOut(BaseModel):
    """The initial access tokens that are good for something still."""

    invitations: list[InvitationOut]


class SessionOut(BaseModel):
    """A live sign-on of an account, and the clients that were told of it."""

    sid: str
    realm: str
    acr: str
    amr: list[str]
    device: str = Field(description="Browser and system, as far as known.")
    signed_in_at: datetime
    seen_at: datetime
    expires_at: datetime
    clients: list[str]


class SessionsOut(BaseModel):
    """The live sign-ons of an account, the latest used first."""

    sessions: list[SessionOut]


class NoticeOut(BaseModel):
    """How telling one client of a logout goes."""

    model_config = ConfigDict(from_attributes=True)

    client_id: str
    outcome: str = Field(
        description="waiting, told, withdrawn, the client's `status NNN`, or what kept us from it."
    )
    attempts: int
    asked_at: datetime
    tried_at: datetime | None


class NoticesOut(BaseModel):
    """The notices of a session's end, by client."""

    notices: list[NoticeOut]


class EntryOut(BaseModel):
    """A row of the audit journal."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
    position: int | None = Field(description="Its place in the chain; none until it is chained.")


class EntriesOut(BaseModel):
    """A page of the journal."""

    entries: list[EntryOut]
