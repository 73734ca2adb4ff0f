"""A schema for each package, and the tables of the job queue (procrastinate 3.10)."""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "20261122a"
down_revision = None


def upgrade() -> None:
    for schema in ("keys", "seal", "licence", "idp"):
        op.execute(f"CREATE SCHEMA {schema}")
    # Later changes of the queue come as its own SQL files: one migration of ours for each.
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
