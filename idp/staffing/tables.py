"""Rows of staff over time (PostgreSQL schema `idp`)."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from idp.tables import Base


class BodyRow(Base):
    """A government body in the tree; `region` is its division code, of 6, 9 or 12 digits."""

    __tablename__ = "body"

    uscc: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tier: Mapped[str]
    region: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey("idp.body.uscc"), index=True)


class PostingRow(Base):
    """Which body a member of staff works for, from when and until when."""

    __tablename__ = "posting"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    body: Mapped[str] = mapped_column(index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class AppointmentRow(Base):
    """A role that a member of staff holds at a body, and `below` it or not, for a time.

    `until` is its own end; `cut_at` that of the posting or of the account, which may be called off.
    """

    __tablename__ = "appointment"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    body: Mapped[str]
    below: Mapped[bool]
    group: Mapped[str | None] = mapped_column(index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    cut_at: Mapped[datetime | None]
    by: Mapped[str]


class GroupRow(Base):
    """A role at a body as provisioning sees it (SCIM Group): its members hold the appointment."""

    __tablename__ = "staff_group"

    id: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    external_id: Mapped[str | None]
    role: Mapped[str]
    body: Mapped[str] = mapped_column(index=True)
    below: Mapped[bool]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class StaffChangeRow(Base):
    """A transfer or a closing that has a time: then the sign-ons end."""

    __tablename__ = "staff_change"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    due_at: Mapped[datetime] = mapped_column(index=True)
    asked_by: Mapped[str]
    done_at: Mapped[datetime | None]


class LocalAccountRow(Base):
    """What a mapped application calls a member of staff; one may have several accounts there."""

    __tablename__ = "local_account"

    client_id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True, index=True)
    local_id: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    linked_at: Mapped[datetime]
    linked_by: Mapped[str]
