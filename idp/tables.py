"""Rows of identity: clients, people, sign-ons, agreements, tokens (PostgreSQL schema `idp`).

ID numbers and phones are kept sealed, beside a keyed index for exact look-up; no column holds
one in the clear.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

metadata = MetaData(
    schema="idp",
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    },
)


class Base(DeclarativeBase):
    """The declarative base of this schema."""

    metadata = metadata
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        bytes: LargeBinary(),
        datetime: DateTime(timezone=True),
        list[str]: ARRAY(Text()),
        dict[str, Any]: JSONB(),
    }


class ClientRow(Base):
    """A relying party: portal, staff system or machine consumer.

    `registration_fingerprint` is of the token that its own keeper manages it with (RFC 7592).
    """

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    secret_fingerprint: Mapped[bytes | None]
    registration_fingerprint: Mapped[bytes | None]
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata")
    registered_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class InitialAccessTokenRow(Base):
    """What lets its holder register clients (RFC 7591 §3); only the fingerprint is kept."""

    __tablename__ = "initial_access_token"

    fingerprint: Mapped[bytes] = mapped_column(primary_key=True)
    label: Mapped[str]
    uses_left: Mapped[int]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class PersonRow(Base):
    """A natural person: one row, and so one subject, per ID number.

    `document` is what the number is of; its index is within that paper's space of numbers
    (`identity_documents`). `birthdate` is null where it stands in the number or nobody told it.
    """

    __tablename__ = "person"

    subject: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[str]
    number_index: Mapped[bytes] = mapped_column(unique=True)
    number_sealed: Mapped[bytes]
    phone_index: Mapped[bytes] = mapped_column(unique=True)
    phone_sealed: Mapped[bytes]
    name: Mapped[str]
    ethnicity: Mapped[str]
    sex: Mapped[str]
    nationality: Mapped[str | None]
    birthdate: Mapped[date | None]
    username: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str]
    profile: Mapped[dict[str, Any]]
    registered_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class StaffRow(Base):
    """A member of staff; where they work and what they may do is in `staffing`."""

    __tablename__ = "staff"

    subject: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    external_id: Mapped[str | None]
    password_hash: Mapped[str | None]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    suspended_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class EvidenceRow(Base):
    """One dated piece of evidence about a person or an entity; updated once at most, by its withdrawal."""

    __tablename__ = "evidence"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    source: Mapped[str]
    reference: Mapped[str]
    compared: Mapped[list[str]]
    happened_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    by: Mapped[str]
    details: Mapped[dict[str, Any]]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_because: Mapped[str | None]


class SessionRow(Base):
    """One sign-on of one browser; the cookie itself is never stored, only its fingerprint.

    `acting_as` is as what the person has chosen to act (`acting`), nothing until they have;
    `entity` the legal entity they act for, if any, and `mandate` what they act by. `certificate` is
    the thumbprint of the one it is bound to, `certificate_serial` (lower-case hexadecimal) of the one
    it was signed in by, bound or not.
    """

    __tablename__ = "session"

    sid: Mapped[str] = mapped_column(primary_key=True)
    cookie_fingerprint: Mapped[bytes] = mapped_column(unique=True)
    realm: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    methods: Mapped[list[str]]
    level: Mapped[int]
    entity: Mapped[str | None]
    mandate: Mapped[str | None]
    acting_as: Mapped[str | None]
    certificate: Mapped[str | None]
    certificate_serial: Mapped[str | None] = mapped_column(index=True)
    device: Mapped[str]
    signed_in_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SessionClientRow(Base):
    """A client that was told of a sign-on, and so is told of its end; `told` is the `sub` it knows."""

    __tablename__ = "session_client"

    sid: Mapped[str] = mapped_column(ForeignKey("idp.session.sid"), primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    told: Mapped[str]
    first_at: Mapped[datetime]


class LogoutNoticeRow(Base):
    """A back-channel logout to be told to one client, and how the telling went."""

    __tablename__ = "logout_notice"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    sid: Mapped[str] = mapped_column(index=True)
    client_id: Mapped[str]
    told: Mapped[str]
    asked_at: Mapped[datetime]
    attempts: Mapped[int]
    outcome: Mapped[str]
    tried_at: Mapped[datetime | None]


class ConsentRow(Base):
    """A person's agreement that a client may know one claim or use one scope."""

    __tablename__ = "consent"

    subject: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[str] = mapped_column(primary_key=True)
    given_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ReleaseRow(Base):
    """One telling of a person's claims to a client: which, where, when; never their values."""

    __tablename__ = "release"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    client_id: Mapped[str]
    grant_id: Mapped[str]
    place: Mapped[str]
    claims: Mapped[list[str]]
    at: Mapped[datetime] = mapped_column(index=True)


class RefreshTokenRow(Base):
    """A refresh token: its fingerprint, its family (the grant), and what the person approved.

    It lapses at `expires_at` when it lies unused, its family at `ends_at` whatever happens.
    """

    __tablename__ = "refresh_token"

    fingerprint: Mapped[bytes] = mapped_column(primary_key=True)
    grant_id: Mapped[str] = mapped_column(index=True)
    client_id: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    sid: Mapped[str | None] = mapped_column(index=True)
    approval: Mapped[dict[str, Any]]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class CounterRow(Base):
    """A named counter of a government body, where people are seen with their documents."""

    __tablename__ = "counter"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    body: Mapped[str]
    tier: Mapped[str]
    region: Mapped[str]


class SightingRow(Base):
    """A person was seen at a counter; some are looked at again by another clerk."""

    __tablename__ = "sighting"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    evidence: Mapped[int] = mapped_column(BigInteger, unique=True)
    subject: Mapped[str]
    clerk: Mapped[str]
    counter: Mapped[str]
    document: Mapped[str]
    at: Mapped[datetime]
    to_review: Mapped[bool]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    good: Mapped[bool | None]


class RegisterWatchRow(Base):
    """When a register was last asked whether a person is still who they were, and what it said."""

    __tablename__ = "register_watch"

    subject: Mapped[str] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    state: Mapped[str]
    reference: Mapped[str]


class ItemPolicyRow(Base):
    """The lowest level at which an item of the government may be done, by a person and an entity."""

    __tablename__ = "item_policy"

    item: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    natural: Mapped[int | None]
    legal: Mapped[int | None]
    agents: Mapped[bool]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class LiveCheckRow(Base):
    """One time that a person was to be seen live for one transaction, and how it went.

    `shown` is what the person was told is being done; `at_source` names the check where they were
    seen; `details` are the reference, the score and its threshold, and who decided: never a face.
    """

    __tablename__ = "live_check"

    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    sid: Mapped[str]
    client_id: Mapped[str]
    transaction_id: Mapped[str]
    transaction_hash: Mapped[str]
    shown: Mapped[str]
    method: Mapped[str]
    at_source: Mapped[str]
    begun_at: Mapped[datetime]
    until: Mapped[datetime]
    outcome: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    details: Mapped[dict[str, Any]]
    evidence_hash: Mapped[str | None]
    spent_at: Mapped[datetime | None]


class RevocationRow(Base):
    """A grant, a session or a single token (`jti`) that is dead before its tokens lapse."""

    __tablename__ = "revocation"

    id: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)


class PeerRow(Base):
    """Another node or a city's user store: whose word on people is taken, and who is told of them.

    `place` is `above` (the province of this city) or `below` (a city of this province). Its keys are
    told or are at `keys_url`; a city that is told of people takes them at `events_url`.
    """

    __tablename__ = "peer"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    place: Mapped[str]
    keys: Mapped[dict[str, Any]]
    keys_url: Mapped[str | None]
    events_url: Mapped[str | None]
    since: Mapped[datetime]


class OutboxRow(Base):
    """What a city is to be told of one person: written by whatever changes the person, as it does.

    `sequence` counts the changes and `delivered` is the last that the city took; `noted_at` is when
    the first that it did not take was made.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting", "city", "noted_at", postgresql_where=text("sequence > delivered")
        ),
    )

    city: Mapped[str] = mapped_column(ForeignKey("idp.peer.issuer"), primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    delivered: Mapped[int] = mapped_column(BigInteger)
    noted_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int]
    outcome: Mapped[str]
