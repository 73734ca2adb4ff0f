"""Rows of nodes and what travels between them (PostgreSQL schema `idp`)."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from idp.tables import Base


class ImportedRow(Base):
    """What became of one row of a city's existing users; `digest` is keyed, and of the whole row."""

    __tablename__ = "imported"

    source: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    outcome: Mapped[str]
    reason: Mapped[str]
    subject: Mapped[str | None] = mapped_column(index=True)
    at: Mapped[datetime]


class ConflictRow(Base):
    """Somebody who came from another node and whom we know otherwise: a person has to decide.

    `sealed` is what came, whole; it goes when the conflict is resolved.
    """

    __tablename__ = "conflict"
    __table_args__ = (
        Index(
            "uq_conflict_waiting",
            "source",
            "row",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source: Mapped[str]
    row: Mapped[str]
    came_by: Mapped[str]
    reason: Mapped[str]
    subject: Mapped[str]
    sealed: Mapped[bytes]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None]
    resolution: Mapped[str | None]


class AppliedRow(Base):
    """The last of what another node told us of a person that was applied here, and to which account."""

    __tablename__ = "applied"

    origin: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    own: Mapped[str] = mapped_column(index=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    applied_at: Mapped[datetime]


class UpstreamLinkRow(Base):
    """Whom an upstream knows by its `sub`: found again even when it does not tell the number."""

    __tablename__ = "upstream_link"

    upstream: Mapped[str] = mapped_column(primary_key=True)
    sub: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    linked_at: Mapped[datetime]


class UpstreamSessionRow(Base):
    """A sign-on that an upstream answers for: when it ends there (`upstream_sid`), it ends here."""

    __tablename__ = "upstream_session"

    sid: Mapped[str] = mapped_column(
        ForeignKey("idp.session.sid", ondelete="CASCADE"), primary_key=True
    )
    upstream: Mapped[str]
    upstream_sid: Mapped[str] = mapped_column(index=True)


class RecognitionRow(Base):
    """What stands for a person between us and one partner: a keyed hash, of no use to a third."""

    __tablename__ = "recognition"
    __table_args__ = (UniqueConstraint("partner", "handle"),)

    partner: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(ForeignKey("idp.person.subject"), primary_key=True)
    handle: Mapped[bytes]
