"""The faults, in the order in which they are tried. Each returns when the site is to be well again."""

import os
import random
import shutil
import signal
import sqlite3
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from tests.soak.installation import Installation
from tests.soak.ledger import Ledger
from tests.soak.traffic import Traffic

KB = 2**10
DAY_S = 24 * 3600


class Skipped(Exception):
    """This fault cannot be made here; the message says why."""


@dataclass
class Run:
    """What every fault gets."""

    site: Installation
    ledger: Ledger
    rng: random.Random
    seconds: float  # how long each lasts
    lock_s: float  # how long the database stays locked

    def traffic(self, *, drops: bool = False) -> Traffic:
        """Return people who write and read as long as the block lasts."""
        return Traffic(self.site, self.ledger, str(self.rng.random()), drops=drops)


def nothing(run: Run) -> None:
    """No fault at all: the writers find the site well."""
    with run.traffic():
        time.sleep(run.seconds)


def workers_killed(run: Run) -> None:
    """A worker is killed, any of them, about once a second."""
    with run.traffic(drops=True):
        _until(run, lambda: _kill_one(run), every=(0.6, 1.2))
    run.site.wait_for_workers()


def everything_killed(run: Run) -> None:
    """All processes are killed at once while people write, and the server is started again."""
    with run.traffic(drops=True):
        time.sleep(run.seconds / 2)
        run.site.kill()
        run.ledger.count("kills")
    run.site.start()
    with run.traffic():
        time.sleep(run.seconds / 2)


def disk_full(run: Run) -> None:
    """The disk has now this, now that little space left while people save, send images, search, and back up."""
    disk = _own_disk(run)
    backup = run.site.disk.folder / "full.tar.gz"
    with run.traffic(drops=True):  # one worker is killed, to see its successor start on a full disk
        try:
            levels = [0, 8 * KB, 64 * KB, 256 * KB, run.rng.randrange(2000) * KB, 0]
            for left in levels:
                disk.fill(left)
                time.sleep(run.seconds / len(levels))
                disk.empty()
                time.sleep(0.1)
            disk.fill(0)
            _kill_one(run)
            _refused(run, run.site.command("backup", str(backup)), "space")
            time.sleep(run.seconds / 4)
        finally:
            disk.empty()
    run.site.wait_for_workers()
    left_behind = [path.name for path in disk.folder.iterdir() if path.name.startswith(".")]
    if left_behind or backup.exists():
        run.ledger.violated(f"a backup that failed leaves {left_behind}")


def started_on_full_disk(run: Run) -> None:
    """The server is killed, the disk is full, and somebody starts it: it serves, or says plainly why not."""
    disk = _own_disk(run)
    run.site.kill()
    disk.fill(0)
    try:
        run.site.start()
        with run.traffic():
            time.sleep(run.seconds / 2)
    except AssertionError as error:
        if "Traceback" in str(error) or "space" not in str(error):
            run.ledger.violated(f"a start on a full disk: {error}")
        run.site.kill()
    finally:
        disk.empty()
    if run.site.server is None:
        run.site.start()


def read_only(run: Run) -> None:
    """The disk becomes read-only: for what is opened from now on, and then altogether."""
    disk = _own_disk(run)
    with run.traffic(drops=True):
        disk.cover()
        try:
            time.sleep(run.seconds / 2)
        finally:
            disk.uncover()
    run.site.stop()
    disk.freeze()
    try:
        _refused(run, run.site.command("serve", "--port", str(run.site.port)), "cannot be written to")
        _refused(run, run.site.command("check"), "PROBLEM")
    finally:
        disk.thaw()
    run.site.start()


def database_locked(run: Run) -> None:
    """Another program holds the database's write lock for long, and another one keeps everybody out."""
    for lock in ("IMMEDIATE", "EXCLUSIVE"):
        with run.traffic():
            with closing(sqlite3.connect(run.site.data / "omniracle.db", isolation_level=None, timeout=30)) as other:
                other.execute(f"BEGIN {lock}")
                time.sleep(run.lock_s)
                other.execute("ROLLBACK")
            time.sleep(0.5)


def index_deleted(run: Run) -> None:
    """Somebody deletes the folder of the index."""
    with run.traffic():
        time.sleep(run.seconds / 4)
        shutil.rmtree(run.site.settings.index_dir, ignore_errors=True)
        time.sleep(run.seconds)


def index_truncated(run: Run) -> None:
    """Files of the index end at random places; a mapped file that ends early ends the worker that reads it."""
    with run.traffic(drops=True):
        _until(run, lambda: _truncate_one(run), every=(0.5, 1.5))
    run.site.wait_for_workers()


def pages_harmed(run: Run) -> None:
    """The file of shared pages is cut off, deleted, or cannot be made any more, all while workers use it."""
    folder = run.site.settings.pages_dir
    with run.traffic(drops=True):
        for _ in range(3):
            time.sleep(run.seconds / 4)
            for file in [*folder.glob("*.db"), *folder.glob("*-wal")]:
                os.truncate(file, run.rng.randrange(file.stat().st_size + 1))
                run.ledger.count("files truncated")
            _kill_one(run)  # its successor opens what is there now
        run.site.wait_for_workers()  # until then they look into the folder
        shutil.rmtree(folder)
        folder.write_text("no folder")
        time.sleep(run.seconds / 4)
        _kill_one(run)
        time.sleep(run.seconds / 4)
    run.site.wait_for_workers()
    folder.unlink()


def clock_set_back(run: Run) -> None:
    """The clock goes back by three days under the running server, and comes right again."""
    with run.traffic():
        _set_clock(run, -3 * DAY_S)
        time.sleep(run.seconds / 2)
        run.site.set_clock(0)
        time.sleep(run.seconds / 2)


def started_in_the_past(run: Run) -> None:
    """The server is started while the clock is three days back, and the clock comes right again."""
    _set_clock(run, -3 * DAY_S)
    run.site.stop()
    run.site.start()
    with run.traffic():
        time.sleep(run.seconds / 2)
        run.site.set_clock(0)
        time.sleep(run.seconds / 2)


def yesterdays_database(run: Run) -> None:
    """The database of a backup is copied over that of today, by hand; the index is of today."""
    backup = run.site.disk.folder.parent / "yesterday.tar.gz"
    if (done := run.site.command("backup", "--force", str(backup))).returncode:
        run.ledger.violated(f"backup: {done.stderr}")
    acknowledged = run.ledger.remembered()
    with run.traffic():
        time.sleep(run.seconds / 2)
    run.site.stop()
    database = run.site.data / "omniracle.db"
    for ending in ("", "-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)
    with tarfile.open(backup) as archive:
        member = archive.extractfile("omniracle.db")
        assert member is not None
        database.write_bytes(member.read())
    since = run.ledger.go_back(acknowledged)
    said = run.site.command("check")
    is_another = any(
        (len(question.revisions), question.is_deleted) != (len(former.revisions), former.is_deleted)
        for slug, question in since.items()
        if (former := run.ledger.questions.get(slug)) is not None
    )
    if is_another and not any(each in said.stdout for each in ("out of date", "does not have")):
        run.ledger.violated(f"`omniracle check` does not see an index of another day:\n{said.stdout}")
    run.site.start()


FAULTS: list[Callable[[Run], None]] = [
    nothing,
    workers_killed,
    everything_killed,
    disk_full,
    started_on_full_disk,
    read_only,
    database_locked,
    index_deleted,
    index_truncated,
    pages_harmed,
    clock_set_back,
    started_in_the_past,
    yesterdays_database,
]
# What starts the server once more takes longest.
BRIEF = [fault for fault in FAULTS if fault not in (nothing, started_on_full_disk, started_in_the_past)]


def _set_clock(run: Run, shift_s: int) -> None:
    if not run.site.can_set_clock:
        raise Skipped("there is no compiler (cc) to give the server a clock of its own")
    run.site.set_clock(shift_s)


def _until(run: Run, act: Callable[[], None], every: tuple[float, float]) -> None:
    end = time.monotonic() + run.seconds
    while time.monotonic() < end:
        time.sleep(run.rng.uniform(*every))
        act()


def _kill_one(run: Run) -> None:
    if workers := run.site.workers():
        os.kill(run.rng.choice(workers), signal.SIGKILL)
        run.ledger.count("kills")


def _truncate_one(run: Run) -> None:
    files = [path for path in run.site.settings.index_dir.rglob("*") if path.is_file() and path.stat().st_size]
    if files:
        file = run.rng.choice(sorted(files))
        os.truncate(file, run.rng.randrange(file.stat().st_size))
        run.ledger.count("files truncated")


def _own_disk(run: Run):
    if not run.site.disk.is_own:
        raise Skipped("a small disk can only be mounted by root, and where containers may")
    return run.site.disk


def _refused(run: Run, done, *words: str) -> None:
    said = done.stdout + done.stderr
    if done.returncode == 0 or "Traceback" in said or not all(word in said for word in words):
        run.ledger.violated(f"{done.args[3:]} ended with {done.returncode}: {said[-1500:]}")
