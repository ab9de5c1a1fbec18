"""The database that tests use: SQLite, or with `pytest --postgresql` one on a private PostgreSQL server."""

import contextlib
import os
import pwd
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

USER = "omniracle"


class Cluster:
    """A PostgreSQL server of its own, reached by a socket in its folder alone."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.searches = False  # whether libraries search by it
        self._programs = programs

    def start(self) -> None:
        """Make the cluster where there is none yet, and start it."""
        if not (self.folder / "data").exists():
            self._run("initdb", "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        # What a test commits has to outlive the test, not the machine.
        settings = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=300"
        self._run("pg_ctl", "-o", settings, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `fast` cuts connections, `immediate` is a crash."""
        self._run("pg_ctl", "-m", how, "-w", "stop")

    def url(self, name: str) -> str:
        """Return the address of one of its databases."""
        return f"postgresql+psycopg://{USER}@/{name}?host={self.folder}"

    def create(self, template: str = "template1", options: str = "") -> str:
        """Make a database, a copy of `template`; return its name."""
        name = f"t{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} {options}")
        return name

    def create_once(self, name: str) -> None:
        """Make a database of this name unless there is one."""
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            self._execute(f"CREATE DATABASE {name}")

    def drop(self, name: str) -> None:
        """Drop a database, whoever uses it."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user=USER, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        as_owner = {"user": "postgres", "group": "postgres", "extra_groups": ()} if os.getuid() == 0 else {}
        command = [str(self._programs / program), "-D", str(self.folder / "data"), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, timeout=60, **as_owner)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Run a cluster in `folder`; skip where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    programs = found[-1] if found else Path(shutil.which("initdb") or "/nowhere/initdb").parent
    if not (programs / "initdb").exists():
        pytest.skip("PostgreSQL is not installed: on Debian, apt install postgresql")
    if os.getuid() == 0:  # it refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    made = Cluster(folder, programs)
    made.start()
    try:
        yield made
    finally:
        made.stop("immediate")
