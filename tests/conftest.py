"""Fixtures: a library of a few small articles, in a folder of its own."""

import copy
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.config import Settings
from app.search.engine import SearchEngine
from app.services import indexing, limits
from app.services.engines import search_engine
from app.services.syncing import sync
from app.storage import schema
from app.storage.database import Database
from tests.databases import Cluster, cluster

pytest_plugins = ["tests.engines"]

SHARED_DATA = Path(__file__).parent.parent.parent / "shared" / "data"

ARTICLES = {
    "fastapi/workers-zh.md": """---
title: FastAPI 设置 workers 后，任务按什么策略分给 worker？
lang: zh
tags: [fastapi, deployment]
aliases: [old-workers]
date: 2026-01-02
resources:
  - url: https://uvicorn.dev/deployment/
    title: Deployment
    description: Uvicorn with several processes.
more:
  - url: https://docs.python.org/3/library/asyncio.html
    title: asyncio
    description: The event loop.
---

没有谁分配任务：内核让各个进程竞争新的连接。策略不是轮询。

## 共享的监听套接字

父进程绑定端口，子进程在同一个套接字上接受连接。

## 测量

```python
import asyncio
```

## 结论

一条连接始终属于接受它的进程。
""",
    "fastapi/workers-en.md": """---
title: How are requests distributed to workers?
lang: en
tags: [fastapi, deployment]
translation_of: workers-zh
date: 2026-01-03
related: [background-tasks]
---

Nobody distributes them. The kernel wakes the processes and one of them accepts the connection.
""",
    "fastapi/background-tasks.md": """---
title: How do background tasks run in FastAPI?
lang: en
tags: [fastapi]
date: 2026-01-01
---

After the response was sent, in the same worker process. A task that must survive belongs in a queue.
""",
    "hanzi/traditional.md": """---
title: 臺灣的圖書館如何整理軟體文件
lang: zh-Hant
tags: [writing]
date: 2026-01-04
---

圖書館員依照主題整理文件，讀者可以搜尋。燈光要足夠。
""",
    "cooking/bread.md": """---
title: Why does bread need salt?
lang: en
tags: [cooking]
date: 2025-12-31
---

Salt slows the yeast down and gives the crumb its structure. Bakers weigh it: two per cent of the flour.
""",
}


@dataclass
class Library:
    """An installation with its stores open."""

    settings: Settings
    database: Database
    index: SearchEngine

    @property
    def content(self) -> Path:
        return self.settings.content_dir

    def write(self, path: str, text: str) -> Path:
        target = self.content / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        return target

    def sync(self):
        return sync(self.database, self.index, self.content)


@pytest.fixture(autouse=True)
def limits_begin_with_the_test(monkeypatch):
    """Let the periods of limits begin now: one that ends while a test counts lets more through."""
    begun: dict[str, int] = {}

    def start(limit):
        moment = int(time.time())  # by a clock that the test may have set
        return moment - (moment - begun.setdefault("at", moment)) % limit.period_s

    monkeypatch.setattr(limits, "_start", start)


@dataclass(frozen=True)
class Site:
    """A folder and, on PostgreSQL, the name of a database."""

    folder: Path
    database: str = ""


@pytest.fixture(scope="session")
def database_server() -> Iterator[Cluster]:
    """A PostgreSQL server."""
    with TemporaryDirectory() as folder, cluster(Path(folder)) as running:  # a socket's path must be short
        yield running


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Cluster | None:
    """The server on which libraries are; None for SQLite in their folders."""
    if request.param == "sqlite":
        return None
    server = copy.copy(request.getfixturevalue("database_server"))
    server.searches = request.param == "postgresql-search"
    return server


@contextmanager
def opened(site: Site | Path, postgresql: Cluster | None = None) -> Iterator[Library]:
    """Open an installation; one that is only a folder is on SQLite."""
    site = Site(site) if isinstance(site, Path) else site
    settings = Settings(
        data_dir=site.folder / "var",
        content_dir=site.folder / "content",
        database_url=postgresql.url(site.database) if postgresql else None,
        search_engine="postgresql" if postgresql and postgresql.searches else "whoosh",
    )
    database = Database.of(settings)
    index = search_engine(settings)
    yield Library(settings, database, index)
    index.close()
    database.close()


@contextmanager
def copied(site: Site, folder: Path, postgresql: Cluster | None) -> Iterator[Site]:
    shutil.copytree(site.folder, folder, dirs_exist_ok=True)
    made = Site(folder, postgresql.create(site.database) if postgresql else "")
    yield made
    if postgresql:
        postgresql.drop(made.database)


@pytest.fixture(scope="session")
def empty_site(postgresql: Cluster | None, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A migrated installation without articles, made once and copied for each test."""
    site = Site(tmp_path_factory.mktemp("empty"), postgresql.create() if postgresql else "")
    with opened(site, postgresql) as made:
        made.settings.prepare_data_dir()
        made.content.mkdir()
        schema.migrate(made.database)
        indexing.ensure(made.database, made.index)
    return site


@pytest.fixture(scope="session")
def seeded_site(
    empty_site: Site, postgresql: Cluster | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The same with the articles above."""
    with copied(empty_site, tmp_path_factory.mktemp("site") / "copy", postgresql) as site:
        with opened(site, postgresql) as made:
            for path, text in ARTICLES.items():
                made.write(path, text)
            report = made.sync()
            assert report.created == len(ARTICLES), report.problems
        yield site


@pytest.fixture
def empty_library(empty_site: Site, postgresql: Cluster | None, tmp_path: Path) -> Iterator[Library]:
    with copied(empty_site, tmp_path, postgresql) as site, opened(site, postgresql) as made:
        yield made


@pytest.fixture
def library(seeded_site: Site, postgresql: Cluster | None, tmp_path: Path) -> Iterator[Library]:
    with copied(seeded_site, tmp_path, postgresql) as site, opened(site, postgresql) as made:
        yield made


@pytest.fixture(scope="module")
def common_library(
    seeded_site: Site, postgresql: Cluster | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Library]:
    """The same for all tests of a file."""
    folder = tmp_path_factory.mktemp("common") / "copy"
    with copied(seeded_site, folder, postgresql) as site, opened(site, postgresql) as made:
        yield made


@pytest.fixture
def little_space():
    """No file may become larger than a few bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data are not beside this checkout")
    return SHARED_DATA
