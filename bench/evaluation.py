"""The evaluation library: real documents, imported by the real command, and what people asked of them."""

import fcntl
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import corpus
from sqlalchemy import Engine

from app.config import Settings
from app.search.index import SearchIndex
from app.search.postgresql.index import PostgresIndex
from app.search.postgresql.tables import VERSION
from app.search.schema import SCHEMA_VERSION
from app.services import indexing
from app.storage import schema
from app.storage.database import Database
from app.storage.engines import engine_of
from tests.databases import cluster

HOME = Path(__file__).resolve().parent.parent / "var" / "bench"
QUERY_FILES = ("known_item_queries", "qa_en_queries", "qa_zh_queries")


@dataclass(frozen=True)
class Asked:
    """One query; `relevant` are grades by document."""

    group: str  # the set, or the kind of damage
    text: str
    relevant: dict[str, int]
    excluded: frozenset[str]  # documents that do not count


def library(size: int | None = None) -> tuple[Database, SearchIndex]:
    """Return the stores of a library of the first `size` documents (None: all), imported unless they are already."""
    data = HOME / f"{size or 'all'}-{SCHEMA_VERSION}"
    HOME.mkdir(parents=True, exist_ok=True)
    with data.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # who comes while another one imports waits for it
        if not (data / "complete").exists():
            _import(data, size)
    settings = Settings(data_dir=data)
    database = Database.of(settings)
    schema.migrate(database)
    return database, SearchIndex(settings.index_dir)


def _import(data: Path, size: int | None) -> None:
    if not corpus.SHARED.is_dir():
        sys.exit("The evaluation data are not beside this checkout: nothing to measure.")
    shutil.rmtree(data, ignore_errors=True)
    tree = data / "tree"
    print(f"importing {corpus.write_tree(tree, size)} documents (once) ...", flush=True)
    environ = os.environ | {"OMNIRACLE_DATA_DIR": str(data)}
    for arguments in (["migrate"], ["import", str(tree)]):
        subprocess.run([sys.executable, "-m", "app", *arguments], env=environ, check=True)
    shutil.rmtree(tree)
    (data / "complete").touch()


@contextmanager
def on_postgresql(database: Database, size: int | None) -> Iterator[tuple[PostgresIndex, Engine]]:
    """Yield an index of a library's articles on a private PostgreSQL server, built unless it is there already."""
    folder = HOME / "postgresql"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"documents_{size or 'all'}_{VERSION.replace('.', '_')}"
    with cluster(folder) as server:
        server.create_once(name)
        engine = engine_of(server.url(name))
        index = PostgresIndex(engine)
        if not index.is_whole():
            print(f"putting the articles into PostgreSQL as {name} (once) ...", flush=True)
            indexing.rebuild(database, index)
        engine.dispose()  # from here on one connection does all
        yield index, engine
        index.close()


def queries() -> Iterator[Asked]:
    """Yield all queries of the development halves."""
    sets = {str(document["id"]): document.get("set") for document in corpus.documents()}
    of_set: dict[str, set[str]] = {}
    for document, name in sets.items():
        of_set.setdefault(str(name), set()).add(document)
    for name in QUERY_FILES:
        with gzip.open(corpus.SHARED / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                relevant = record["relevant"]
                if isinstance(relevant, list):
                    relevant = dict.fromkeys(relevant, 1)
                excluded = [of_set.get(each, set()) for each in record.get("exclude_sets") or []]
                yield Asked(
                    record.get("damage") or record["set"], record["query"], relevant, frozenset().union(*excluded)
                )
