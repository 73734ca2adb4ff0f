"""The seals' life: tables of their own. PROVISIONAL, written out before it is committed."""

import sqlalchemy as sa
from alembic import op

import seal.life.tables

revision = "20261125a"
down_revision = "20261124b"

ADDED: tuple[tuple[str, str, sa.Column[object]], ...] = ()


def upgrade() -> None:
    bind = op.get_bind()
    op.drop_table("e_seal", schema="seal")
    seal.life.tables.Base.metadata.create_all(bind)
    for schema, table, column in ADDED:
        op.add_column(table, column, schema=schema)


def downgrade() -> None:
    raise NotImplementedError
