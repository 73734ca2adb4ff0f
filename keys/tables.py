"""The rows of this package: wrapped private keys, certificates, the journal (PostgreSQL schema `keys`)."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    schema="keys",
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    },
)

private_key = Table(
    "private_key",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("spki", LargeBinary, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    # One active key for a purpose and owner: two makers at once cannot both win.
    Index(
        "uq_private_key_active",
        "purpose",
        "owner",
        unique=True,
        postgresql_where=text("state = 'active'"),
    ),
)

certificate = Table(
    "certificate",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kid", Text, ForeignKey("keys.private_key.kid"), nullable=False, index=True),
    Column("der", LargeBinary, nullable=False, unique=True),
    Column("chain", ARRAY(LargeBinary), nullable=False),
)

# `position` and `digest` are written once, by the sequencer; nothing else of a row ever changes.
journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("position", BigInteger, unique=True),
    Column("digest", LargeBinary),
    Column("chained_at", DateTime(timezone=True)),
    Index("ix_journal_unchained", "id", postgresql_where=text("position IS NULL")),
)
