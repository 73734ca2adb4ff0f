"""The rows of this package (PostgreSQL schema `keys`): keys, certificates, trust, envelopes, the journal."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
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
    # Either wrapped under the key-encryption key `kek`, or in a PKCS#11 token under `handle`;
    # neither once it is destroyed.
    Column("wrapped", LargeBinary),
    Column("kek", Text),
    Column("handle", Text),
    Column("state", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("published_at", DateTime(timezone=True)),
    Column("active_at", DateTime(timezone=True)),
    Column("retiring_at", DateTime(timezone=True)),
    Column("retired_at", DateTime(timezone=True)),
    Column("destroyed_at", DateTime(timezone=True)),
    # One active key for a purpose and owner: two makers at once cannot both win.
    Index(
        "uq_private_key_active",
        "purpose",
        "owner",
        unique=True,
        postgresql_where=text("state = 'active'"),
    ),
)

custodian = Table(
    "custodian",
    metadata,
    Column("name", Text, primary_key=True),
    Column("passphrase", Text, nullable=False),
    Column("added_at", DateTime(timezone=True), nullable=False),
    Column("removed_at", DateTime(timezone=True)),
    # Attempts since the last right passphrase, and when the last of them was.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("tried_at", DateTime(timezone=True)),
)

# One asks, another agrees; the consent is spent once.
consent = Table(
    "consent",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("agreed_by", Text),
    Column("agreed_at", DateTime(timezone=True)),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("spent_at", DateTime(timezone=True)),
)

authority = Table(
    "authority",
    metadata,
    Column("name", Text, primary_key=True),
    # "" for a root.
    Column("parent", Text, nullable=False),
    Column("kid", Text, ForeignKey("keys.private_key.kid"), nullable=False, unique=True),
    Column("der", LargeBinary, nullable=False),
    Column("profiles", ARRAY(Text), nullable=False),
    # Where its certificate, its lists and its answers are fetched, without a slash at the end; "" for
    # an authority whose certificates name no such place.
    Column("base_url", Text, nullable=False),
    Column("founded_at", DateTime(timezone=True), nullable=False),
)

# The register of certificates (K03). `kid` names the public key; most are not in this vault.
certificate = Table(
    "certificate",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # A root's own certificate is under its own name.
    Column("authority", Text, nullable=False),
    # Lower-case hexadecimal, without leading zeros.
    Column("serial", Text, nullable=False),
    Column("kid", Text, nullable=False, index=True),
    Column("der", LargeBinary, nullable=False, unique=True),
    Column("chain", ARRAY(LargeBinary), nullable=False),
    Column("profile", Text, nullable=False),
    Column("subject", Text, nullable=False),
    # The 统一社会信用代码 of the unit it is issued for, "" without one.
    Column("unit", Text, nullable=False, index=True),
    Column("not_before", DateTime(timezone=True), nullable=False),
    Column("not_after", DateTime(timezone=True), nullable=False, index=True),
    # valid, suspended or revoked.
    Column("state", Text, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("issued_at", DateTime(timezone=True), nullable=False),
    # When it last began or ceased to count (so a hold that ends in revocation keeps its moment), and
    # why: the reason as RFC 5280 §5.3.1 spells it (keyCompromise, certificateHold, …).
    Column("changed_at", DateTime(timezone=True)),
    Column("reason", Text),
    Column("invalid_since", DateTime(timezone=True)),
    UniqueConstraint("authority", "serial", name="uq_certificate_serial"),
)

# Issuing on the spot (K02): who checked whom, and the receipt both signed.
enrolment = Table(
    "enrolment",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "certificate", BigInteger, ForeignKey("keys.certificate.id"), nullable=False, unique=True
    ),
    Column("clerk", Text, nullable=False),
    Column("clerk_kid", Text, nullable=False),
    Column("checked", Text, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
    Column("clerk_signature", LargeBinary),
    Column("holder_signature", LargeBinary),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("closed_at", DateTime(timezone=True)),
)

crl = Table(
    "crl",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("authority", Text, ForeignKey("keys.authority.name"), nullable=False),
    Column("number", BigInteger, nullable=False),
    # The number of the complete list a delta adds to; none for a complete list.
    Column("base", BigInteger),
    Column("der", LargeBinary, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("next_update", DateTime(timezone=True), nullable=False),
    Column("is_delta", Boolean, nullable=False),
    UniqueConstraint("authority", "number", "is_delta", name="uq_crl_number"),
)

# Answers signed beforehand: the newest one of a certificate. `state` and `changed_at` are the
# certificate's as the answer tells them.
ocsp_answer = Table(
    "ocsp_answer",
    metadata,
    Column("authority", Text, ForeignKey("keys.authority.name"), primary_key=True),
    Column("serial", Text, primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True)),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("next_update", DateTime(timezone=True), nullable=False, index=True),
)

# Every serial number given to a token, in the order of asking.
time_stamp = Table(
    "time_stamp",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # Lower-case hexadecimal, without leading zeros.
    Column("serial", Text, nullable=False, unique=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kid", Text, nullable=False),
    Column("imprint", LargeBinary, nullable=False),
)

trust_root = Table(
    "trust_root",
    metadata,
    Column("version", BigInteger, primary_key=True),
    Column("document", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
)

# Every version ever published, so that a delta can be told from any of them.
trust_list = Table(
    "trust_list",
    metadata,
    Column("version", BigInteger, primary_key=True),
    Column("content", JSONB, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
)

# Authorities and issuers of others, taken over after review (K06, L17).
foreign_trust = Table(
    "foreign_trust",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("state", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", DateTime(timezone=True), nullable=False),
    Column("reviewed_by", Text),
    Column("reviewed_at", DateTime(timezone=True)),
    Column("valid_until", DateTime(timezone=True)),
)

# The last number sent on a channel, and on the other side the newest received and the window of
# those before it, one bit each (RFC 4303 §3.4.3).
envelope_sent = Table(
    "envelope_sent",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

envelope_received = Table(
    "envelope_received",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("newest", BigInteger, nullable=False),
    Column("window", LargeBinary, nullable=False),
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

# The signed end of the chain after each batch: what was chained then cannot be cut off unseen.
journal_head = Table(
    "journal_head",
    metadata,
    Column("position", BigInteger, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("kid", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("signed_at", DateTime(timezone=True), nullable=False),
)
