"""How fast pages are sent, beside the ceilings of the same server in the same run.

Run as `python bench/pages.py [ARTICLES]`; it needs wrk (and takes nginx along where there is one): Debian's packages.
Every figure is a ratio to a raw ASGI application that sends as many bytes, measured in turns with it: requests a
second depend on the machine and on what else it does, ratios much less. Two workers, sixteen connections; latencies
with one connection and with 64 too. Of a large library, 5,000 questions chosen at random are asked for.
"""

import argparse
import json
import os
import random
import signal
import statistics
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import evaluation
from servers import ceiling, fetch, product, serving, static_server
from wrk import CONNECTIONS, GZIP, Load, require, run

from app.services import questions
from app.services.relating import RelatedQuestions
from app.storage import articles, similar
from app.storage.database import Database

ROUNDS = 5
DISTINCT_QUERIES = 300
MOST_ASKED = 20_000  # questions; what all are like takes hours to work out where there are more
CHOSEN = 5_000  # of more
KEPT_AT_ONCE = 500
TOLD_AFTER_S = 3


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", type=int, nargs="?", default=None, help="how many documents (all of them)")
    options = parser.parse_args()
    require()
    data, slugs, queries = library(options.articles)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        places = {"OMNIRACLE_DATA_DIR": str(data), "OMNIRACLE_CONTENT_DIR": str(folder)}
        site = stack.enter_context(serving(folder / "site", product(), **places))
        hot = f"/questions/{slugs[0]}"
        size = len(fetch(site + hot, GZIP)[1])
        raw = stack.enter_context(serving(folder / "raw", ceiling("raw"), BODY_BYTES=str(size)))
        route = stack.enter_context(serving(folder / "route", ceiling("framework"), BODY_BYTES=str(size)))
        ceilings = [Load("FastAPI route with constant bytes", route + "/")]
        nginx = stack.enter_context(static_server(folder, size))
        if nginx:
            ceilings.append(Load("nginx with a file of the same size", nginx + "/"))
        # Each worker has its own, for its number is on the page; a browser asks the one that its page came from.
        etags = ", ".join(sorted({fetch(site + hot, GZIP)[0]["etag"] for _ in range(100)}))
        loads = [
            *ceilings,
            Load("question, hot", site + hot),
            Load("question, hot, 304", site + hot, headers=(*GZIP.items(), ("If-None-Match", etags))),
            Load("home", site + "/"),
            Load("list of questions, page 50", site + "/questions?page=50"),
            Load("search, repeated", site + f"/search?q={queries[0]}"),
            Load("search, 300 queries", site, [f"/search?q={query}" for query in queries[:DISTINCT_QUERIES]]),
            # Kept pages outlive a run: what is made anew has an address that was never asked for.
            Load("search, made anew", site, [f"/search?q={query}&n=" for query in queries], is_numbered=True),
            Load("suggestions", site, [f"/api/v1/suggest?q={query}" for query in queries[:DISTINCT_QUERIES]]),
            Load("question, made anew", site, [f"/questions/{slug}?n=" for slug in slugs], is_numbered=True),
        ]
        print(f"{options.articles or len(slugs)} articles, {len(slugs)} of them asked for; "
              f"a question page of {size} bytes compressed; raw ASGI application = 1.00")  # fmt: skip
        for load in loads:
            report(folder, Load("raw", raw + "/"), load)
        paths = [f"/questions/{slug}" for slug in slugs]
        ask_once(site, paths)
        cold = Load("question, in no worker's memory", site, paths)
        report(folder, Load("raw", raw + "/"), cold, partial(renew_workers, site))
        print("Latencies in ms, p50 and p99, of 1, 16 and 64 connections")
        for load in (Load("raw", raw + "/"), *loads[len(ceilings) :], cold):
            measured = [run(folder, load, connections) for connections in (1, 16, 64)]
            print(
                f"  {load.name:36} " + "   ".join(f"{each.p50:7.2f} {each.p99:7.2f}" for each in measured), flush=True
            )


def report(folder: Path, raw: Load, load: Load, prepare: Callable[[], None] | None = None) -> None:
    """Measure one load in turns with the raw application, and print the median of the ratios."""
    ratios, runs = [], []
    for _ in range(ROUNDS):
        if prepare:
            prepare()
        base, ours = run(folder, raw), run(folder, load)
        ratios.append(ours.per_second / base.per_second)
        runs.append(ours)
    middle = sorted(runs, key=lambda each: each.per_second)[ROUNDS // 2]
    failed = sum(each.failed for each in runs)
    print(
        f"  {load.name:36} {statistics.median(ratios):6.3f}  [{min(ratios):.3f} to {max(ratios):.3f}]"
        f"  {middle.per_second:8.0f}/s  p50 {middle.p50:7.2f} ms  p99 {middle.p99:7.2f} ms"
        + (f"  FAILED {failed}" if failed else ""),
        flush=True,
    )


def ask_once(site: str, paths: Sequence[str]) -> None:
    """Let each page be made once, and wait until the workers have told each other."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(lambda path: fetch(site + path, GZIP), paths):
            pass
    time.sleep(TOLD_AFTER_S)


def renew_workers(site: str) -> None:
    """Let others take the place of the workers, with nothing in memory; what workers share stays."""
    former = _pids(site)
    for pid in former:
        os.kill(pid, signal.SIGTERM)
    while former & (pids := _pids(site)) or len(pids) < len(former):
        time.sleep(0.1)


def _pids(site: str) -> set[int]:
    with suppress(OSError):
        return {worker["pid"] for worker in json.loads(fetch(f"{site}/-/workers.json", {})[1])["workers"]}
    return set()


def library(size: int | None) -> tuple[Path, list[str], list[str]]:
    """Return the data folder of a library of this size, slugs of it and what people have asked of it."""
    database, index = evaluation.library(size)
    chance = random.Random(1)
    with database.read() as session:
        slugs = [address.slug for address in articles.addresses(session, offset=0, limit=1_000_000)]
    slugs = chance.sample(slugs, len(slugs) if len(slugs) <= MOST_ASKED else CHOSEN)
    related = RelatedQuestions(database, index)
    if len(slugs) == CHOSEN:
        know(database, related, slugs)
    else:
        while _is_waiting(database):  # what the regular work of the workers would do within an hour or so
            related.tend()
    database.close()
    index.close()
    queries = [urllib.parse.quote(asked.text) for asked in evaluation.queries()]
    return Path(index.folder).parent, slugs, chance.sample(queries, len(queries))


def know(database: Database, related: RelatedQuestions, slugs: Sequence[str]) -> None:
    """Work out what these questions are like, as when a reader asks for each, and keep it."""
    for start in range(0, len(slugs), KEPT_AT_ONCE):
        with database.read() as session:
            for slug in slugs[start : start + KEPT_AT_ONCE]:
                questions.of(session, articles.find(session, slug), related)
        related.tend()


def _is_waiting(database: Database) -> bool:
    with database.read() as session:
        return bool(similar.unknown(session, 1))


if __name__ == "__main__":
    main()
