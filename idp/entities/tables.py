"""Rows of legal entities and mandates (PostgreSQL schema `idp`)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.tables import Base


class EntityRow(Base):
    """A legal entity: one row, and so one subject, per 统一社会信用代码."""

    __tablename__ = "entity"

    subject: Mapped[str] = mapped_column(primary_key=True)
    uscc: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    registration_number: Mapped[str]
    registered_at: Mapped[datetime]


class EntityAliasRow(Base):
    """A number that an entity had before its 统一社会信用代码, and who vouched for it."""

    __tablename__ = "entity_alias"

    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    entity: Mapped[str] = mapped_column(ForeignKey("idp.entity.subject"), index=True)
    source: Mapped[str]
    recorded_at: Mapped[datetime]


class MandateRow(Base):
    """The power of `holder` to act for `principal`, an entity or a citizen; ended once, never revived.

    `items` are what it covers; `consent` how the principal agreed; `frozen_at` when a change of the
    representative suspended it.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        # One representative at a time, whoever registers at the same instant.
        Index(
            "uq_mandate_representative",
            "principal",
            unique=True,
            postgresql_where=text("kind = 'representative' AND ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    principal: Mapped[str] = mapped_column(index=True)
    holder: Mapped[str] = mapped_column(index=True)
    items: Mapped[list[str]]
    consent: Mapped[dict[str, Any]]
    given_by: Mapped[str]
    given_at: Mapped[datetime]
    until: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    ended_because: Mapped[str | None]


class MandateUseRow(Base):
    """One use of a mandate: when, at which client, in which grant. Whoever it is about reads it."""

    __tablename__ = "mandate_use"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    mandate: Mapped[str] = mapped_column(ForeignKey("idp.mandate.id"), index=True)
    client_id: Mapped[str]
    grant_id: Mapped[str]
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("mandate", "grant_id", "client_id"),)
