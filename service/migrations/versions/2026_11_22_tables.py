"""The tables of all packages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122b"
down_revision = "20261122a"


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("chained_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("position", name=op.f("uq_journal_position")),
        schema="keys",
    )
    op.create_index(
        "ix_journal_unchained",
        "journal",
        ["id"],
        unique=False,
        schema="keys",
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "private_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("spki", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_private_key")),
        schema="keys",
    )
    op.create_index(
        "uq_private_key_active",
        "private_key",
        ["purpose", "owner"],
        unique=True,
        schema="keys",
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "certificate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("chain", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.ForeignKeyConstraint(["kid"], ["keys.private_key.kid"], name=op.f("fk_certificate_kid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate")),
        sa.UniqueConstraint("der", name=op.f("uq_certificate_der")),
        schema="keys",
    )
    op.create_index(op.f("ix_certificate_kid"), "certificate", ["kid"], unique=False, schema="keys")
    op.create_table(
        "e_seal",
        sa.Column("number", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("esid", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("picture_png", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_e_seal")),
        sa.UniqueConstraint("esid", name=op.f("uq_e_seal_esid")),
        schema="seal",
    )
    op.create_index("ix_e_seal_owner", "e_seal", ["owner", "number"], unique=False, schema="seal")
    op.create_table(
        "issuers",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(length=6), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_issuers")),
        schema="licence",
    )
    op.create_table(
        "lookup_rights",
        sa.Column("consumer", sa.String(length=18), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.PrimaryKeyConstraint("consumer", "type_code", name=op.f("pk_lookup_rights")),
        schema="licence",
    )
    op.create_table(
        "lookups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("consumer", sa.String(length=18), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("holder_index", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("case_number", sa.String(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lookups")),
        schema="licence",
    )
    op.create_index(
        op.f("ix_lookups_holder_index"), "lookups", ["holder_index"], unique=False, schema="licence"
    )
    op.create_table(
        "number_series",
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("type_code", "series", name=op.f("pk_number_series")),
        schema="licence",
    )
    op.create_table(
        "status_lists",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=True),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("token_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_status_lists")),
        schema="licence",
    )
    op.create_table(
        "issuer_types",
        sa.Column("issuer", sa.String(length=18), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer"], ["licence.issuers.uscc"], name=op.f("fk_issuer_types_issuer")
        ),
        sa.PrimaryKeyConstraint("issuer", "type_code", name=op.f("pk_issuer_types")),
        schema="licence",
    )
    op.create_table(
        "licences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("issuer", sa.String(length=18), nullable=False),
        sa.Column("case_number", sa.String(), nullable=False),
        sa.Column("content_tag", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("version", sa.String(length=3), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("status_list", sa.Integer(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer"], ["licence.issuers.uscc"], name=op.f("fk_licences_issuer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_licences")),
        sa.UniqueConstraint("identifier", name=op.f("uq_licences_identifier")),
        sa.UniqueConstraint(
            "issuer",
            "case_number",
            "type_code",
            name=op.f("uq_licences_issuer_case_number_type_code"),
        ),
        sa.UniqueConstraint(
            "status_list", "status_index", name=op.f("uq_licences_status_list_status_index")
        ),
        sa.UniqueConstraint(
            "type_code", "number", "version", name=op.f("uq_licences_type_code_number_version")
        ),
        schema="licence",
    )
    op.create_table(
        "status_entries",
        sa.Column("list_number", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_number"],
            ["licence.status_lists.number"],
            name=op.f("fk_status_entries_list_number"),
        ),
        sa.PrimaryKeyConstraint("list_number", "index", name=op.f("pk_status_entries")),
        schema="licence",
    )
    op.create_index(
        "ix_status_entries_told",
        "status_entries",
        ["list_number"],
        unique=False,
        schema="licence",
        postgresql_where=sa.text("status <> 0"),
    )
    op.create_table(
        "files",
        sa.Column("licence_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licence.licences.id"], name=op.f("fk_files_licence_id")
        ),
        sa.PrimaryKeyConstraint("licence_id", "kind", name=op.f("pk_files")),
        schema="licence",
    )
    op.create_table(
        "holders",
        sa.Column("licence_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number_type", sa.String(length=3), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licence.licences.id"], name=op.f("fk_holders_licence_id")
        ),
        sa.PrimaryKeyConstraint("licence_id", "position", name=op.f("pk_holders")),
        schema="licence",
    )
    op.create_index(
        op.f("ix_holders_number_index"), "holders", ["number_index"], unique=False, schema="licence"
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("auth_method", sa.Text(), nullable=False),
        sa.Column("secret_fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("realm", sa.Text(), nullable=True),
        sa.Column("redirect_uris", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("grant_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("resources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("consent", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
        schema="idp",
    )
    op.create_table(
        "person",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ethnicity", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_person")),
        sa.UniqueConstraint("number_index", name=op.f("uq_person_number_index")),
        sa.UniqueConstraint("phone_index", name=op.f("uq_person_phone_index")),
        schema="idp",
    )
    op.create_table(
        "session",
        sa.Column("sid", sa.Text(), nullable=False),
        sa.Column("cookie_fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("realm", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("methods", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sid", name=op.f("pk_session")),
        sa.UniqueConstraint("cookie_fingerprint", name=op.f("uq_session_cookie_fingerprint")),
        schema="idp",
    )
    op.create_index(op.f("ix_session_subject"), "session", ["subject"], unique=False, schema="idp")
    op.create_table(
        "staff",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_staff")),
        sa.UniqueConstraint("username", name=op.f("uq_staff_username")),
        schema="idp",
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("compared", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subject"], ["idp.person.subject"], name=op.f("fk_evidence_subject")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        schema="idp",
    )
    op.create_index(
        op.f("ix_evidence_subject"), "evidence", ["subject"], unique=False, schema="idp"
    )
