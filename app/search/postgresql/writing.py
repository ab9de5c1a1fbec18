"""Writing the index: changes of the live one, and a new one beside it."""

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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

BATCH = 200  # articles that are sent together to a new index
PORTION = 200_000  # lexemes that one transaction writes to a live one, about; the longest article has nearly as many
NOT_ALLOWED = "42501"  # what PostgreSQL calls a lack of rights
LOCK_NOT_AVAILABLE = "55P03"
# Longer than `deadlock_timeout`, after which PostgreSQL ends an autovacuum that is in the way.
LOCK_WAIT_MS = 1500
# Whoever stands still in a transaction that others wait for is thrown out of it. So all that it sends is made before,
# and nothing is sent by COPY, in which PostgreSQL would wait for ever.
SILENCE_S = 2.0
ATTEMPTS = 4
PAUSE_S = 2.0  # between attempts, for those who search
MEMORY_MB = 128  # that PostgreSQL may take to make the indexes

_NAMES = ("article_id", "revision", "lang", "tags", "title", "headings", "tags_text", "body", "everything")
_TYPES = {"tags": "text[]", "everything": "tsvector"}
_COLUMNS = ", ".join(_NAMES)
_PLACES = ", ".join(f"CAST(:{name} AS {_TYPES[name]})" if name in _TYPES else f":{name}" for name in _NAMES)
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
                _note_words(words, batch)
            _add_words(connection, self._name, words)
            tables.create_indexes(connection, self._name)
            connection.execute(
                text(f"INSERT INTO {self._name}.state VALUES (:version, :identity, 0, 0, 0, 0, 0, 0, 0, 0)"),
                {"version": VERSION, "identity": self._identity},
            )
            _add_to_state(connection, self._name, _sums(connection, self._name))

    def update(self, entries: list[Entry], removed: list[int]) -> None:
        """Put in what has changed since it was filled."""
        for changes in in_portions(entries, removed):
            with _working_long(self._engine) as connection:
                write_changes(connection, self._name, changes)

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


@dataclass(frozen=True)
class Changes:
    """What one transaction writes to an index, as it is sent."""

    ids: list[int]  # of the articles that are written, and of those that are forgotten
    rows: list[dict[str, object]]
    counts: dict[str, str]  # of the lexemes
    words: dict[str, bool]

    @classmethod
    def of(cls, rows: Sequence[Row], removed: Iterable[int]) -> "Changes":
        """Return what puts `rows` in place of what is known of their articles and forgets `removed`."""
        counts: dict[str, list[int]] = {}
        words: dict[str, bool] = {}
        _note_words(words, rows)
        for row in rows:
            for lexeme, in_body, in_title in row.counts:
                known = counts.setdefault(lexeme, [0, 0, 0])
                known[0] += 1
                known[1] += in_body
                known[2] += in_title
        return cls(
            ids=[*removed, *(row.article_id for row in rows)],
            rows=[dict(zip(_NAMES, _values(row), strict=True)) | {"names": written(row.names)} for row in rows],
            counts={"lexemes": tables.joined(counts)}
            | {f"n{place}": tables.numbers(each[place] for each in counts.values()) for place in range(3)},
            words=words,
        )


def in_portions(entries: Iterable[Entry], removed: Sequence[int]) -> Iterator[Changes]:
    """Yield what puts `entries` in place of what is known of them and forgets `removed`, a transaction's worth each."""
    rows: list[Row] = []
    lexemes = 0
    for row in map(row_of, entries):
        rows.append(row)
        lexemes += len(row.everything)
        if lexemes >= PORTION:
            yield Changes.of(rows, removed)
            rows, removed, lexemes = [], (), 0
    if rows or removed:
        yield Changes.of(rows, removed)


def write_changes(connection: Connection, name: str, changes: Changes) -> None:
    """Write changes to the index in a schema."""
    # Whoever has lost the lock with its connection, and does not know, waits here.
    connection.execute(text(f"SELECT FROM {name}.state FOR UPDATE"))
    before = _sums(connection, name, changes.ids)
    _add_counts(connection, name, changes)
    for table in ("texts", "titles"):
        connection.execute(text(f"DELETE FROM {name}.{table} WHERE article_id = ANY(:ids)"), {"ids": changes.ids})
    add_text = text(f"INSERT INTO {name}.texts VALUES ({_PLACES})")
    add_title = text(f"INSERT INTO {name}.titles VALUES (:article_id, :title, CAST(:names AS tsvector))")
    for row in changes.rows:
        connection.execute(add_text, row)
        connection.execute(add_title, row)
    _add_words(connection, name, changes.words)
    after = _sums(connection, name, changes.ids)
    _add_to_state(connection, name, [now - then for now, then in zip(after, before, strict=True)])


def end_when_silent(connection: Connection, seconds: float) -> None:
    """Let PostgreSQL end the transaction, and what it holds, when so long nothing is heard of it."""
    connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{round(seconds * 1000)}ms'"))


def _values(row: Row) -> tuple[object, ...]:
    return (row.article_id, row.revision, row.lang, row.tags, *row.lengths, written(row.everything))


def _copy(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        with cursor.copy(f"COPY {name}.texts ({_COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(_values(row))
        with cursor.copy(f"COPY {name}.titles (article_id, title, names) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row.article_id, row.lengths[0], written(row.names)))


def _add_counts(connection: Connection, name: str, changes: Changes) -> None:
    """Count the lexemes of the changes, and no longer those of what is there of the same articles."""
    statement = f"""INSERT INTO {name}.lexemes AS known
        SELECT lexeme, sum(articles), sum(bodies), sum(titles) FROM (
            SELECT unnest({tables.SPLIT.format(":lexemes")}) AS lexeme, unnest(CAST(:n0 AS int[])) AS articles,
                unnest(CAST(:n1 AS int[])) AS bodies, unnest(CAST(:n2 AS int[])) AS titles
            UNION ALL
            SELECT lexeme, -1, -CAST('D' = ANY (weights) AS int), -CAST('A' = ANY (weights) AS int)
            FROM {name}.texts, unnest(everything) WHERE article_id = ANY(:ids)
        ) AS both_of_them GROUP BY lexeme
        HAVING sum(articles) <> 0 OR sum(bodies) <> 0 OR sum(titles) <> 0
        ON CONFLICT (lexeme) DO UPDATE SET articles = known.articles + excluded.articles,
            bodies = known.bodies + excluded.bodies, titles = known.titles + excluded.titles"""
    connection.execute(text(statement), changes.counts | {"ids": changes.ids})


def _note_words(words: dict[str, bool], rows: Iterable[Row]) -> None:
    """Note the words of articles, and whether they stand in titles."""
    for row in rows:
        words.update(dict.fromkeys(row.words - words.keys(), False))
        words.update(dict.fromkeys(row.title_words, True))


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
    """Let the connection wait for locks for a moment, and others for what it has locked no longer."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_MS}ms'"))
    end_when_silent(connection, SILENCE_S)


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
