"""Clients as metadata, sign-ons with a level, agreements, refresh tokens, revocations, logout notices.

Clients keep what they were registered with. Sign-ons of before had no level: people sign in again.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261123a"
down_revision = "20261122d"


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", "client_id", "item", name=op.f("pk_consent")),
        schema="idp",
    )
    op.create_table(
        "initial_access_token",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_initial_access_token")),
        schema="idp",
    )
    op.create_table(
        "logout_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logout_notice")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_logout_notice_sid"), "logout_notice", ["sid"], unique=False, schema="idp"
    )
    op.create_table(
        "refresh_token",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=True),
        sa.Column("approval", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_refresh_token")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_refresh_token_expires_at"),
        "refresh_token",
        ["expires_at"],
        unique=False,
        schema="idp",
    )
    op.create_index(
        op.f("ix_refresh_token_grant_id"), "refresh_token", ["grant_id"], unique=False, schema="idp"
    )
    op.create_index(
        op.f("ix_refresh_token_sid"), "refresh_token", ["sid"], unique=False, schema="idp"
    )
    op.create_index(
        op.f("ix_refresh_token_subject"), "refresh_token", ["subject"], unique=False, schema="idp"
    )
    op.create_table(
        "revocation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_revocation_until"), "revocation", ["until"], unique=False, schema="idp"
    )
    op.create_table(
        "session_client",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sid"], ["idp.session.sid"], name=op.f("fk_session_client_sid")),
        sa.PrimaryKeyConstraint("sid", "client_id", name=op.f("pk_session_client")),
        schema="idp",
    )
    op.add_column(
        "client",
        sa.Column("registration_fingerprint", sa.LargeBinary(), nullable=True),
        schema="idp",
    )
    op.add_column(
        "client",
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        schema="idp",
    )
    op.add_column(
        "client", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True), schema="idp"
    )
    op.execute("""
        UPDATE idp.client SET changed_at = registered_at, metadata = jsonb_strip_nulls(jsonb_build_object(
            'name_zh', name_zh, 'name_en', name_en, 'realm', realm, 'organisation', organisation,
            'grant_types', grant_types, 'scopes', scopes, 'resources', resources,
            'redirect_uris', redirect_uris, 'auth_method', auth_method))
    """)
    op.alter_column("client", "metadata", nullable=False, schema="idp")
    op.alter_column("client", "changed_at", nullable=False, schema="idp")
    op.drop_column("client", "organisation", schema="idp")
    op.drop_column("client", "scopes", schema="idp")
    op.drop_column("client", "consent", schema="idp")
    op.drop_column("client", "name_zh", schema="idp")
    op.drop_column("client", "auth_method", schema="idp")
    op.drop_column("client", "resources", schema="idp")
    op.drop_column("client", "name_en", schema="idp")
    op.drop_column("client", "realm", schema="idp")
    op.drop_column("client", "redirect_uris", schema="idp")
    op.drop_column("client", "grant_types", schema="idp")
    op.add_column("person", sa.Column("username", sa.Text(), nullable=True), schema="idp")
    op.add_column(
        "person",
        sa.Column(
            "profile", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="{}"
        ),
        schema="idp",
    )
    op.alter_column("person", "profile", server_default=None, schema="idp")
    op.create_unique_constraint(op.f("uq_person_username"), "person", ["username"], schema="idp")
    op.execute("DELETE FROM idp.session")
    op.add_column("session", sa.Column("level", sa.Integer(), nullable=False), schema="idp")
    op.add_column("session", sa.Column("device", sa.Text(), nullable=False), schema="idp")
    op.add_column(
        "session", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False), schema="idp"
    )
