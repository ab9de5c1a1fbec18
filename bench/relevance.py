"""How often the right answer is first: our two engines beside FTS5 and tantivy, per set of queries.

Run as `python bench/relevance.py [ARTICLES] [--queries N]`. Of more articles than there are documents, the others are
mixed of these: they share more with what a query asks for than other real ones would, and answer nothing.
"""

import argparse
import math
import random
import sys
from collections import defaultdict
from collections.abc import Callable

import engines
import evaluation
from evaluation import Asked
from sqlmodel import col, select

from app.models import Article, Rendering
from app.search.engine import SearchEngine
from app.search.query import MAX_LENGTH, parse

DEPTH = 400  # documents that are fetched where some do not count


def main() -> None:
    """Run the queries through all engines and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=None, help="how many documents (all of them)")
    parser.add_argument("--queries", type=int, default=None, help="so many, chosen by chance (all of them)")
    options = parser.parse_args()
    database, index = evaluation.library(options.articles)
    with database.read() as session:
        rows = session.exec(
            select(Article.id, Article.slug, Article.title, Rendering.text).join(
                Rendering, col(Rendering.digest) == col(Article.digest)
            )
        ).all()
    slugs = {number: slug for number, slug, _, _ in rows}
    documents = [(slug, title, text) for _, slug, title, text in rows]

    def by(engine: SearchEngine) -> engines.Search:
        def found(text: str, limit: int) -> list[str]:
            with engine.reading() as reader:
                matches = reader.search(parse(text[:MAX_LENGTH])).page(0, limit)
            return [slugs[match.article_id] for match in matches]

        return found

    print(f"{len(documents)} documents; building what to compare with ...", flush=True)
    compared = {
        "ours": by(index),
        "fts5 t1": engines.fts5(documents, 1),
        "fts5 t5": engines.fts5(documents, 5),
        "fts5 plain": engines.fts5_plain(documents),
        "tantivy t1": engines.tantivy_bm25(documents, 1.0),
        "tantivy t3": engines.tantivy_bm25(documents, 3.0),
    }
    asked = list(evaluation.queries())
    if options.queries:
        asked = random.Random(1).sample(asked, options.queries)
    table = {name: _scores(search, asked, name) for name, search in compared.items()}
    with evaluation.on_postgresql(database, options.articles) as (postgresql, _):
        table["postgresql"] = _scores(by(postgresql), asked, "postgresql")
    _print(table)


def _scores(search: Callable[[str, int], list[str]], asked: list[Asked], name: str) -> dict[str, list[float]]:
    """Return, by group, the number of queries and the means of R@1, MRR@10, nDCG@10 and S@5."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * 5)
    for number, query in enumerate(asked):
        found = search(query.text, DEPTH if query.excluded else 10)
        top = [document for document in found if document not in query.excluded][:10]
        gains = [query.relevant.get(document, 0) for document in top]
        ideal = sorted(query.relevant.values(), reverse=True)[:10]
        first = next((place for place, gain in enumerate(gains) if gain), None)
        values = (
            1.0,
            float(first == 0),
            0.0 if first is None else 1 / (first + 1),
            _dcg(gains) / (_dcg(ideal) or 1),
            float(first is not None and first < 5),
        )
        sums[query.group] = [total + value for total, value in zip(sums[query.group], values, strict=True)]
        if number % 500 == 0:
            print(f"  {name}: {number} of {len(asked)}", file=sys.stderr, flush=True)
    return {group: [total[0], *(value / total[0] for value in total[1:])] for group, total in sums.items()}


def _dcg(gains: list[int]) -> float:
    return math.fsum((2**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains))


def _print(table: dict[str, dict[str, list[float]]]) -> None:
    ours = table["ours"]
    others = [name for name in table if name != "ours"]
    for groups in table.values():
        groups["all"] = _mean(list(groups.values()))
    print(f"\n{'':24}    n |   R@1   MRR  nDCG   S@5 | MRR of {'  '.join(others)}")
    for group in sorted(ours, key=lambda name: (name == "all", name)):
        number, *values = ours[group]
        beside = "  ".join(f"{table[name][group][2]:{len(name)}.3f}" for name in others)
        print(f"{group:24} {number:4.0f} | {' '.join(f'{value:5.3f}' for value in values)} |        {beside}")


def _mean(groups: list[list[float]]) -> list[float]:
    total = sum(number for number, *_ in groups)
    return [total, *(sum(each[0] * each[place] for each in groups) / total for place in range(1, 5))]


if __name__ == "__main__":
    main()
