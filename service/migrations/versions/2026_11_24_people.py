"""Entities and mandates, ways to sign in, staff over time, nodes, releases: tables of their own.

What staff were appointed to moves to postings and appointments, which have a beginning and an end.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124b"
down_revision = "20261124a"

_CARRIED = (
    "INSERT INTO idp.posting (subject, body, since, until) "
    "SELECT subject, organisation, opened_at, closed_at FROM idp.staff",
    'INSERT INTO idp.appointment (subject, role, body, below, "group", since, until, by) '
    "SELECT subject, unnest(roles), organisation, true, NULL, opened_at, closed_at, 'service' "
    "FROM idp.staff",
)


def upgrade() -> None:
    op.create_table(
        "applied",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("own", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("origin", "subject", name=op.f("pk_applied")),
        schema="idp",
    )
    op.create_index(op.f("ix_applied_own"), "applied", ["own"], unique=False, schema="idp")
    op.create_table(
        "appointment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("below", sa.Boolean(), nullable=False),
        sa.Column("group", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cut_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_appointment_group"), "appointment", ["group"], unique=False, schema="idp"
    )
    op.create_index(
        op.f("ix_appointment_subject"), "appointment", ["subject"], unique=False, schema="idp"
    )
    op.create_table(
        "body",
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["idp.body.uscc"], name=op.f("fk_body_parent")),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_body")),
        schema="idp",
    )
    op.create_index(op.f("ix_body_parent"), "body", ["parent"], unique=False, schema="idp")
    op.create_table(
        "conflict",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("came_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict")),
        schema="idp",
    )
    op.create_index(
        "uq_conflict_waiting",
        "conflict",
        ["source", "row"],
        unique=True,
        schema="idp",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "counter",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_counter")),
        schema="idp",
    )
    op.create_table(
        "device",
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_device")),
        schema="idp",
    )
    op.create_index(op.f("ix_device_subject"), "device", ["subject"], unique=False, schema="idp")
    op.create_table(
        "entity",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("registration_number", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_entity")),
        sa.UniqueConstraint("uscc", name=op.f("uq_entity_uscc")),
        schema="idp",
    )
    op.create_table(
        "imported",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "row", name=op.f("pk_imported")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_imported_subject"), "imported", ["subject"], unique=False, schema="idp"
    )
    op.create_table(
        "item_policy",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("natural", sa.Integer(), nullable=True),
        sa.Column("legal", sa.Integer(), nullable=True),
        sa.Column("agents", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_item_policy")),
        schema="idp",
    )
    op.create_table(
        "live_check",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column("transaction_hash", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("at_source", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("evidence_hash", sa.Text(), nullable=True),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_live_check")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_live_check_subject"), "live_check", ["subject"], unique=False, schema="idp"
    )
    op.create_table(
        "local_account",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("local_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "subject", "local_id", name=op.f("pk_local_account")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_local_account_subject"), "local_account", ["subject"], unique=False, schema="idp"
    )
    op.create_table(
        "mandate",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("items", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("consent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("ended_because", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        schema="idp",
    )
    op.create_index(op.f("ix_mandate_holder"), "mandate", ["holder"], unique=False, schema="idp")
    op.create_index(
        op.f("ix_mandate_principal"), "mandate", ["principal"], unique=False, schema="idp"
    )
    op.create_index(
        "uq_mandate_representative",
        "mandate",
        ["principal"],
        unique=True,
        schema="idp",
        postgresql_where=sa.text("kind = 'representative' AND ended_at IS NULL"),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
        schema="idp",
    )
    op.create_index(op.f("ix_passkey_subject"), "passkey", ["subject"], unique=False, schema="idp")
    op.create_table(
        "peer",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("keys_url", sa.Text(), nullable=True),
        sa.Column("events_url", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_peer")),
        sa.UniqueConstraint("name", name=op.f("uq_peer_name")),
        schema="idp",
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
        schema="idp",
    )
    op.create_index(op.f("ix_posting_body"), "posting", ["body"], unique=False, schema="idp")
    op.create_index(op.f("ix_posting_subject"), "posting", ["subject"], unique=False, schema="idp")
    op.create_table(
        "register_watch",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_register_watch")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_register_watch_asked_at"),
        "register_watch",
        ["asked_at"],
        unique=False,
        schema="idp",
    )
    op.create_table(
        "release",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("claims", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release")),
        schema="idp",
    )
    op.create_index(op.f("ix_release_at"), "release", ["at"], unique=False, schema="idp")
    op.create_index(op.f("ix_release_subject"), "release", ["subject"], unique=False, schema="idp")
    op.create_table(
        "sighting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("evidence", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("clerk", sa.Text(), nullable=False),
        sa.Column("counter", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_review", sa.Boolean(), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("good", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sighting")),
        sa.UniqueConstraint("evidence", name=op.f("uq_sighting_evidence")),
        schema="idp",
    )
    op.create_table(
        "social_binding",
        sa.Column("account_index", sa.LargeBinary(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_index", name=op.f("pk_social_binding")),
        sa.UniqueConstraint("subject", "platform", name=op.f("uq_social_binding_subject")),
        schema="idp",
    )
    op.create_table(
        "staff_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_change")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_staff_change_due_at"), "staff_change", ["due_at"], unique=False, schema="idp"
    )
    op.create_index(
        op.f("ix_staff_change_subject"), "staff_change", ["subject"], unique=False, schema="idp"
    )
    op.create_table(
        "staff_group",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("below", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_group")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_staff_group_body"), "staff_group", ["body"], unique=False, schema="idp"
    )
    op.create_table(
        "totp",
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("realm", "subject", name=op.f("pk_totp")),
        schema="idp",
    )
    op.create_table(
        "upstream_link",
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("sub", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("upstream", "sub", name=op.f("pk_upstream_link")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_upstream_link_subject"), "upstream_link", ["subject"], unique=False, schema="idp"
    )
    op.create_table(
        "entity_alias",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entity"], ["idp.entity.subject"], name=op.f("fk_entity_alias_entity")
        ),
        sa.PrimaryKeyConstraint("kind", "number", name=op.f("pk_entity_alias")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_entity_alias_entity"), "entity_alias", ["entity"], unique=False, schema="idp"
    )
    op.create_table(
        "mandate_use",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("mandate", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["mandate"], ["idp.mandate.id"], name=op.f("fk_mandate_use_mandate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate_use")),
        sa.UniqueConstraint(
            "mandate", "grant_id", "client_id", name=op.f("uq_mandate_use_mandate")
        ),
        schema="idp",
    )
    op.create_index(
        op.f("ix_mandate_use_mandate"), "mandate_use", ["mandate"], unique=False, schema="idp"
    )
    op.create_table(
        "outbox",
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["city"], ["idp.peer.issuer"], name=op.f("fk_outbox_city")),
        sa.PrimaryKeyConstraint("city", "subject", name=op.f("pk_outbox")),
        schema="idp",
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["city", "noted_at"],
        unique=False,
        schema="idp",
        postgresql_where=sa.text("sequence > delivered"),
    )
    op.create_table(
        "recognition",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("handle", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subject"], ["idp.person.subject"], name=op.f("fk_recognition_subject")
        ),
        sa.PrimaryKeyConstraint("partner", "subject", name=op.f("pk_recognition")),
        sa.UniqueConstraint("partner", "handle", name=op.f("uq_recognition_partner")),
        schema="idp",
    )
    op.create_table(
        "upstream_session",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("upstream", sa.Text(), nullable=False),
        sa.Column("upstream_sid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sid"], ["idp.session.sid"], name=op.f("fk_upstream_session_sid"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_upstream_session")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_upstream_session_upstream_sid"),
        "upstream_session",
        ["upstream_sid"],
        unique=False,
        schema="idp",
    )
    op.add_column("person", sa.Column("nationality", sa.Text(), nullable=True), schema="idp")
    op.add_column("person", sa.Column("birthdate", sa.Date(), nullable=True), schema="idp")
    op.add_column("session", sa.Column("acting_as", sa.Text(), nullable=True), schema="idp")
    op.add_column("session", sa.Column("certificate", sa.Text(), nullable=True), schema="idp")
    op.add_column(
        "session", sa.Column("certificate_serial", sa.Text(), nullable=True), schema="idp"
    )
    op.create_index(
        op.f("ix_session_certificate_serial"),
        "session",
        ["certificate_serial"],
        unique=False,
        schema="idp",
    )
    op.add_column("staff", sa.Column("external_id", sa.Text(), nullable=True), schema="idp")
    changed = sa.Column(
        "changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
    )
    op.add_column("staff", changed, schema="idp")
    op.alter_column("staff", "changed_at", server_default=None, schema="idp")
    op.add_column(
        "staff", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True), schema="idp"
    )
    op.alter_column("staff", "password_hash", existing_type=sa.TEXT(), nullable=True, schema="idp")
    for statement in _CARRIED:
        op.execute(statement)
    op.drop_column("staff", "roles", schema="idp")
    op.drop_column("staff", "organisation", schema="idp")
