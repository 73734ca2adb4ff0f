"""Evidence says who recorded it and how it was withdrawn; people have other documents; sign-ons a context.

Evidence may be about an entity too, and so refers to no table. What people had until now was a
resident ID, and what was recorded was recorded by the service.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261124a"
down_revision = "20261123a"

_SO_FAR = (
    ("person", sa.Column("document", sa.Text(), nullable=False, server_default="resident_id")),
    ("evidence", sa.Column("by", sa.Text(), nullable=False, server_default="service")),
    ("evidence", sa.Column("details", postgresql.JSONB(), nullable=False, server_default="{}")),
)
_MAY_BE_ABSENT = (
    ("evidence", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True)),
    ("evidence", sa.Column("withdrawn_by", sa.Text(), nullable=True)),
    ("evidence", sa.Column("withdrawn_because", sa.Text(), nullable=True)),
    ("session", sa.Column("entity", sa.Text(), nullable=True)),
    ("session", sa.Column("mandate", sa.Text(), nullable=True)),
)


def upgrade() -> None:
    op.drop_constraint("fk_evidence_subject", "evidence", schema="idp")
    for table, column in (*_SO_FAR, *_MAY_BE_ABSENT):
        op.add_column(table, column, schema="idp")
    for table, column in _SO_FAR:
        op.alter_column(table, column.name, server_default=None, schema="idp")
