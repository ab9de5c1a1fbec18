"""The hosts that serve the same database."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Host(SQLModel, table=True):
    """A host and its workers, as it has told last; only where the database can be shared."""

    id: str = Field(primary_key=True, max_length=32)
    name: str = Field(max_length=100)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    secret: str = Field(max_length=40)  # equal on hosts that have the same secret, and says no more
    workers: list[dict[str, Any]] = Field(sa_type=JSON)  # each as in /-/workers.json
