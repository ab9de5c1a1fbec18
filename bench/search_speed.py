"""How long a search takes at 1,000, 14,000 and 100,000 documents, beside FTS5 and tantivy over the same terms.

No result is ever kept, so every search is a whole one. "cold" empties the cache of posting lists before each query.
"""

import random
import statistics
import time
from collections.abc import Callable, Sequence

import engines
import evaluation
from sqlmodel import col, select

from app.models import Article, Rendering
from app.search import scorer
from app.search.expansion import expand
from app.search.index import SearchIndex
from app.search.query import parse
from app.search.snapshot import ListCache
from app.services.searching import search, warm
from app.services.suggesting import suggest
from app.storage.database import Database

SIZES = (1_000, 14_000, 100_000)
QUERIES = 280
NASTY = (
    "*", "e", "的", "-the", "lang:zh", "的 是 在", "\u202e\u0000", "a " * 240, "😀" * 200, "x" * 2000,
    "the of and to in is for on with " * 60, " ".join(f"w{n}" for n in range(300)), '"of the"',
    '"in the end of the"', "aaaaaaaaaaaaaaaaaaaa zzzzzzzz qqqqqqq",
)  # fmt: skip


def main() -> None:
    """Measure all sizes and print p50, p95, p99 and the greatest time in milliseconds."""
    for size in SIZES:
        database, index = evaluation.library(size)
        documents = documents_of(database)
        queries = queries_of(documents)
        _measure(f"{size:,}", database, index, queries, documents)
        database.close()


def _measure(
    label: str, database: Database, index: SearchIndex, queries: Sequence[str], documents: Sequence[engines.Document]
) -> None:
    print(f"\n{label} documents, {len(queries)} queries        p50    p95    p99    max", flush=True)
    snapshot = index.snapshot()

    def rank(text: str) -> None:
        scorer.search(snapshot, parse(text)).page(0, 10)

    def cold(text: str) -> None:
        snapshot._cache = ListCache()  # noqa: SLF001
        rank(text)

    _row("ranking, cold lists", cold, queries)
    snapshot._cache = ListCache()  # noqa: SLF001
    _row("ranking, lists as they come", rank, queries)
    _row("ranking, warm lists", rank, queries)
    parsed = {text: parse(text) for text in queries}
    plans = {text: expand(query, snapshot) for text, query in parsed.items()}
    _row("scorer alone, warm lists", lambda text: scorer.scores_of(snapshot, plans[text], snapshot.alive), queries)
    _row("whole search, warm lists", lambda text: search(database, index, text), queries)
    _row("whole search, narrowed", lambda text: search(database, index, text, lang="en"), queries)
    _row("suggest", lambda text: suggest(database, index, text), [text[: len(text) * 2 // 3] for text in queries])
    warm(index)  # as each worker does when it starts
    _row("whole search, nasty input", lambda text: search(database, index, text), NASTY)
    pasted = [text[:2000] for _, _, text in documents[:: max(1, len(documents) // 60)] if len(text) > 400]
    _row("whole search, pasted paragraphs", lambda text: search(database, index, text), pasted)
    for name, engine in (("fts5", engines.fts5(documents, 3)), ("tantivy", engines.tantivy_bm25(documents, 3.0))):
        _row(f"{name}, ids alone", lambda text, engine=engine: engine(text, 10), queries)  # type: ignore[misc]


def _row(name: str, run: Callable[[str], object], queries: Sequence[str]) -> None:
    took = []
    for text in queries:
        started = time.perf_counter()
        run(text)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    values = (statistics.median(took), *(took[min(len(took) - 1, int(len(took) * share))] for share in (0.95, 0.99)))
    print(f"{name:34}" + "".join(f"{value:7.2f}" for value in (*values, took[-1])), flush=True)


def documents_of(database: Database) -> list[engines.Document]:
    """Return the documents of a library."""
    with database.read() as session:
        statement = select(Article.slug, Article.title, Rendering.text)
        rows = session.exec(statement.join(Rendering, col(Rendering.digest) == col(Article.digest))).all()
    return [(slug, title, text) for slug, title, text in rows]


def queries_of(documents: Sequence[engines.Document]) -> list[str]:
    """Return queries as people type them, from the titles: 1 to 4 words, fragments of Chinese, both together."""
    rng = random.Random(7)
    titles = [title for _, title, _ in documents]
    latin = [title for title in titles if title.isascii() and len(title.split()) > 2]
    han = [title for title in titles if sum(character >= "\u4e00" for character in title) > 8]
    queries: list[str] = []
    while len(queries) < QUERIES:
        kind, words, text = rng.random(), rng.choice(latin).split(), rng.choice(han)
        start = rng.randrange(len(text) - 6)
        fragment = text[start : start + rng.randint(2, 6)].strip()
        if kind < 0.5:
            queries.append(" ".join(rng.sample(words, min(len(words), rng.randint(1, 4)))))
        elif kind < 0.85:
            queries.append(fragment)
        else:
            queries.append(f"{rng.choice(words)} {fragment}")
    return queries


if __name__ == "__main__":
    main()
