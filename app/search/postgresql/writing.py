"""Writing the index: changes of the live one, and a new one beside it."""

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from app.errors import OperatorError
from app.search import weights
from app.search.postgresql import tables
from app.search.postgresql.tables import NAMESPACE, VERSION
from app.search.postgresql.vectors import Row, row_of, written
from app.search.schema import TEXT_FIELDS, Entry

BATCH = 200  # articles that are sent together
NOT_ALLOWED = "42501"  # what PostgreSQL calls a lack of rights
LOCK_NOT_AVAILABLE = "55P03"
# Longer than `deadlock_timeout`, after which PostgreSQL ends an autovacuum that is in the way.
LOCK_WAIT_MS = 1500
ATTEMPTS = 4
PAUSE_S = 2.0  # between attempts, for those who search
MEMORY_MB = 128  # that PostgreSQL may take to make the indexes

_COLUMNS = "article_id, revision, lang, tags, title, headings, tags_text, body, everything"
_SUMMED = ("articles", "in_cjk", *TEXT_FIELDS)


class PostgresBuild:
    """An index that is being built beside the live one."""

    def __init__(self, engine: Engine, identity: str) -> None:
        self.is_live = False
        self._engine = engine
        self._identity = identity
        self._name = f"{NAMESPACE}_{uuid.uuid4().hex[:12]}"

    def fill(self, entries: Iterable[Entry]) -> None:
        """Add articles, each once; raise OperatorError where the database's account may not make a schema."""
        rows = map(row_of, entries)
        with _working_long(self._engine) as connection:
            try:
                tables.create_tables(connection, self._name)
            except ProgrammingError as error:
                if tables.sqlstate_of(error) != NOT_ALLOWED:
                    raise
                raise OperatorError(
                    "The database's account may not make the search index's schema: grant it CREATE on the database."
                ) from error
            words: dict[str, bool] = {}
            while batch := list(islice(rows, BATCH)):
                _copy(connection, self._name, batch)
                for row in batch:
                    words.update(dict.fromkeys(row.words - words.keys(), False))
                    words.update(dict.fromkeys(row.title_words, True))
            _add_words(connection, self._name, words)
            tables.create_indexes(connection, self._name)
            connection.execute(
                text(f"INSERT INTO {self._name}.state VALUES (:version, :identity, 0, 0, 0, 0, 0, 0, 0, 0)"),
                {"version": VERSION, "identity": self._identity},
            )
            _add_to_state(connection, self._name, _sums(connection, self._name))

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put in what has changed since it was filled."""
        if entries or removed:
            rows = [row_of(entry) for entry in entries]
            with _working_long(self._engine) as connection:
                write_changes(connection, self._name, rows, removed)

    def take_over(self, position: int, stamp: str) -> None:
        """Take the place of the live index, with all changes up to the one with this number; hold the write lock.

        Searches wait behind us while we wait for whoever reads the old one for long: we do so for a moment, and some
        times. Raises OperatorError when that was in vain.
        """
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_S)
            try:
                self._put_in_place(position, stamp)
            except OperationalError as error:
                if not _is_locked(error):
                    raise
                last = error
            else:
                self.is_live = True
                return
        with self._engine.begin() as connection:
            reader = tables.longest_reader(connection)
        raise OperatorError(
            f"The new search index could not take the place of the old one, which {reader} has read all the time: try "
            "again when it has ended. A backup by pg_dump need not read it: `pg_dump -N 'omniracle_search*'`."
        ) from last

    def _put_in_place(self, position: int, stamp: str) -> None:
        with _working_long(self._engine) as connection:
            _wait_briefly(connection)
            before = tables.has_tables(connection)
            last = connection.scalar(text(f"SELECT generation FROM {NAMESPACE}.state")) if before else 0
            connection.execute(
                text(f"UPDATE {self._name}.state SET generation = :generation"), {"generation": (last or 0) + 1}
            )
            tables.note_anchor(connection, self._name, position, stamp)
            tables.put_in_place(connection, self._name)

    def drop(self) -> None:
        """Throw it away."""
        drop_unread(self._engine, self._name)


def drop_unread(engine: Engine, name: str) -> None:
    """Drop an index beside the live one; one that somebody reads, a pg_dump for example, is left to a later build."""
    try:
        with engine.begin() as connection:
            _wait_briefly(connection)
            tables.drop_tables(connection, name)
    except OperationalError as error:
        if not _is_locked(error):
            raise


def write_changes(connection: Connection, name: str, rows: list[Row], removed: list[int]) -> None:
    """Put `rows` in place of what the index in a schema knows of their articles and forget `removed`."""
    ids = [*removed, *(row.article_id for row in rows)]
    # Whoever has lost the lock with its connection, and does not know, waits here.
    connection.execute(text(f"SELECT FROM {name}.state FOR UPDATE"))
    before = _sums(connection, name, ids)
    counts: dict[str, list[int]] = {}
    gone = connection.execute(
        text(
            "SELECT lexeme, count(*), count(*) FILTER (WHERE 'D' = ANY (weights)),"
            f" count(*) FILTER (WHERE 'A' = ANY (weights)) FROM {name}.texts, unnest(everything)"
            " WHERE article_id = ANY(:ids) GROUP BY lexeme"
        ),
        {"ids": ids},
    )
    for lexeme, *numbers in gone:
        counts[lexeme] = [-number for number in numbers]
    for row in rows:
        for lexeme, in_body, in_title in row.counts:
            known = counts.setdefault(lexeme, [0, 0, 0])
            known[0] += 1
            known[1] += in_body
            known[2] += in_title
    for table in ("texts", "titles"):
        connection.execute(text(f"DELETE FROM {name}.{table} WHERE article_id = ANY(:ids)"), {"ids": ids})
    for start in range(0, len(rows), BATCH):
        _copy(connection, name, rows[start : start + BATCH])
    _add_counts(connection, name, {lexeme: numbers for lexeme, numbers in counts.items() if any(numbers)})
    words = dict.fromkeys((word for row in rows for word in row.words), False)
    _add_words(connection, name, words | dict.fromkeys((word for row in rows for word in row.title_words), True))
    after = _sums(connection, name, ids)
    _add_to_state(connection, name, [now - then for now, then in zip(after, before, strict=True)])


def _copy(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        with cursor.copy(f"COPY {name}.texts ({_COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                values = (row.article_id, row.revision, row.lang, row.tags, *row.lengths)
                copy.write_row((*values, written(row.everything)))
        with cursor.copy(f"COPY {name}.titles (article_id, title, names) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row.article_id, row.lengths[0], written(row.names)))


def _add_counts(connection: Connection, name: str, counts: dict[str, list[int]]) -> None:
    lexemes = sorted(counts)
    values = {"lexemes": lexemes} | {f"n{place}": [counts[each][place] for each in lexemes] for place in range(3)}
    statement = f"""INSERT INTO {name}.lexemes AS known
        SELECT * FROM unnest(CAST(:lexemes AS text[]), CAST(:n0 AS int[]), CAST(:n1 AS int[]), CAST(:n2 AS int[]))
        ON CONFLICT (lexeme) DO UPDATE SET articles = known.articles + excluded.articles,
            bodies = known.bodies + excluded.bodies, titles = known.titles + excluded.titles"""
    connection.execute(text(statement), values)


def _add_words(connection: Connection, name: str, words: dict[str, bool]) -> None:
    """Add words, and whether they stand in titles; those that are known and gain nothing by it are left alone."""
    statement = f"""INSERT INTO {name}.words AS known
        SELECT * FROM unnest(CAST(:words AS text[]), CAST(:in_titles AS boolean[]))
        ON CONFLICT (word) DO UPDATE SET in_titles = true WHERE excluded.in_titles AND NOT known.in_titles"""
    ordered = sorted(words)
    connection.execute(text(statement), {"words": ordered, "in_titles": [words[word] for word in ordered]})


def _sums(connection: Connection, name: str, articles: Sequence[int] | None = None) -> Sequence[int]:
    """Return what the index's state sums up, of some articles or of all."""
    lengths = ", ".join(f"coalesce(sum({field}), 0)" for field in TEXT_FIELDS)
    of_some = "" if articles is None else "WHERE article_id = ANY(:articles)"
    statement = f"""SELECT count(*), count(*) FILTER (WHERE split_part(lang, '-', 1) = ANY(:cjk)), {lengths}
        FROM {name}.texts {of_some}"""
    values = {"cjk": sorted(weights.CJK_LANGUAGES)} | ({} if articles is None else {"articles": articles})
    return connection.execute(text(statement), values).one()


def _add_to_state(connection: Connection, name: str, sums: Sequence[int]) -> None:
    added = ", ".join(f"{column} = {column} + :{column}" for column in _SUMMED)
    statement = f"UPDATE {name}.state SET generation = generation + 1, {added}"
    connection.execute(text(statement), dict(zip(_SUMMED, sums, strict=True)))


def _wait_briefly(connection: Connection) -> None:
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_MS}ms'"))


def _is_locked(error: OperationalError) -> bool:
    return tables.sqlstate_of(error) == LOCK_NOT_AVAILABLE


@contextmanager
def _working_long(engine: Engine) -> Iterator[Connection]:
    with engine.begin() as connection:
        for name, value in (
            ("statement_timeout", "0"),
            ("idle_in_transaction_session_timeout", "0"),
            ("maintenance_work_mem", f"{MEMORY_MB}MB"),
            ("work_mem", f"{MEMORY_MB}MB"),
        ):
            connection.execute(text(f"SET LOCAL {name} = '{value}'"))
        yield connection
