"""Commands on a server that runs: replace its workers, and see which of them gets a request."""

import json
import os
import signal
import socket
import threading
import time
from typing import Annotated

import typer

from app.choices import ExperimentMode
from app.cli.help import examples
from app.cli.stores import open_stores
from app.config import Settings
from app.environment import load_settings
from app.errors import OperatorError
from app.workers.processes import start_ticks
from app.workers.reading import Totals, Worker, read_file, read_rows, read_totals

WAIT_S = 300
ASK_EVERY_S = 0.01
ANSWER_S = 15.0

commands = typer.Typer()


@commands.command(epilog=examples("omniracle reload"))
def reload() -> None:
    """Replace all workers so that nobody notices.

    They are replaced one after the other while this command asks the site all the time, and it prints a receipt. The
    exit status is 1 if a request failed meanwhile. Use it after an update.
    """
    from app.services.engines import search_engine

    settings = load_settings()
    running = _server(settings)
    if running is None:
        raise OperatorError(f"No server of `omniracle serve` runs on {settings.data_dir}: start one.")
    parent, host, port = running
    old, before = _table(settings)
    index = search_engine(settings)
    generation = index.generation()
    asker = _Asker(_reachable(host), port)
    started = time.monotonic()
    asker.start()
    outcome = _outcome(settings)
    os.kill(parent, signal.SIGUSR1)
    new = _wait_for_others(settings, old, outcome)
    asker.stop()
    _, after = _table(settings)
    seconds = time.monotonic() - started
    typer.echo(f"Replaced {len(old)} workers in {seconds:.1f} s.")
    typer.echo(f"  before        {_pids(old)}")
    typer.echo(f"  after         {_pids(new)}")
    errors = _server_errors(after) - _server_errors(before)
    typer.echo(f"  meanwhile     {after.requests - before.requests} requests, {errors} answered with an error (5xx)")
    typer.echo(f"                {asker.asked} new connections of this command, {asker.failed} failed")
    typer.echo(f"  search index  generation {generation} before, {index.generation()} after")
    if errors or asker.failed:
        raise typer.Exit(1)


@commands.command(
    epilog=examples("omniracle probe", "omniracle probe --mode keep-alive --requests 50 --concurrency 4"),
)
def probe(
    *,
    mode: Annotated[
        ExperimentMode, typer.Option(help="New connections, kept ones, or new with one worker blocked.")
    ] = ExperimentMode.NEW,
    requests: Annotated[int, typer.Option(min=1, max=400, metavar="N", help="How many requests.")] = 200,
    concurrency: Annotated[int, typer.Option(min=1, max=16, metavar="N", help="How many at the same time.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Ask the site and show which worker answers.

    The requests go to the server that runs on this data folder. What the figures mean: docs/workers.md.
    """
    from app.services import experimenting
    from app.workers.probing import ProbeKeys

    with open_stores() as (settings, database, _index):
        workers, _ = _table(settings)
        keys = ProbeKeys(settings.signing_key())
        request = experimenting.Request(mode, requests, concurrency)
        _, host, port = _server(settings) or (0, settings.host, settings.port)
        experiment = experimenting.run(database, keys, request, workers, _reachable(host), port)
    sentence = experimenting.conclusion(experiment)
    text = sentence.message % sentence.params
    if as_json:
        typer.echo(json.dumps(experimenting.described(experiment) | {"conclusion": text}))
        return
    longest = max((number for _, number in experiment.counts), default=0) or 1
    for pid, number in experiment.counts:
        typer.echo(f"  {pid:>8} {number:>5}  {'█' * round(40 * number / longest)}")
    typer.echo(f"  coefficient of variation {experiment.cv:.2f}, chi-square p {experiment.chi_square_p:.2g}, "
               f"round-robin agreement {experiment.lag_agreement:.2f} (perfect turns: 1.00)")  # fmt: skip
    typer.echo(text)


class _Asker(threading.Thread):
    """Asks the site over one new connection after the other, as readers do who come meanwhile."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(daemon=True)
        self._address = (host, port)
        self._has_to_stop = threading.Event()
        self.asked = 0
        self.failed = 0

    def run(self) -> None:
        """Ask until `stop` is called."""
        while not self._has_to_stop.wait(ASK_EVERY_S):
            self.asked += 1
            self.failed += not self._is_answered()

    def stop(self) -> None:
        """Ask no more."""
        self._has_to_stop.set()
        self.join()

    def _is_answered(self) -> bool:
        try:
            with socket.create_connection(self._address, ANSWER_S) as connection:
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return connection.recv(100).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


def _server(settings: Settings) -> tuple[int, str, int] | None:
    """Return the process of `omniracle serve` and where it listens; None when it does not run here."""
    try:
        pid, ticks, host, port = settings.pid_file.read_text().split()
    except (OSError, ValueError):
        return None
    return (int(pid), host, int(port)) if start_ticks(int(pid)) == int(ticks) else None


def _table(settings: Settings) -> tuple[list[Worker], Totals]:
    file = read_file(settings.workers_file)
    if file is None or not (workers := read_rows(file)):
        raise OperatorError(f"No worker is running on {settings.data_dir}: start the server with `omniracle serve`.")
    return workers, read_totals(file)


def _outcome(settings: Settings) -> str:
    """Return what the server has written about its last reload; empty before the first."""
    try:
        return settings.pid_file.with_suffix(".reload").read_text()
    except FileNotFoundError:
        return ""


def _wait_for_others(settings: Settings, old: list[Worker], before: str) -> list[Worker]:
    """Return the workers once all were replaced; raise OperatorError when that does not come to pass."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        time.sleep(0.1)
        if (outcome := _outcome(settings)) != before:
            if not outcome.endswith("replaced\n"):
                break
            former = {worker.pid for worker in old}
            return [worker for worker in _table(settings)[0] if worker.pid not in former]
        if _server(settings) is None:
            break
    raise OperatorError("The workers were not all replaced: a new one did not come up. The server's log says why.")


def _reachable(host: str) -> str:
    """Return where this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  no binding, a comparison


def _server_errors(totals: Totals) -> int:
    return sum(route.statuses[4] for route in totals.routes)


def _pids(workers: list[Worker]) -> str:
    return " ".join(str(worker.pid) for worker in sorted(workers, key=lambda worker: worker.pid))
