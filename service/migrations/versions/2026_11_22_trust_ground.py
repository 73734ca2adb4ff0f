"""Key states, custodians, authorities, revocation, trust of others, envelopes, signed journal heads.

Keys made before had no states, and their certificates no authority: only a sandbox can hold such,
and it is made again rather than guessed at.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122d"
down_revision = "20261122c"


def upgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT EXISTS (SELECT FROM keys.private_key)")).scalar():
        raise SystemExit(
            "This sandbox was made by an earlier version, before keys had states. "
            "Delete its database (the folder var, for the embedded one) and start again."
        )
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        schema="keys",
    )
    op.create_table(
        "custodian",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("passphrase", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_custodian")),
        schema="keys",
    )
    op.create_table(
        "envelope_received",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("window", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_envelope_received")),
        schema="keys",
    )
    op.create_table(
        "envelope_sent",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", name=op.f("pk_envelope_sent")),
        schema="keys",
    )
    op.create_table(
        "foreign_trust",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_trust")),
        schema="keys",
    )
    op.create_table(
        "journal_head",
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_journal_head")),
        schema="keys",
    )
    op.create_table(
        "time_stamp",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("imprint", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_time_stamp")),
        sa.UniqueConstraint("serial", name=op.f("uq_time_stamp_serial")),
        schema="keys",
    )
    op.create_table(
        "trust_list",
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_trust_list")),
        schema="keys",
    )
    op.create_table(
        "trust_root",
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_trust_root")),
        schema="keys",
    )
    op.create_table(
        "authority",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("profiles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("founded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["kid"], ["keys.private_key.kid"], name=op.f("fk_authority_kid")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_authority")),
        sa.UniqueConstraint("kid", name=op.f("uq_authority_kid")),
        schema="keys",
    )
    op.create_table(
        "enrolment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("certificate", sa.BigInteger(), nullable=False),
        sa.Column("clerk", sa.Text(), nullable=False),
        sa.Column("clerk_kid", sa.Text(), nullable=False),
        sa.Column("checked", sa.Text(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.Column("clerk_signature", sa.LargeBinary(), nullable=True),
        sa.Column("holder_signature", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["certificate"], ["keys.certificate.id"], name=op.f("fk_enrolment_certificate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment")),
        sa.UniqueConstraint("certificate", name=op.f("uq_enrolment_certificate")),
        schema="keys",
    )
    op.create_table(
        "crl",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_delta", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority"], ["keys.authority.name"], name=op.f("fk_crl_authority")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crl")),
        sa.UniqueConstraint("authority", "number", "is_delta", name="uq_crl_number"),
        schema="keys",
    )
    op.create_table(
        "ocsp_answer",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_update", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["authority"], ["keys.authority.name"], name=op.f("fk_ocsp_answer_authority")
        ),
        sa.PrimaryKeyConstraint("authority", "serial", name=op.f("pk_ocsp_answer")),
        schema="keys",
    )
    op.create_index(
        op.f("ix_ocsp_answer_next_update"),
        "ocsp_answer",
        ["next_update"],
        unique=False,
        schema="keys",
    )
    op.add_column("certificate", sa.Column("authority", sa.Text(), nullable=False), schema="keys")
    op.add_column("certificate", sa.Column("serial", sa.Text(), nullable=False), schema="keys")
    op.add_column("certificate", sa.Column("profile", sa.Text(), nullable=False), schema="keys")
    op.add_column("certificate", sa.Column("subject", sa.Text(), nullable=False), schema="keys")
    op.add_column("certificate", sa.Column("unit", sa.Text(), nullable=False), schema="keys")
    op.add_column(
        "certificate",
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        schema="keys",
    )
    op.add_column(
        "certificate",
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        schema="keys",
    )
    op.add_column("certificate", sa.Column("state", sa.Text(), nullable=False), schema="keys")
    op.add_column("certificate", sa.Column("issued_by", sa.Text(), nullable=False), schema="keys")
    op.add_column(
        "certificate",
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        schema="keys",
    )
    op.add_column(
        "certificate",
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        schema="keys",
    )
    op.add_column("certificate", sa.Column("reason", sa.Text(), nullable=True), schema="keys")
    op.add_column(
        "certificate",
        sa.Column("invalid_since", sa.DateTime(timezone=True), nullable=True),
        schema="keys",
    )
    op.create_index(
        op.f("ix_certificate_not_after"), "certificate", ["not_after"], unique=False, schema="keys"
    )
    op.create_index(
        op.f("ix_certificate_unit"), "certificate", ["unit"], unique=False, schema="keys"
    )
    op.create_unique_constraint(
        "uq_certificate_serial", "certificate", ["authority", "serial"], schema="keys"
    )
    op.drop_constraint(op.f("fk_certificate_kid"), "certificate", schema="keys", type_="foreignkey")
    op.add_column("private_key", sa.Column("kek", sa.Text(), nullable=True), schema="keys")
    op.add_column("private_key", sa.Column("handle", sa.Text(), nullable=True), schema="keys")
    op.add_column(
        "private_key",
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        schema="keys",
    )
    op.add_column(
        "private_key",
        sa.Column("active_at", sa.DateTime(timezone=True), nullable=True),
        schema="keys",
    )
    op.add_column(
        "private_key",
        sa.Column("retiring_at", sa.DateTime(timezone=True), nullable=True),
        schema="keys",
    )
    op.add_column(
        "private_key",
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        schema="keys",
    )
    op.add_column(
        "private_key",
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=True),
        schema="keys",
    )
    op.alter_column(
        "private_key", "wrapped", existing_type=postgresql.BYTEA(), nullable=True, schema="keys"
    )
