"""What Alembic runs: the revisions, inside the transaction that `cloud.records.migrate` has begun."""

from alembic import context

from cloud.records.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
)
context.run_migrations()
