"""The seals' life: seals and what happened to them, grants and uses, the registers of nodes below.

Seals of before are carried over as suspended: their keys were their body's, so they stamp no more and
are to be made anew; what they stamped is still that of a seal in use.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125a"
down_revision = "20261124b"

_CARRIED = (
    "INSERT INTO seal.seal (id, owner, owner_name, name, kind, legal_basis, keeper, applied_by, "
    "picture_type, picture, picture_png, width, height, state, made_for, esid, der, digest, changed_at) "
    "SELECT gen_random_uuid(), owner, owner, esid, 'licence', '', '', 'service', "
    "'png', picture_png, picture_png, width, height, 'suspended', now(), esid, der, sha256(der), now() "
    "FROM seal.e_seal",
    "INSERT INTO seal.seal_event (seal, at, since, state, by, witness, reason) "
    "SELECT id, now(), told.since, told.state, 'service', '', told.reason FROM seal.seal, "
    "(VALUES (1, TIMESTAMPTZ '2000-01-01Z', 'in-use', ''), "
    "(2, now(), 'suspended', 'made before seals had keys of their own')) "
    "AS told (turn, since, state, reason) ORDER BY esid, turn",
    "INSERT INTO seal.seal_number (series, last) "
    "SELECT 'esid ' || left(esid, 6), max(right(esid, 8)::integer) FROM seal.e_seal "
    r"WHERE esid ~ '^\d{14}$' GROUP BY left(esid, 6)",
)


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("legal_basis", sa.String(), nullable=False),
        sa.Column("keeper", sa.String(), nullable=False),
        sa.Column("applied_by", sa.String(), nullable=False),
        sa.Column("picture_type", sa.String(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("picture_png", sa.LargeBinary(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "made_for",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            comment="valid until, as applied for",
        ),
        sa.Column("esid", sa.Text(), nullable=True),
        sa.Column("record_number", sa.Text(), nullable=True),
        sa.Column("der", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("predecessor", sa.Uuid(), nullable=True),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["predecessor"], ["seal.seal.id"], name=op.f("fk_seal_predecessor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
        sa.UniqueConstraint("digest", name=op.f("uq_seal_digest")),
        sa.UniqueConstraint("esid", name=op.f("uq_seal_esid")),
        sa.UniqueConstraint("record_number", name=op.f("uq_seal_record_number")),
        schema="seal",
    )
    op.create_index(op.f("ix_seal_changed_at"), "seal", ["changed_at"], unique=False, schema="seal")
    op.create_index(op.f("ix_seal_owner"), "seal", ["owner"], unique=False, schema="seal")
    op.create_index(op.f("ix_seal_state"), "seal", ["state"], unique=False, schema="seal")
    op.create_table(
        "seal_node",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("heard_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("forgotten", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_seal_node")),
        schema="seal",
    )
    op.create_table(
        "seal_number",
        sa.Column("series", sa.String(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_seal_number")),
        schema="seal",
    )
    op.create_table(
        "seal_event",
        sa.Column("number", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("seal", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("witness", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["seal"], ["seal.seal.id"], name=op.f("fk_seal_event_seal")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal_event")),
        schema="seal",
    )
    op.create_index(op.f("ix_seal_event_seal"), "seal_event", ["seal"], unique=False, schema="seal")
    op.create_table(
        "seal_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seal", sa.Uuid(), nullable=False),
        sa.Column("holder_kind", sa.String(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("licence_types", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("most", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["seal"], ["seal.seal.id"], name=op.f("fk_seal_grant_seal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal_grant")),
        schema="seal",
    )
    op.create_index(
        op.f("ix_seal_grant_holder"), "seal_grant", ["holder"], unique=False, schema="seal"
    )
    op.create_index(op.f("ix_seal_grant_seal"), "seal_grant", ["seal"], unique=False, schema="seal")
    op.create_table(
        "seal_of_node",
        sa.Column("esid", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("record_number", sa.String(), nullable=True),
        sa.Column("valid_until", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["origin"], ["seal.seal_node.origin"], name=op.f("fk_seal_of_node_origin")
        ),
        sa.PrimaryKeyConstraint("esid", name=op.f("pk_seal_of_node")),
        sa.UniqueConstraint("digest", name=op.f("uq_seal_of_node_digest")),
        schema="seal",
    )
    op.create_index(
        op.f("ix_seal_of_node_origin"), "seal_of_node", ["origin"], unique=False, schema="seal"
    )
    op.create_index(
        op.f("ix_seal_of_node_owner"), "seal_of_node", ["owner"], unique=False, schema="seal"
    )
    op.create_index(
        op.f("ix_seal_of_node_replaces"), "seal_of_node", ["replaces"], unique=False, schema="seal"
    )
    op.create_table(
        "seal_event_of_node",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("esid", sa.String(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("since", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["esid"], ["seal.seal_of_node.esid"], name=op.f("fk_seal_event_of_node_esid")
        ),
        sa.PrimaryKeyConstraint("origin", "number", name=op.f("pk_seal_event_of_node")),
        schema="seal",
    )
    op.create_index(
        op.f("ix_seal_event_of_node_esid"),
        "seal_event_of_node",
        ["esid"],
        unique=False,
        schema="seal",
    )
    op.create_table(
        "seal_use",
        sa.Column("number", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("seal", sa.Uuid(), nullable=False),
        sa.Column("grant", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("licence_type", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["grant"], ["seal.seal_grant.id"], name=op.f("fk_seal_use_grant")),
        sa.ForeignKeyConstraint(["seal"], ["seal.seal.id"], name=op.f("fk_seal_use_seal")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal_use")),
        sa.UniqueConstraint("grant", "reference", "form", name=op.f("uq_seal_use_grant")),
        schema="seal",
    )
    op.create_index("ix_seal_use_seal_at", "seal_use", ["seal", "at"], unique=False, schema="seal")
    for statement in _CARRIED:
        op.execute(statement)
    op.drop_index(op.f("ix_e_seal_owner"), table_name="e_seal", schema="seal")
    op.drop_table("e_seal", schema="seal")
