"""Rows of ways to sign in (PostgreSQL schema `idp`)."""

from datetime import datetime

from sqlalchemy import BigInteger, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp.tables import Base


class TotpRow(Base):
    """The authenticator app of an account: its secret sealed, and the last time step that was used."""

    __tablename__ = "totp"

    realm: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    secret_sealed: Mapped[bytes]
    enrolled_at: Mapped[datetime]
    last_step: Mapped[int] = mapped_column(BigInteger)


class DeviceRow(Base):
    """A browser that an account was signed in at, known again by the fingerprint of its cookie.

    The fingerprint is of account and cookie together: two people at one computer share no value.
    """

    __tablename__ = "device"

    fingerprint: Mapped[bytes] = mapped_column(primary_key=True)
    realm: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    method: Mapped[str]
    first_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    noticed_at: Mapped[datetime | None]


class PasskeyRow(Base):
    """A passkey of an account: its public key (COSE), and how often its device says it was used."""

    __tablename__ = "passkey"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    realm: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    device: Mapped[str]
    added_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SocialBindingRow(Base):
    """An account at another platform, by a keyed index of its identifier, and whose it is here."""

    __tablename__ = "social_binding"
    __table_args__ = (UniqueConstraint("subject", "platform"),)

    account_index: Mapped[bytes] = mapped_column(primary_key=True)
    platform: Mapped[str]
    subject: Mapped[str]
    bound_at: Mapped[datetime]
