"""Run by Alembic, on the connection and inside the transaction that ``securevec.control.migrate.upgrade`` opened."""

from __future__ import annotations

from alembic import context

from securevec.control.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
)
context.run_migrations()
