"""The rows of the licence store, in the PostgreSQL schema `licence`.

No ID number stands here in the clear: holders' numbers are sealed, and found by a keyed index.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

metadata = MetaData(
    schema="licence",
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    },
)


class Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        dict[str, str]: JSON(),
    }


class IssuerRow(Base):
    """A body that may issue."""

    __tablename__ = "issuers"

    uscc: Mapped[str] = mapped_column(String(18), primary_key=True)
    name: Mapped[str]
    area_code: Mapped[str] = mapped_column(String(6))


class IssuerTypeRow(Base):
    """The right of an issuer to issue a type."""

    __tablename__ = "issuer_types"

    issuer: Mapped[str] = mapped_column(ForeignKey("licence.issuers.uscc"), primary_key=True)
    type_code: Mapped[str] = mapped_column(String(21), primary_key=True)


class NumberSeriesRow(Base):
    """The last running number given in a series of printed numbers."""

    __tablename__ = "number_series"

    type_code: Mapped[str] = mapped_column(String(21), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class StatusListRow(Base):
    """A status list. `revision` counts changes; the token in force shows those up to `published`."""

    __tablename__ = "status_lists"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int]
    revision: Mapped[int] = mapped_column(default=0)
    published: Mapped[int | None]
    token: Mapped[str | None]
    token_expires_at: Mapped[datetime | None]


class StatusEntryRow(Base):
    """An index of a status list that is taken, and what the list says there."""

    __tablename__ = "status_entries"

    list_number: Mapped[int] = mapped_column(
        ForeignKey("licence.status_lists.number"), primary_key=True
    )
    index: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[int]

    # Building a list reads only what is not plainly valid.
    __table_args__ = (
        Index("ix_status_entries_told", "list_number", postgresql_where=text("status <> 0")),
    )


class LicenceRow(Base):
    """One licence. `content_tag` is a keyed hash of what was asked, to tell a repeat from a conflict."""

    __tablename__ = "licences"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    identifier: Mapped[str] = mapped_column(unique=True)
    type_code: Mapped[str] = mapped_column(String(21))
    issuer: Mapped[str] = mapped_column(ForeignKey("licence.issuers.uscc"))
    case_number: Mapped[str]
    content_tag: Mapped[bytes] = mapped_column(LargeBinary)
    number: Mapped[str]
    version: Mapped[str] = mapped_column(String(3))
    fields: Mapped[dict[str, str]]
    state: Mapped[str]
    issued_at: Mapped[datetime]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    status_list: Mapped[int]
    status_index: Mapped[int]
    code: Mapped[str | None]
    sealed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]

    __table_args__ = (
        UniqueConstraint("issuer", "case_number", "type_code"),
        UniqueConstraint("type_code", "number", "version"),
        UniqueConstraint("status_list", "status_index"),
    )


class HolderRow(Base):
    """A holder of a licence; the first of several has position 0."""

    __tablename__ = "holders"

    licence_id: Mapped[UUID] = mapped_column(ForeignKey("licence.licences.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    number_type: Mapped[str] = mapped_column(String(3))
    number_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    number_sealed: Mapped[bytes] = mapped_column(LargeBinary)


class FileRow(Base):
    """A file of a licence; its bytes are in the file store under `digest` (SHA-256, hex)."""

    __tablename__ = "files"

    licence_id: Mapped[UUID] = mapped_column(ForeignKey("licence.licences.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]


class LookupRightRow(Base):
    """The right of a body to look up licences of a type, and which of its fields it is told."""

    __tablename__ = "lookup_rights"

    consumer: Mapped[str] = mapped_column(String(18), primary_key=True)
    type_code: Mapped[str] = mapped_column(String(21), primary_key=True)
    fields: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")


class LookupRow(Base):
    """One look-up that was asked for, granted or not: who, about whom, for what, and what was told."""

    __tablename__ = "lookups"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    consumer: Mapped[str] = mapped_column(String(18))
    client_id: Mapped[str]
    subject: Mapped[str]
    type_code: Mapped[str] = mapped_column(String(21))
    holder_index: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    purpose: Mapped[str]
    case_number: Mapped[str]
    granted: Mapped[bool]
    found: Mapped[int]
    fields: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
