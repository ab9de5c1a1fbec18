"""`move`: the whole content of one database into another, of the same kind or not."""

from itertools import zip_longest

from sqlalchemy import Table
from sqlmodel import Session

from app.errors import OperatorError
from app.services.progress import Progress, silent
from app.storage import copying, schema
from app.storage.database import Database


def move(source: Database, target: Database, progress: Progress = silent) -> dict[str, int]:
    """Copy everything, compare both, and return how many rows each table has; the source stays as it is.

    Nobody may write to the source meanwhile. Raises OperatorError when the target holds a site already or, in the end,
    is not equal to the source, and SchemaMismatch when the source is of another version than this program.
    """
    schema.check(source)
    schema.migrate(target)
    with source.read() as reading:
        tables = copying.tables()
        numbers = {table.name: copying.count(reading, table) for table in tables}
        total = sum(numbers.values())
        with target.write() as writing:
            _refuse_site(writing)
            for table in reversed(tables):  # an empty site has an identity, and the source's takes its place
                copying.clear(writing, table)
            done = 0
            for table in tables:
                for chunk in copying.rows(reading, table):
                    copying.put(writing, table, chunk)
                    done += len(chunk)
                    progress("copy", done, total)
                copying.go_on_numbering(writing, table)
        done = 0
        with target.read() as written:
            for table in tables:
                _compare(reading, written, table)
                done += numbers[table.name]
                progress("compare", done, total)
    return numbers


def refuse_site(database: Database) -> None:
    """Raise OperatorError unless the database is empty, or of a site that nobody has begun to use."""
    if schema.is_there(database):
        with database.read() as session:
            _refuse_site(session)


def _refuse_site(session: Session) -> None:
    if any(copying.count(session, table) for table in copying.tables() if table.name in ("article", "account")):
        raise OperatorError("There is a site in that database already: use an empty one.")


def _compare(source: Session, target: Session, table: Table) -> None:
    if table.name == "site":  # its version went on when the rows were put
        return
    for here, there in zip_longest(copying.rows(source, table), copying.rows(target, table), fillvalue=()):
        if here != there:
            raise OperatorError(
                f"The copy is not equal to the source in its table {table.name}: drop it and try again."
            )
