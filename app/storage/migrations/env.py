"""Alembic's entry point; `app.storage.schema` hands it the connection."""

from alembic import context
from sqlmodel import SQLModel

import app.models  # noqa: F401  fills the metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
