"""Whoosh and PostgreSQL as the search engine, query by query in turns: how long, and how much of which processor.

At all 15,096 documents, and at 105,672: the same seven times, as in search_speed.py. The processor's time tells how
many searches a second a core bears, whatever else the machine does. PostgreSQL is a private server beside the library.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import evaluation
from search_speed import COPIES, OneSnapshot, documents_of, multiplied, queries_of
from sqlalchemy import Engine, text

from app.search.engine import SearchEngine
from app.search.postgresql import tables
from app.search.postgresql.tables import NAMESPACE
from app.search.query import parse

TICKS = os.sysconf("SC_CLK_TCK")
SPREAD = 100_000  # between the ids of two copies of one article


def main() -> None:
    """Measure all sizes and print milliseconds for each search."""
    database, whoosh = evaluation.library()
    documents = documents_of(database)
    queries = queries_of(documents)
    with evaluation.on_postgresql(database, evaluation.ALL) as (postgresql, engine):
        _measure(f"{len(documents):,}", whoosh, postgresql, engine, queries)
    with evaluation.on_postgresql(database, f"{evaluation.ALL}_by_{COPIES}") as (postgresql, engine):
        if postgresql.generation() == 1:
            _multiply(engine)
        many = OneSnapshot(multiplied(whoosh.snapshot(), COPIES))
        _measure(f"{len(documents) * COPIES:,}", many, postgresql, engine, queries)
    database.close()


def _measure(label: str, whoosh: SearchEngine, postgresql: SearchEngine, engine: Engine, queries: list[str]) -> None:
    with engine.connect() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        size = connection.scalar(
            text("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = to_regnamespace(:name)"),
            {"name": NAMESPACE},
        )
    print(f"\n{label} documents, {len(queries)} queries, PostgreSQL's index: {int(size) / 2**20:.0f} MB")
    print("                                   p50    p95    max | worker  database   (processor's time, mean)")
    for name, run in (("search", _search), ("suggestions", _suggest)):
        for engine_of in (whoosh, postgresql):
            run(engine_of, queries[0])
        took: dict[str, list[tuple[float, float, float]]] = {"Whoosh": [], "PostgreSQL": []}
        for query in queries:
            for kind, engine_of in (("Whoosh", whoosh), ("PostgreSQL", postgresql)):
                took[kind].append(_timed(run, engine_of, query, backend))
        for kind, values in took.items():
            walls = sorted(wall for wall, _, _ in values)
            means = [statistics.mean(column) for column in list(zip(*values, strict=True))[1:]]
            row = (statistics.median(walls), walls[int(len(walls) * 0.95)], walls[-1])
            print(f"{name + ', ' + kind:30}" + "".join(f"{each:7.1f}" for each in row), end=" | ")
            print(f"{means[0]:6.1f} {means[1]:9.1f}", flush=True)


def _timed(
    run: Callable[[SearchEngine, str], None], engine: SearchEngine, query: str, backend: int
) -> tuple[float, float, float]:
    wall, own, other = time.perf_counter(), time.process_time(), _processor_s(backend)
    run(engine, query)
    spent = (time.perf_counter() - wall, time.process_time() - own, _processor_s(backend) - other)
    return spent[0] * 1000, spent[1] * 1000, spent[2] * 1000


def _search(engine: SearchEngine, query: str) -> None:
    with engine.reading() as reader:
        found = reader.search(parse(query))
        found.page(0, 10)
        found.languages()
        found.tags()


def _suggest(engine: SearchEngine, query: str) -> None:
    with engine.reading() as reader:
        reader.suggest(parse(query[: len(query) * 2 // 3 + 1]), 8, 3)


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _multiply(engine: Engine) -> None:
    """Put copies of all articles into the index, without reading their texts again."""
    print(f"copying all articles {COPIES} times (once) ...", flush=True)
    name = f"{NAMESPACE}_copies"
    indexes, _, _ = tables.INDEXES.partition("INSERT INTO")
    with engine.begin() as connection:

        def run(statement: str) -> None:
            connection.execute(text(statement.format(name=name, live=NAMESPACE)))

        run("SET LOCAL statement_timeout = 0")
        run("SET LOCAL maintenance_work_mem = '128MB'")
        tables.create_tables(connection, name)
        for number in range(COPIES):
            shifted = f"SELECT article_id + {number * SPREAD}, "
            columns = "revision, lang, tags, title, headings, tags_text, body, everything"
            run("INSERT INTO {name}.texts " + shifted + columns + " FROM {live}.texts")
            run("INSERT INTO {name}.titles " + shifted + "title, names FROM {live}.titles")
        run(indexes)
        run("INSERT INTO {name}.words SELECT * FROM {live}.words")
        counts = ", ".join(f"{column} * {COPIES}" for column in ("articles", "bodies", "titles"))
        run("INSERT INTO {name}.lexemes SELECT lexeme, " + counts + " FROM {live}.lexemes")
        sums = ", ".join(
            f"{column} * {COPIES}" for column in ("articles", "in_cjk", "title", "headings", "tags_text", "body")
        )
        run(
            "INSERT INTO {name}.state SELECT version, identity, position, generation + 1, "
            + sums
            + " FROM {live}.state"
        )
        run("ANALYZE {name}.texts, {name}.titles, {name}.lexemes, {name}.words")
        tables.put_in_place(connection, name)


if __name__ == "__main__":
    main()
