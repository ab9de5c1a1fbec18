"""Is PostgreSQL set as the site needs it? A part of `checking`."""

from collections.abc import Iterator

from sqlalchemy import text

from app.config import Settings
from app.services.engines import connections_of_worker
from app.services.health import Check, State
from app.services.hosts import Hosts
from app.storage import schema
from app.storage.database import Database
from app.storage.engines import keeps_sessions
from app.workers.reading import rows_in

MOST_CONNECTIONS = ("max_connections", "superuser_reserved_connections")


def changes(database: Database) -> Iterator[Check]:
    """Say that it takes no changes, where it takes none."""
    if not schema.takes_changes(database):
        message = (
            "The database takes no changes: it is a read-only replica, or set to be read-only. Let DATABASE_URL name "
            "the primary."
        )
        yield Check(State.PROBLEM, message)


def connections(settings: Settings, database: Database) -> Iterator[Check]:
    """Say whether all workers get their connections."""
    with database.read() as session:
        most, kept = (int(session.scalar(text(f"SHOW {name}"))) for name in MOST_CONNECTIONS)
    running = len(rows_in(settings.workers_file))  # more than the settings say where `serve` was told so
    others = Hosts(settings, database).others()
    workers = (running or settings.workers) + sum(len(host.workers) for host in others)
    needed = workers * connections_of_worker(settings)
    params: dict[str, object] = {"workers": workers, "needed": needed, "most": most - kept}
    if needed > most - kept:
        message = (
            "%(workers)s workers may open %(needed)s connections, and PostgreSQL takes %(most)s: raise its "
            "max_connections, or start fewer workers."
        )
        yield Check(State.WARNING, message, params)
    else:
        message = "PostgreSQL takes all connections of %(workers)s workers (%(needed)s of %(most)s)."
        yield Check(State.OK, message, params)


def pooler(database: Database) -> Iterator[Check]:
    """Say what a pooler before it takes away; nothing where there is none, or it takes nothing."""
    with database.read() as session:
        has_limits = session.scalar(text("SHOW statement_timeout")) != "0"
    if not keeps_sessions(database.engine):
        message = (
            "A pooler gives PostgreSQL's sessions to somebody else after each transaction: let it keep them "
            "(PgBouncer: pool_mode = session), or let DATABASE_URL name PostgreSQL itself."
        )
        yield Check(State.PROBLEM, message)
    elif not has_limits:
        message = (
            "Statements may take for ever, as a pooler leaves out the limits that are asked for: set them for the "
            "database's account, see docs/deploying.md."
        )
        yield Check(State.WARNING, message)
