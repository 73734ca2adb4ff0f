"""The rows of the seals' life (PostgreSQL schema `seal`): seals, what happened to them, grants, uses."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Identity, Index, MetaData, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text

metadata = MetaData(
    schema="seal",
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    },
)

_MOMENT = TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """The declarative base over this package's schema."""

    metadata = metadata


class SealNumberRow(Base):
    """The last number taken in a series: of esids or of records, in one region."""

    __tablename__ = "seal_number"

    series: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]


class SealRow(Base):
    """A seal from its application on: `picture` is what was applied for, `der` the SESeal once made.

    `owner` is a USCC, `keeper`, `applied_by` are staff subjects; `width`, `height` mm. `esid` is
    allotted with the approval, `record_number` with the recording (备案).
    """

    __tablename__ = "seal"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(Text, index=True)
    owner_name: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    legal_basis: Mapped[str]
    keeper: Mapped[str]
    applied_by: Mapped[str]
    picture_type: Mapped[str]
    picture: Mapped[bytes]
    picture_png: Mapped[bytes]
    width: Mapped[int]
    height: Mapped[int]
    state: Mapped[str] = mapped_column(Text, index=True)
    made_for: Mapped[datetime] = mapped_column(_MOMENT, comment="valid until, as applied for")
    esid: Mapped[str | None] = mapped_column(Text, unique=True)
    record_number: Mapped[str | None] = mapped_column(Text, unique=True)
    der: Mapped[bytes | None]
    digest: Mapped[bytes | None] = mapped_column(unique=True)
    predecessor: Mapped[UUID | None] = mapped_column(ForeignKey("seal.seal.id"))
    changed_at: Mapped[datetime] = mapped_column(_MOMENT, index=True)


class SealEventRow(Base):
    """One change of state: recorded at `at`, counting from `since` on; `reason` is kept as told."""

    __tablename__ = "seal_event"

    number: Mapped[int] = mapped_column(Identity(), primary_key=True)
    seal: Mapped[UUID] = mapped_column(ForeignKey("seal.seal.id"), index=True)
    at: Mapped[datetime] = mapped_column(_MOMENT)
    since: Mapped[datetime] = mapped_column(_MOMENT)
    state: Mapped[str]
    by: Mapped[str]
    witness: Mapped[str]
    reason: Mapped[str]


class SealGrantRow(Base):
    """Who or which system may stamp with a seal: for which licence types (none: any), how long and often."""

    __tablename__ = "seal_grant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seal: Mapped[UUID] = mapped_column(ForeignKey("seal.seal.id"), index=True)
    holder_kind: Mapped[str]
    holder: Mapped[str] = mapped_column(Text, index=True)
    licence_types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    since: Mapped[datetime] = mapped_column(_MOMENT)
    until: Mapped[datetime] = mapped_column(_MOMENT)
    most: Mapped[int | None]
    used: Mapped[int] = mapped_column(default=0)
    granted_by: Mapped[str]
    ended_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    ended_by: Mapped[str | None]


class SealUseRow(Base):
    """One stamp: by whom, under which grant, of which kind of licence, over which digest.

    `reference` is the caller's name for the document: the same one counts once.
    """

    __tablename__ = "seal_use"
    __table_args__ = (
        UniqueConstraint("grant", "reference", "form"),
        Index("ix_seal_use_seal_at", "seal", "at"),
    )

    number: Mapped[int] = mapped_column(Identity(), primary_key=True)
    seal: Mapped[UUID] = mapped_column(ForeignKey("seal.seal.id"))
    grant: Mapped[UUID] = mapped_column(ForeignKey("seal.seal_grant.id"))
    at: Mapped[datetime] = mapped_column(_MOMENT)
    by: Mapped[str]
    form: Mapped[str]
    licence_type: Mapped[str]
    reference: Mapped[str]
    digest: Mapped[bytes]


class NodeRow(Base):
    """A node below whose register is told here: up to which of its events (`last` of `newest`).

    `asked_at` is when it was asked last, `heard_at` when it last answered well; `trouble` says in a
    word why it did not since. `forgotten` counts how often all of it was dropped.
    """

    __tablename__ = "seal_node"

    origin: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
    newest: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    heard_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    trouble: Mapped[str] = mapped_column(default="")
    forgotten: Mapped[int] = mapped_column(default=0)


class NodeSealRow(Base):
    """A seal of a node below, as that told of it last."""

    __tablename__ = "seal_of_node"

    esid: Mapped[str] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(ForeignKey("seal.seal_node.origin"), index=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    owner: Mapped[str] = mapped_column(Text, index=True)
    owner_name: Mapped[str]
    record_number: Mapped[str | None]
    valid_until: Mapped[datetime] = mapped_column(_MOMENT)
    replaces: Mapped[str | None] = mapped_column(Text, index=True)


class NodeSealEventRow(Base):
    """A change of state of such a seal, under the number that its node gave it."""

    __tablename__ = "seal_event_of_node"

    origin: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    esid: Mapped[str] = mapped_column(ForeignKey("seal.seal_of_node.esid"), index=True)
    at: Mapped[datetime] = mapped_column(_MOMENT)
    since: Mapped[datetime] = mapped_column(_MOMENT)
    state: Mapped[str]
