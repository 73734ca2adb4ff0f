"""Rows of identity: clients, people, sign-ons, agreements, tokens (PostgreSQL schema `idp`).

ID numbers and phones are kept sealed, beside a keyed index for exact look-up; no column holds
one in the clear.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, LargeBinary, MetaData, Text
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
    """A natural person: one row, and so one subject, per ID number."""

    __tablename__ = "person"

    subject: Mapped[str] = mapped_column(primary_key=True)
    number_index: Mapped[bytes] = mapped_column(unique=True)
    number_sealed: Mapped[bytes]
    phone_index: Mapped[bytes] = mapped_column(unique=True)
    phone_sealed: Mapped[bytes]
    name: Mapped[str]
    ethnicity: Mapped[str]
    sex: Mapped[str]
    username: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str]
    profile: Mapped[dict[str, Any]]
    registered_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class StaffRow(Base):
    """A member of a government body's staff."""

    __tablename__ = "staff"

    subject: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    organisation: Mapped[str]
    roles: Mapped[list[str]]
    password_hash: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class EvidenceRow(Base):
    """One dated piece of evidence about a person; never updated."""

    __tablename__ = "evidence"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str] = mapped_column(ForeignKey("idp.person.subject"), index=True)
    kind: Mapped[str]
    source: Mapped[str]
    reference: Mapped[str]
    compared: Mapped[list[str]]
    happened_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]


class SessionRow(Base):
    """One sign-on of one browser; the cookie itself is never stored, only its fingerprint."""

    __tablename__ = "session"

    sid: Mapped[str] = mapped_column(primary_key=True)
    cookie_fingerprint: Mapped[bytes] = mapped_column(unique=True)
    realm: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    methods: Mapped[list[str]]
    level: Mapped[int]
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


class RevocationRow(Base):
    """A grant, a session or a single token (`jti`) that is dead before its tokens lapse."""

    __tablename__ = "revocation"

    id: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)
