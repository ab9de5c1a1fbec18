"""The site under test as several hosts: each with its own data folder and its own wire to the one database."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from app.config import Settings
from app.models import Role
from app.services import indexing
from app.services.engines import search_engine
from app.storage import schema
from app.storage.database import Database
from tests.databases import Cluster
from tests.e2e.conftest import PROJECT
from tests.servers import documented_nginx, free_port, proxying
from tests.soak.installation import Answer, Person, ask, enrolled
from tests.soak.wire import Wire

WORKERS = 2
START_WITHIN_S = 120
PEOPLE = 100  # each may contribute 60 times an hour
HISTORIES = """
SELECT slug, (SELECT count(*) FROM revision WHERE article_id = article.id), deleted_at IS NOT NULL FROM article
"""
SECRET = "a secret that all hosts share, of some length"


@dataclass
class Question:
    """A question, by the words that its text was made of one after the other."""

    slug: str
    words: list[str] = field(default_factory=list)  # acknowledged
    doubts: list[str] = field(default_factory=list)  # sent since, and not acknowledged
    times: list[float] = field(default_factory=list)  # when each was acknowledged
    is_deleted: bool = False
    turned_at: float = 0.0  # when its deletion, or that it was brought back, was acknowledged
    is_turning: bool = False  # whether one of the two was asked for since, and not acknowledged

    @property
    def newest(self) -> list[str]:
        """The words of which its text may be made now."""
        return [self.words[-1], *self.doubts]


class Host:
    """One host; `well_since` is when it began to be up and in touch with the database, infinite while it is not."""

    def __init__(self, name: str, folder: Path, cluster: Cluster, database: str, engine: str) -> None:
        self.name = name
        self.engine = engine
        self.folder = folder
        self.data = folder / "var"
        (folder / "content").mkdir(parents=True)
        self.port = free_port()
        self.log = folder / "server.log"
        self.wire = Wire(cluster)
        self._url = self.wire.url(database)
        self._server: subprocess.Popen[bytes] | None = None
        self.well_since = float("inf")

    def start(self) -> None:
        """Start it; returns when it is ready."""
        environ = {
            "OMNIRACLE_DATA_DIR": str(self.data),
            "OMNIRACLE_CONTENT_DIR": str(self.folder / "content"),
            "OMNIRACLE_SECRET_KEY": SECRET,
            "DATABASE_URL": self._url,
            "OMNIRACLE_SEARCH_ENGINE": self.engine,
        }
        command = [sys.executable, "-m", "app", "serve", "--port", str(self.port), "--workers", str(WORKERS)]
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if self._server is None or self._server.poll() is not None:  # it ends when the database is away
                with self.log.open("ab") as log:
                    self._server = subprocess.Popen(
                        command, cwd=PROJECT, env=os.environ | environ, stdout=log, stderr=log, start_new_session=True
                    )
            with suppress(OSError):
                if self.ask("GET", "/readyz").status == 200:
                    self.well_since = time.monotonic()
                    return
            time.sleep(0.2)
        raise AssertionError(f"{self.name} does not start:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """Kill all of it at once."""
        self.well_since = float("inf")
        if self._server is not None:
            self.signal(signal.SIGKILL)
            self._server.wait()
            self._server = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, number)

    def empty(self) -> None:
        """Take away everything that it had, while it is killed."""
        shutil.rmtree(self.data)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask this host; raise OSError when it does not answer."""
        return ask(self.port, method, path, body, headers)


@contextmanager
def balancer(folder: Path, hosts: list[Host]) -> Iterator[int]:
    """Run nginx before the hosts as docs/deploy says; yield its port."""
    port = free_port()
    with proxying(documented_nginx(folder, port, [host.port for host in hosts]), port, folder):
        yield port


def people_of(url: str) -> list[Person]:
    """Make the schema and the people: reviewers first, then as many who propose."""
    database = Database(url)
    schema.migrate(database)
    people = enrolled(database, [Role.ADMIN] * (PEOPLE // 2) + [Role.CONTRIBUTOR] * (PEOPLE // 2))
    database.close()
    return people


def losses(questions: list[Question], hosts: list[Host], url: str) -> Iterator[str]:
    """Yield what some host does not show, or its index does not know, of what was acknowledged."""
    database = Database(url)
    with database.read() as session:
        rows = session.connection().execute(text(HISTORIES))
        histories = {slug: (kept, is_deleted) for slug, kept, is_deleted in rows}
    for question in questions:
        if not question.words:
            continue
        kept, is_deleted = histories.get(question.slug, (0, True))
        if kept < len(question.words):
            yield f"{question.slug} has lost revisions"
        if is_deleted != question.is_deleted and not question.is_turning:
            yield f"{question.slug} is {'' if is_deleted else 'not '}deleted, and ought to be the contrary"
        for host in hosts:
            answer = host.ask("GET", f"/questions/{question.slug}.md")
            if is_deleted and answer.status != 410:
                yield f"{host.name} answers {answer.status} for {question.slug}, which is deleted"
            if not is_deleted and not any(word in answer.body.decode() for word in question.newest):
                yield f"{host.name} has lost {question.slug}"
    for host in hosts:
        index = search_engine(Settings(data_dir=host.data, database_url=url, search_engine=host.engine))
        if (differing := indexing.differing(database, index)) != (set(), set()):
            yield f"the index of {host.name} is not equal to the database: {differing}"
        index.close()
    database.close()
