"""The site under test: its folders, its people, and the real server over them."""

import ctypes
import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Lock

from app.config import Settings
from app.models import Role, Scope
from app.search.index import SearchIndex
from app.services import accounts, indexing
from app.services.checking import check_all
from app.services.health import State
from app.storage import schema
from app.storage.database import Database
from tests.e2e.conftest import PROJECT
from tests.servers import free_port
from tests.soak.disk import Disk
from tests.waiting import eventually

WORKERS = 4
START_WITHIN_S = 60
ANSWER_WITHIN_S = 45  # a save waits for ten seconds for each lock that it needs
CLOCK_SOURCE = Path(__file__).with_name("clock.c")


@dataclass(frozen=True)
class Person:
    """An account, by its token and by a session; each may contribute 60 times an hour."""

    account: int
    token: str
    session: str


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Installation:
    """One site; `server` runs while it is started."""

    def __init__(self, disk: Disk, people: int) -> None:
        self.disk = disk
        self.data = disk.folder / "var"
        self.port = free_port()
        self.log = disk.folder.parent / "server.log"
        self.server: subprocess.Popen[bytes] | None = None
        self.settings = Settings(data_dir=self.data, content_dir=disk.folder.parent / "content")
        self.settings.content_dir.mkdir()
        self._clock = disk.folder.parent / "clock"
        self._clock.write_bytes(bytes(8))
        self._shim = _compiled(disk.folder.parent)
        self._people = self._enrolled(people)
        self._turn = Lock()
        self._next = cycle(range(people))
        self.usual_troubles: set[str] = set()  # that `omniracle check` names though nothing has happened

    @property
    def can_set_clock(self) -> bool:
        """Whether the server's clock is ours to set."""
        return self._shim is not None

    def set_clock(self, shift_s: int) -> None:
        """Set the server's clock so many seconds from the real one."""
        with self._clock.open("r+b") as file:
            file.write(ctypes.c_int64(shift_s))

    def person(self) -> Person:
        """Return the person whose turn it is."""
        with self._turn:
            return self._people[next(self._next)]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ours to its end."""
        command = [sys.executable, "-m", "app", *arguments]
        return subprocess.run(command, cwd=PROJECT, env=self._environ(), capture_output=True, text=True, timeout=120)

    def troubles(self) -> set[str]:
        """Return what `omniracle check` would name, but for the space on the disk: it is small on purpose."""
        database, index = Database.of(self.settings), SearchIndex(self.settings.index_dir)
        try:
            found = check_all(self.settings, database, index, reads_images=True)
        finally:
            index.close()
            database.close()
        bad = [check for check in found if check.state != State.OK and "GB are free" not in check.message]
        return {check.message % check.params if check.params else check.message for check in bad}

    def start(self) -> None:
        """Start the server; returns when all workers answer."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "app", "serve", "--port", str(self.port), "--workers", str(WORKERS)]
            self.server = subprocess.Popen(
                command, cwd=PROJECT, env=self._environ(), stdout=log, stderr=log, start_new_session=True
            )
        self.wait_for_workers()

    def wait_for_workers(self) -> None:
        """Wait until all workers answer."""

        def answer() -> bool:
            assert self.server is not None
            assert self.server.poll() is None, f"the server ended:\n{self.log.read_text()[-3000:]}"
            try:
                return len(self.workers()) == WORKERS and self.ask("GET", "/readyz").status == 200
            except OSError:
                return False

        assert eventually(answer, START_WITHIN_S), f"not all workers answer:\n{self.log.read_text()[-3000:]}"

    def workers(self) -> list[int]:
        """Return the processes that serve: the children of the server's own."""
        assert self.server is not None
        try:
            children = Path(f"/proc/{self.server.pid}/task/{self.server.pid}/children").read_text()
        except FileNotFoundError:
            return []
        return [int(pid) for pid in children.split()]

    def stop(self) -> None:
        """Stop the server as an operator would."""
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            assert self.server.wait(40) == 0, self.log.read_text()[-3000:]
            self.server = None

    def kill(self) -> None:
        """Kill everything at once, as a power failure would end it."""
        if self.server is not None:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()
            self.server = None

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask on a connection of its own, so that any worker may answer; raise OSError when none does."""
        return ask(self.port, method, path, body, headers)

    def _environ(self) -> dict[str, str]:
        ours = {
            "OMNIRACLE_DATA_DIR": str(self.data),
            "OMNIRACLE_CONTENT_DIR": str(self.settings.content_dir),
            "OMNIRACLE_ACCESS_LOG": str(self.data / "access.log"),
            "SOAK_CLOCK": str(self._clock),
        }
        return os.environ | ours | ({"LD_PRELOAD": str(self._shim)} if self._shim else {})

    def _enrolled(self, number: int) -> list[Person]:
        self.settings.prepare_data_dir()
        database = Database.of(self.settings)
        schema.migrate(database)
        indexing.ensure(database, SearchIndex(self.settings.index_dir))
        people = enrolled(database, [Role.ADMIN] * number)
        database.close()
        return people


def enrolled(database: Database, roles: Sequence[Role]) -> list[Person]:
    """Return new people, one for each role."""
    people = []
    for number, role in enumerate(roles):
        email = f"p{number}@example.org"
        account = accounts.sign_up(database, email=email, name=f"P {number}", password=None, role=role)
        token = accounts.create_token(database, account, "soak", Scope.WRITE, account)
        people.append(Person(accounts.id_of(account), token, accounts.open_session(database, account, "soak")))
    return people


def ask(
    port: int, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask on a connection of its own; raise OSError when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request(method, path, body, {"Connection": "close", **(headers or {})})
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def traceback_in(log: str) -> str | None:
    """Return the first traceback of a log with what comes around it; None where there is none."""
    at = log.find("Traceback")
    return None if at < 0 else log[max(0, at - 200) :][:4000]


def _compiled(folder: Path) -> Path | None:
    """Return the library that gives a program a clock of its own; None where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    made = folder / "clock.so"
    done = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, CLOCK_SOURCE, "-ldl"], capture_output=True)
    return made if done.returncode == 0 else None
