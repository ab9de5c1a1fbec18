"""The index's tables. They are in a schema of their own, made when the index is built; migrations know nothing of them.

What Whoosh has folders for, schemas do here: a new index is built in one beside the live one and takes its name.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.search import weights
from app.search.schema import SCHEMA_VERSION, TEXT_FIELDS

NAMESPACE = "omniracle_search"
SEPARATOR = "\x1f"  # stands in no term
SPLIT = "string_to_array({}, chr(31))"
VERSION = f"{SCHEMA_VERSION}.2"  # of the fields and the analysis, and of these tables: raise it with any change of them

_TABLES = """
CREATE TABLE {name}.state (
    version text, identity text, position bigint, generation bigint, articles bigint, in_cjk bigint,
    title bigint, headings bigint, tags_text bigint, body bigint
);
-- Not a column of the state, whose columns programs of other versions read.
CREATE TABLE {name}.stamp (position bigint, stamp text);
-- The long vectors are out of the way: reading the rows that match is cheap.
CREATE TABLE {name}.texts (
    article_id integer, revision integer, lang text, tags text[],
    title integer, headings integer, tags_text integer, body integer, everything tsvector
) WITH (toast_tuple_target = 128);
ALTER TABLE {name}.texts ALTER everything SET STORAGE EXTERNAL;
CREATE TABLE {name}.titles (article_id integer, title integer, names tsvector);
CREATE TABLE {name}.lexemes (
    lexeme text COLLATE "C" PRIMARY KEY, articles integer, bodies integer, titles integer
) WITH (fillfactor = 70);
CREATE TABLE {name}.words (word text COLLATE "C" PRIMARY KEY, in_titles boolean);
"""
INDEXES = """
ALTER TABLE {name}.texts ADD PRIMARY KEY (article_id);
ALTER TABLE {name}.titles ADD PRIMARY KEY (article_id);
CREATE INDEX ON {name}.texts USING gin (everything) WITH (fastupdate = off);
CREATE INDEX ON {name}.titles USING gin (names) WITH (fastupdate = off);
CREATE INDEX ON {name}.words (word) WHERE in_titles;
INSERT INTO {name}.lexemes
    SELECT lexeme, count(*), count(*) FILTER (WHERE 'D' = ANY (weights)), count(*) FILTER (WHERE 'A' = ANY (weights))
    FROM {name}.texts, unnest(everything) GROUP BY lexeme;
"""


@dataclass(frozen=True)
class State:
    """What is known of the whole index."""

    version: str
    identity: str
    position: int
    generation: int
    articles: int
    in_cjk: int
    title: int  # terms in all titles, and so on
    headings: int
    tags_text: int
    body: int

    @property
    def averages(self) -> dict[str, float]:
        """The average length of each field."""
        return {field: weights.rounded_average(getattr(self, field), self.articles) for field in TEXT_FIELDS}

    def rarity(self, term: str, frequency: int) -> float:
        """Return the inverse document frequency of a term that so many articles have."""
        of_script = self.articles - self.in_cjk if term.isascii() else self.in_cjk
        return weights.rarity(min(frequency, self.articles), self.articles, of_script)


def state_of(connection: Connection) -> State | None:
    """Return the state of the live index, None for an index that nothing was ever put in; make the session ready.

    The planner does not know what it costs to read a long vector, nor that these queries are too short for a compiler.
    """
    found = connection.execute(
        text(
            "SELECT state.*, set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"
            f" FROM {NAMESPACE}.state"
        )
    ).one_or_none()
    return State(*found[:-2]) if found else None


def anchor_of(connection: Connection) -> tuple[int, str]:
    """Return how far the live index has come, and the stamp of the change there; see app/search/engine.py."""
    statement = f"SELECT state.position, stamp FROM {NAMESPACE}.state LEFT JOIN {NAMESPACE}.stamp USING (position)"
    position, stamp = connection.execute(text(statement)).one_or_none() or (0, "")
    return position, stamp or ""


def note_anchor(connection: Connection, name: str, position: int, stamp: str) -> None:
    """Note how far an index has come."""
    connection.execute(text(f"UPDATE {name}.state SET position = :position"), {"position": position})
    connection.execute(text(f"DELETE FROM {name}.stamp"))
    given = {"position": position, "stamp": stamp}
    connection.execute(text(f"INSERT INTO {name}.stamp VALUES (:position, :stamp)"), given)


def create_tables(connection: Connection, name: str) -> None:
    """Make an empty index; raise sqlalchemy.exc.ProgrammingError without the right to."""
    connection.execute(text(f"CREATE SCHEMA {name}"))
    connection.execute(text(_TABLES.format(name=name)))


def create_indexes(connection: Connection, name: str) -> None:
    """Make a filled index fast, and count what is in it."""
    connection.execute(text(INDEXES.format(name=name)))
    connection.execute(text(f"ANALYZE {name}.texts, {name}.titles, {name}.lexemes, {name}.words"))


def put_in_place(connection: Connection, name: str) -> None:
    """Give the live index's name to another one and drop what had it."""
    if has_tables(connection):
        connection.execute(text(f"LOCK TABLE {NAMESPACE}.state"))  # which every search reads first: no deadlock
        connection.execute(text(f"DROP SCHEMA {NAMESPACE} CASCADE"))
    connection.execute(text(f"ALTER SCHEMA {name} RENAME TO {NAMESPACE}"))


def drop_tables(connection: Connection, name: str) -> None:
    """Drop an index."""
    connection.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))


def has_tables(connection: Connection) -> bool:
    """Say whether there is an index."""
    return bool(connection.scalar(text(f"SELECT to_regclass('{NAMESPACE}.state') IS NOT NULL")))


def sqlstate_of(error: DBAPIError) -> str | None:
    """Return the code that PostgreSQL gives an error; None for one that is not the server's."""
    return getattr(error.orig, "sqlstate", None)


def longest_reader(connection: Connection) -> str:
    """Return the name of who has used the live index for longest, in a transaction that is still open."""
    statement = """SELECT application_name, pid FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND pid IN (
            SELECT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation
            WHERE relnamespace = to_regnamespace(:name) AND granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        ORDER BY xact_start LIMIT 1"""
    found = connection.execute(text(statement), {"name": NAMESPACE}).one_or_none()
    return f"{found.application_name or 'a program'} (process {found.pid} of the database)" if found else "a program"


def joined(texts: Iterable[str]) -> str:
    """Return texts as one value for SPLIT: the driver takes much longer for a list of many."""
    return SEPARATOR.join(texts)


def numbers(values: Iterable[int]) -> str:
    """Return numbers as one value, to be cast to `integer[]`, for the same reason."""
    return "{" + ",".join(map(str, values)) + "}"


def left_behind(connection: Connection) -> list[str]:
    """Return the names of indexes whose building was interrupted."""
    statement = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :beginning)"
    return list(connection.scalars(text(statement), {"beginning": f"{NAMESPACE}_"}))
