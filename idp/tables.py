"""Rows of identity: clients, persons, staff, evidence and sessions (PostgreSQL schema `idp`).

ID numbers and phones are kept sealed, beside a keyed index for exact look-up; no column holds
one in the clear.
"""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, LargeBinary, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY
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
    }


class ClientRow(Base):
    """A relying party: portal, staff system or machine consumer."""

    __tablename__ = "client"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    auth_method: Mapped[str]
    secret_fingerprint: Mapped[bytes | None]
    realm: Mapped[str | None]
    redirect_uris: Mapped[list[str]]
    grant_types: Mapped[list[str]]
    scopes: Mapped[list[str]]
    resources: Mapped[list[str]]
    organisation: Mapped[str | None]
    consent: Mapped[str]
    registered_at: Mapped[datetime]


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
    password_hash: Mapped[str]
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
    signed_in_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
