"""uvicorn's supervisor, whose workers are forked from a parent that has imported the site already.

A worker then serves within a fraction of a second, where a new interpreter needs two seconds of processor time to
import the same, and all workers share the memory of what was imported. Nothing is open at that moment: the application
opens its stores when a worker starts. On reload the code on disk may be another one, so from then on workers are
started as new interpreters.
"""

import gc
import multiprocessing
import signal
from typing import Any

from uvicorn import _subprocess
from uvicorn.importer import import_from_string
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import SIGNALS


class Supervisor(Multiprocess):
    """Starts, watches and replaces the workers; `run` returns when the server is to stop."""

    def run(self) -> None:
        """Import the site, start the workers, and watch them."""
        import_from_string(self.config.app)  # what the workers would import
        gc.collect()
        gc.freeze()  # so that the collector does not touch, and so copy, what the workers share
        _subprocess.spawn = _Forking()  # type: ignore[assignment]
        super().run()

    def handle_hup(self) -> None:
        """Replace all workers by ones with the code that is on the disk now."""
        _subprocess.spawn = multiprocessing.get_context("spawn")
        super().handle_hup()


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
