"""Every row of one database in another one."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, Table, delete, func, insert, select, text
from sqlmodel import Session, SQLModel

CHUNK = 500  # rows
# Kept by the triggers of each database for itself, or true of the processes that use it alone.
OF_EACH = {"article_change", "rate_count", "host"}


def tables() -> list[Table]:
    """Return the tables that are copied; those that refer to others come after them."""
    return [table for table in SQLModel.metadata.sorted_tables if table.name not in OF_EACH]


def count(session: Session, table: Table) -> int:
    """Return how many rows a table has."""
    return int(session.connection().execute(select(func.count()).select_from(table)).scalar_one())


def rows(session: Session, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows of a table in the order of its primary key, some at a time.

    Zero bytes are left out of texts: PostgreSQL cannot keep them, and programs before this one took them from readers.
    """
    connection = session.connection()
    keys: list[ColumnElement[Any]] = list(table.primary_key.columns)
    if connection.dialect.name == "postgresql":  # in SQLite's order of letters
        keys = [key.collate("C") if isinstance(key.type, String) else key for key in keys]
    result = connection.execution_options(yield_per=CHUNK).execute(select(table).order_by(*keys))
    for chunk in result.partitions():
        yield [tuple(each.replace("\0", "") if isinstance(each, str) else each for each in row) for row in chunk]


def clear(session: Session, table: Table) -> None:
    """Delete all rows of a table."""
    session.connection().execute(delete(table))


def put(session: Session, table: Table, chunk: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows as they are, their ids among it."""
    names = table.columns.keys()
    session.connection().execute(insert(table), [dict(zip(names, row, strict=True)) for row in chunk])


def go_on_numbering(session: Session, table: Table) -> None:
    """Let the database give the next row the id after the highest one; SQLite does so by itself."""
    id_ = table.autoincrement_column
    if id_ is None or session.connection().dialect.name != "postgresql":
        return
    highest = session.connection().execute(select(func.max(id_))).scalar_one()
    if highest is not None:
        sequence = "pg_get_serial_sequence(:table, :column)"
        statement = text(f"SELECT setval({sequence}, :highest) WHERE {sequence} IS NOT NULL")
        given = {"table": f'"{table.name}"', "column": id_.name, "highest": highest}
        session.connection().execute(statement, given)
