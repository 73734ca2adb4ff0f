"""A look-up right names the fields that may be told, and a look-up those that were."""

import sqlalchemy as sa
from alembic import op

revision = "20261122c"
down_revision = "20261122b"


def upgrade() -> None:
    op.add_column(
        "lookup_rights",
        sa.Column("fields", sa.ARRAY(sa.String()), server_default="{}", nullable=False),
        schema="licence",
    )
    op.add_column(
        "lookups",
        sa.Column("fields", sa.ARRAY(sa.String()), server_default="{}", nullable=False),
        schema="licence",
    )
