"""Measures one library's life: import, index, start, search. Usage: library.py [DOCUMENTS]."""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import corpus
import memory

DEFAULT_DOCUMENTS = 5000
QUERIES = (
    "fastapi workers 策略", "任务分配", "任務分配", "how are requests distributed to workers", "git rebase",
    "数据库 索引", "linux kernel module", "灯", "python asyncio gather", "如何 安装 docker", "backup and restore",
    "事务隔离级别", "powershell remove item", "内存 泄漏", "c++ template", "網路 設定",
)  # fmt: skip


def main() -> None:
    """Import a tree of real documents with the real command, then search it; print what it took."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_DOCUMENTS
    if not corpus.SHARED.is_dir():
        sys.exit("The evaluation data are not beside this checkout: nothing to measure.")
    with tempfile.TemporaryDirectory() as folder:
        tree, data = Path(folder, "tree"), Path(folder, "var")
        print(f"writing {number} documents ...", flush=True)
        written = corpus.write_tree(tree, number)
        environ = os.environ | {"OMNIRACLE_DATA_DIR": str(data)}
        _run(environ, "migrate")
        first = _run(environ, "import", str(tree))
        print(f"import of {written} documents: {first.seconds:.1f} s, {written / first.seconds:.0f} a second")
        print(f"import again, nothing changed: {_run(environ, 'import', str(tree)).seconds:.1f} s")
        print(f"reindex: {_run(environ, 'reindex').seconds:.1f} s")
        _search(data)


def _run(environ: dict[str, str], *arguments: str) -> memory.Run:
    done = memory.run([sys.executable, "-m", "app", *arguments], environ)
    if done.returncode:
        print(done.stdout[-1000:], done.stderr[-2000:])
        sys.exit(f"{arguments[0]} ended with {done.returncode}")
    print(f"{done.stdout.strip()} (all processes together: at most {done.peak_mb:.0f} MB resident)", flush=True)
    return done


def _search(data: Path) -> None:
    from app.config import Settings
    from app.search.index import SearchIndex
    from app.services.searching import search
    from app.storage.database import Database

    settings = Settings(data_dir=data)
    database, index = Database.of(settings), SearchIndex(settings.index_dir)
    search(database, index, QUERIES[0])
    took = []
    for query in QUERIES * 3:
        started = time.perf_counter()
        search(database, index, query)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    p95 = took[int(len(took) * 0.95)]
    print(f"search with snippets and facets, {len(took)} times: p50 {statistics.median(took):.1f} ms, p95 {p95:.1f} ms")
    database.close()


if __name__ == "__main__":
    main()
