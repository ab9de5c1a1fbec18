"""Connections to each kind of database, and how a transaction begins there.

On both, one write transaction follows the other: what it reads cannot be changed by another one before it commits. On
PostgreSQL an advisory lock does what SQLite's write lock does; reads wait for nobody on either.
"""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text

from app.errors import OperatorError

POOL_SIZE = 12  # connections of a worker; the web layer runs this many threads
CONNECTIONS = POOL_SIZE + 1  # of a worker on PostgreSQL: one more is told of changes
BUSY_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 30
STANDSTILL_S = 20  # in which a writer does nothing: then PostgreSQL ends its transaction, and others get their turn

# Whoever is cut off from PostgreSQL without a word is told so by the kernel after these seconds, on each connection:
# else requests would wait for a quarter of an hour instead of being refused.
OF_POSTGRESQL: dict[str, Any] = {
    "application_name": "omniracle",
    "client_encoding": "utf8",  # else the driver gives bytes where the database has no encoding
    "connect_timeout": 5,
    "tcp_user_timeout": 5_000,  # milliseconds; for what was sent
    "keepalives_idle": 5,  # for what is waited for
    "keepalives_interval": 2,
    "keepalives_count": 3,
}

WRITE_LOCK = 0x6F6D6E69  # any number that others who use the same database are unlikely to have chosen

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an acknowledged save survives a power failure
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
)


def is_sqlite(url: str) -> bool:
    """Say whether the address is that of a SQLite database."""
    return make_url(url).get_backend_name() == "sqlite"


def engine_of(url: str, pool_size: int = POOL_SIZE) -> Engine:
    """Return an engine for `url`; raise OperatorError where its driver is not installed."""
    return _sqlite(url, pool_size) if is_sqlite(url) else _postgresql(url, pool_size)


def options_of_reads(engine: Engine) -> dict[str, Any]:
    """Return the options of a connection whose statements all see one state of the database."""
    if engine.dialect.name == "sqlite":  # there a transaction is no other
        return {}
    return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


def keeps_sessions(engine: Engine) -> bool:
    """Say whether each connection to PostgreSQL has a session for itself, which no pooler gives to another one.

    One that does so hands out first what was given back last: here, to the second connection.
    """
    session = text("SELECT pg_backend_pid()")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as first:
        own = first.scalar(session)
        with engine.connect() as second:
            second.scalar(session)  # and keeps it, until its transaction ends
            return bool(first.scalar(session) == own)


def _sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(url, pool_size=pool_size, connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling begins too late; `_begin_sqlite` does it instead.
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    patience_of_writer = _patience_of_writer(connection)
    patience_s = BUSY_TIMEOUT_S if patience_of_writer is None else patience_of_writer
    if connection.info.get("patience_s", BUSY_TIMEOUT_S) != patience_s:  # of whoever had this connection before
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(patience_s * 1000)}")
        connection.info["patience_s"] = patience_s
    # A writer takes the lock at once: a transaction that reads first and writes later could not wait for it.
    connection.exec_driver_sql("BEGIN" if patience_of_writer is None else "BEGIN IMMEDIATE")


def _postgresql(url: str, pool_size: int) -> Engine:
    timeouts = {
        "statement_timeout": STATEMENT_TIMEOUT_S,
        "idle_in_transaction_session_timeout": 2 * STATEMENT_TIMEOUT_S,
        "tcp_keepalives_idle": 15,  # a host that was cut off is noticed about a minute later
        "tcp_keepalives_interval": 5,
    }
    options = " ".join(f"-c {name}={seconds}s" for name, seconds in timeouts.items())
    # Whoever finds a connection dead, after a restart of the server, takes another one before it begins.
    try:
        engine = create_engine(
            _of_primary(make_url(url)),
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={**OF_POSTGRESQL, "options": options},
        )
    except ImportError as error:
        raise OperatorError("This database needs a driver: run `.venv/bin/pip install 'psycopg[binary]'`.") from error
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _of_primary(url: URL) -> URL:
    """Let the driver choose, of several servers, the one that takes changes.

    Else a worker would stay with a replica that it has reached while the primary was away, and show what is behind.
    """
    servers = url.query.get("host") or url.host or ""
    if isinstance(servers, str) and "," not in servers:
        return url
    return url.set(query={"target_session_attrs": "read-write", **url.query})


def _begin_postgresql(connection: Connection) -> None:
    if "postgresql_readonly" not in connection.get_execution_options():
        # As the server is set. SQLAlchemy asks for READ WRITE once somebody has only read by a connection: a replica
        # answers that with the code of what it cannot do at all, and a server that is set to be read-only obeys it.
        driver: Any = connection.connection.driver_connection
        driver.read_only = None
    patience_s = _patience_of_writer(connection)
    if patience_s is None:
        return
    limits = {
        "lock_timeout": max(1, round(patience_s * 1000)),
        "idle_in_transaction_session_timeout": STANDSTILL_S * 1000,
    }
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in limits.items())
    connection.exec_driver_sql(f"SELECT {settings}")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def _patience_of_writer(connection: Connection) -> float | None:
    """Return for how long a write transaction waits for its turn, in seconds; None for one that only reads."""
    patience_s: float | None = connection.get_execution_options().get("omniracle_patience_s")
    return patience_s
