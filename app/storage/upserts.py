"""INSERT … ON CONFLICT, of which each engine has its own."""

from importlib import import_module
from typing import Any

from sqlmodel import Session, SQLModel


def insert(session: Session, table: type[SQLModel]) -> Any:
    """Return an INSERT into `table` that can say what happens where the row is there already."""
    # It is in a module that takes 2 MB: only that of the engine that is there is loaded.
    engine = import_module(f"sqlalchemy.dialects.{session.get_bind().dialect.name}")
    return engine.insert(table)
