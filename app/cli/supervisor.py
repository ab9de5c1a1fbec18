"""uvicorn's supervisor, whose workers are forked from a parent that has imported the site already.

A worker then serves within a fraction of a second, where a new interpreter needs two seconds of processor time to
import the same, and all workers share the memory of what was imported. Nothing is open at that moment: the application
opens its stores when a worker starts. On reload the code on disk may be another one, so from then on workers are
started as new interpreters.

Where uvicorn's own waits for one worker, or ends because one cannot start, this one goes on caring for the others.
"""

import logging
import multiprocessing
import os
import secrets
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import Any

from uvicorn import Config, _subprocess
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import SIGNALS, Process

from app.storage.shared_pages import RUN_VARIABLE
from app.workers.processes import end_with_parent

log = logging.getLogger(__name__)

HUNG_AFTER_S = 15.0  # without an answer to a ping; a thread answers it, so a busy event loop is no reason
READY_WITHIN_S = 60.0
# What workers would import when they start or answer for the first time.
LATER = ("anyio._backends._asyncio", "starlette_compress._brotli", "starlette_compress._gzip")
FIRST_DELAY_S, LONGEST_DELAY_S = 0.5, 30.0  # between attempts when workers cannot start


def load_site(config: Config, templates_dir: Path) -> None:
    """Import the site and load what all workers need, so that they share it; nothing is opened."""
    config.load()
    config.get_loop_factory()
    for module in LATER:
        import_module(module)
    from app.services import searching
    from app.web.loading import load_pages

    load_pages(templates_dir)
    searching.load()


class Worker(Process):
    """One worker as its parent sees it; pings go out and come back without anybody waiting for them."""

    def __init__(self, config: Config, sockets: list[socket]) -> None:
        super().__init__(config, sockets)
        self.has_served = False
        self._asked_at: float | None = None

    def target(self, sockets: list[socket] | None = None) -> None:
        """Serve, in the new process."""
        end_with_parent()
        super().target(sockets)

    def is_hung(self) -> bool:
        """Ask whether the worker answers, and return True when it has not for too long; never waits."""
        now = time.monotonic()
        try:
            if self._asked_at is None:
                self.parent_conn.send(b"ping")
                self._asked_at = now
            elif self.parent_conn.poll(0):
                self.has_served |= bool(self.parent_conn.recv())
                self._asked_at = None
        except (OSError, EOFError):
            return False  # it ends, and is seen to
        return self._asked_at is not None and now - self._asked_at > HUNG_AFTER_S


class Supervisor(Multiprocess):
    """Starts, watches and replaces the workers; `run` returns when the server is to stop.

    After each reload `outcomes` tells its number and whether all workers were replaced.
    """

    processes: list[Worker]  # type: ignore[assignment]

    def __init__(self, config: Config, sockets: list[socket], outcomes: Path) -> None:
        super().__init__(config, sockets)
        self._outcomes = outcomes
        self.has_failed = False
        self._reloads = 0
        self._has_served = False
        self._delay_s = FIRST_DELAY_S
        self._next_attempt = 0.0

    def run(self) -> None:
        """Start the workers, and watch them; `load_site` comes first."""
        _subprocess.spawn = _Forking()  # type: ignore[assignment]
        super().run()

    def init_processes(self) -> None:
        """Start all workers."""
        self.processes = [self._started() for _ in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        """Replace workers that have ended or do not answer any more."""
        for place, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if worker.process.is_alive():
                if worker.is_hung():
                    log.error("worker %s does not answer and is ended", worker.pid)
                    worker.kill()
                    worker.join()
                else:
                    self._has_served |= worker.has_served
                    continue
            self._replace(place, worker)

    def handle_hup(self) -> None:
        """Reload; or stop, when the terminal in which the server was started is closed."""
        if sys.stdin is not None and sys.stdin.isatty():
            self.should_exit.set()
        else:
            self.handle_usr1()

    def handle_usr1(self) -> None:
        """Replace all workers by ones with the code that is on the disk now."""
        before = _subprocess.spawn
        os.environ[RUN_VARIABLE] = secrets.token_hex(16)
        _subprocess.spawn = multiprocessing.get_context("spawn")
        replaced = self._replace_all()
        if not replaced:
            _subprocess.spawn = before  # what runs goes on as it was
        self._reloads += 1
        is_whole = replaced == len(self.processes)
        self._outcomes.write_text(f"{self._reloads} {'replaced' if is_whole else 'failed'}\n")

    def _replace_all(self) -> int:
        """Bring each worker's successor into service before it leaves; return how many were replaced."""
        leaving = _Leaving(self)
        for place in range(len(self.processes)):
            old, new = self.processes[place], self._started()
            if not new.wait_until_ready(READY_WITHIN_S, leaving):
                new.kill()
                new.join()
                if not leaving.is_set():
                    log.error("the new worker %s did not come up: the old ones go on", new.pid)
                return place
            self.processes[place] = new
            old.terminate()
            while old.process.is_alive() and not leaving.is_set():
                time.sleep(0.05)
            for other, worker in enumerate(self.processes):
                if not worker.process.is_alive():
                    self._replace(other, worker)
        return len(self.processes)

    def _replace(self, place: int, worker: Worker) -> None:
        """Start a worker in the place of one that has ended; one that could not start is tried again later."""
        if worker.exitcode == STARTUP_FAILURE:
            others = [other for other in self.processes if other is not worker and other.process.is_alive()]
            if not self._has_served and not others:
                log.error("no worker can start: the server stops")
                self.has_failed = True
                self.should_exit.set()
                return
            if time.monotonic() < self._next_attempt:
                return
            self._next_attempt = time.monotonic() + self._delay_s
            self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S)
            log.error("worker %s could not start; another attempt is made", worker.pid)
        else:
            self._delay_s = FIRST_DELAY_S
            if worker.exitcode:
                log.error("worker %s ended with status %s and is replaced", worker.pid, worker.exitcode)
        self.processes[place] = self._started()

    def _started(self) -> Worker:
        worker = Worker(self.config, self.sockets)
        worker.start()
        return worker


class _Leaving(threading.Event):
    """Set when the server is to stop, also while signals only queue up."""

    def __init__(self, supervisor: Supervisor) -> None:
        super().__init__()
        self._supervisor = supervisor

    def is_set(self) -> bool:
        queue = self._supervisor.signal_queue
        return self._supervisor.should_exit.is_set() or signal.SIGTERM in queue or signal.SIGINT in queue


class _Forking:
    """Stands where uvicorn looks for what makes processes."""

    def Process(self, **options: Any) -> "_Forked":  # noqa: N802  multiprocessing's name
        return _Forked(**options)


class _Forked(multiprocessing.get_context("fork").Process):  # type: ignore[misc]
    """A forked process that listens to signals as a new one does, from its first moment on."""

    def start(self) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def run(self) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        super().run()
