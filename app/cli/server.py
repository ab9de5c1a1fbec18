"""Commands that start the site and prepare its database."""

import errno
import gc
import os
import signal
import socket
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.help import examples
from app.cli.stores import alone_on, using
from app.config import Settings
from app.environment import load_settings
from app.errors import OperatorError
from app.workers.processes import allow_many_files, end_with_parent, start_ticks, trim_heaps

if TYPE_CHECKING:
    from uvicorn import Config

GRACEFUL_SHUTDOWN_S = 10
BACKLOG = 2048

commands = typer.Typer()


@commands.command(
    epilog=examples("omniracle serve", "omniracle serve --host 0.0.0.0 --port 9000 --workers 4"),
)
def serve(
    host: Annotated[str | None, typer.Option(metavar="HOST", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, metavar="PORT", help="Port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, metavar="N", help="Worker processes.")] = None,
) -> None:
    """Prepare everything and serve the site.

    This migrates the database, loads the content folder, and builds the search index where it is needed. What no option
    says comes from the settings: see `omniracle settings`. Ctrl+C stops the server; what was begun is answered first.
    """
    settings = load_settings()
    chosen = {"host": host, "port": port, "workers": workers}
    settings = settings.model_copy(update={name: value for name, value in chosen.items() if value is not None})
    settings.prepare_data_dir()
    alone = alone_on(settings)
    listening = _listen(settings)
    key = _prepare_and_load(settings)
    local = f"http://{f'[{settings.host}]' if ':' in settings.host else settings.host}:{settings.port}"
    print(f"Omniracle is at {local} with {settings.workers} workers.", flush=True)
    if key:
        print(f"Create its administrator account: {settings.base_url or local}/first-admin/{key}", flush=True)
    with alone:
        _run(settings, listening)


@commands.command(epilog=examples("omniracle migrate"))
def migrate() -> None:
    """Bring the database to this version's schema.

    `omniracle serve` does so by itself; other servers need it before they start.
    """
    from app.storage import schema
    from app.storage.database import Database

    settings = load_settings()
    settings.prepare_data_dir()
    with using(settings):
        database = Database.of(settings)
        before, after = schema.migrate(database)
        database.close()
    typer.echo(
        f"The schema is already at {after}." if before == after else f"Migrated {before or 'nothing'} -> {after}."
    )


@commands.command(epilog=examples("omniracle check"))
def check() -> None:
    """Say whether this installation is healthy.

    It looks at the settings, the disk, the database, the last backup, the search index, the images and the workers, and
    says what to do where something is wrong. Images in a folder are read. The exit status is 1 if there is a problem.
    """
    from app.services.checking import check_all
    from app.services.engines import search_engine
    from app.services.health import State, worst
    from app.storage.database import Database

    settings = load_settings()
    database, index = Database.of(settings), search_engine(settings)
    try:
        found = check_all(settings, database, index, reads_images=True)
    finally:
        index.close()
        database.close()
    marks = {State.OK: "ok      ", State.WARNING: "warning ", State.PROBLEM: "PROBLEM "}
    for each in found:
        typer.echo(f"{marks[each.state]} {each.message % each.params if each.params else each.message}")
    if worst(found) == State.PROBLEM:
        raise typer.Exit(1)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        # At once, though nobody accepts yet: only a listening socket keeps a second server from this port, and whoever
        # comes while the site is prepared waits instead of being refused.
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        advice = (
            f"stop what runs there, or choose another port, for example `--port {settings.port % 65535 + 1}`"
            if error.errno in (errno.EADDRINUSE, errno.EACCES)
            else "choose an address of this machine, for example `--host 127.0.0.1`"
        )
        raise OperatorError(
            f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}): {advice}."
        ) from error
    listening.set_inheritable(True)
    return listening


def _prepare_and_load(settings: Settings) -> str | None:
    """Make everything ready in a process of its own, while this one imports the site; return what `prepare` does.

    What preparing leaves behind is then no part of the process that all workers are forked from.
    """
    gc.disable()  # nothing that is imported is garbage, and looking for it would take a fifth of the time
    from uvicorn import Config

    from app.cli.preparing import prepare
    from app.cli.supervisor import load_site

    _hand_down(settings)
    with ProcessPoolExecutor(1, get_context("fork"), initializer=_begin_apart) as apart:
        key = apart.submit(prepare, settings)
        load_site(_uvicorn_config(settings, Config), settings.templates_dir)
        try:
            found = key.result()
        except BrokenProcessPool as error:
            raise OperatorError(
                "The process that prepares the site was killed: see whether memory ran out, then start the site again."
            ) from error
    trim_heaps()
    gc.freeze()  # so that the collector does not touch, and so copy, what the workers share
    gc.enable()
    return found


def _begin_apart() -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl+C ends it at once; the parent says so
    gc.freeze()
    gc.enable()


def _run(settings: Settings, listening: socket.socket) -> None:
    from uvicorn import Config

    from app.cli.supervisor import Supervisor

    config = _uvicorn_config(settings, Config)
    outcomes = settings.pid_file.with_suffix(".reload")
    outcomes.unlink(missing_ok=True)
    settings.pid_file.write_text(f"{os.getpid()} {start_ticks(os.getpid())} {settings.host} {settings.port}\n")
    allow_many_files()
    supervisor = Supervisor(config, [listening], outcomes)
    try:
        supervisor.run()
    finally:
        settings.pid_file.unlink(missing_ok=True)
    sys.exit(1 if supervisor.has_failed else 0)


def _uvicorn_config(settings: Settings, config_type: type["Config"]) -> "Config":
    return config_type(
        "app.main:app",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",  # named, so that its absence is an error: plain asyncio costs 44 ms per kept-alive request
        http="app.workers.protocol:WorkerProtocol",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
        limit_max_requests=settings.recycle_after or None,
        limit_max_requests_jitter=settings.recycle_after // 2,
        forwarded_allow_ips=settings.forwarded_allow_ips,
    )


def _hand_down(settings: Settings) -> None:
    """Put the options of this command where the workers look for them."""
    os.environ.update(
        OMNIRACLE_HOST=settings.host, OMNIRACLE_PORT=str(settings.port), WEB_CONCURRENCY=str(settings.workers)
    )
