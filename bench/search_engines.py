"""Whoosh and PostgreSQL as the search engine, query by query in turns: how long, and how much of which processor.

At all 15,096 documents, and at 100,000, of which the others are mixed of these. The processor's time tells how many
searches a second a core bears, whatever else the machine does. PostgreSQL is a private server beside the library.
"""

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import evaluation
from search_speed import documents_of, queries_of
from sqlalchemy import Engine, text

from app.search.engine import SearchEngine
from app.search.postgresql.tables import NAMESPACE
from app.search.query import parse

TICKS = os.sysconf("SC_CLK_TCK")
SIZES = (None, 100_000)  # articles; None: all documents


def main() -> None:
    """Measure all sizes and print milliseconds for each search."""
    for size in SIZES:
        database, whoosh = evaluation.library(size)
        documents = documents_of(database)
        queries = queries_of(documents)
        with evaluation.on_postgresql(database, size) as (postgresql, engine):
            _measure(f"{len(documents):,}", whoosh, postgresql, engine, queries)
        whoosh.close()
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


if __name__ == "__main__":
    main()
