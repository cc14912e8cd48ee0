"""Alembic's environment: it works on the connection, and inside the transaction, that the caller has begun."""

from alembic import context

from analysis.catalog.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
