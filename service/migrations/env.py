"""Alembic's entry: runs the migrations on the connection that `service.migrating` hands over."""

from alembic import context

from service.db import METADATA
from service.migrating import ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_schemas=True,
    include_name=ours,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
