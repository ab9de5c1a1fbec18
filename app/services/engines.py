"""Which engine searches, by the settings."""

from app.config import Settings
from app.search.engine import SearchEngine
from app.search.index import SearchIndex
from app.storage import engines
from app.storage.engines import engine_of

CONNECTIONS = 6  # of a worker to the database for searching alone; the others are in app/storage/engines.py


def search_engine(settings: Settings) -> SearchEngine:
    """Return the search engine of an installation; whoever opens it closes it."""
    if settings.search_engine == "postgresql":
        from app.search.postgresql.index import PostgresIndex

        return PostgresIndex(engine_of(settings.resolved_database_url, CONNECTIONS))
    return SearchIndex(settings.index_dir)


def connections_of_worker(settings: Settings) -> int:
    """Return how many connections to PostgreSQL a worker of an installation may open."""
    return engines.CONNECTIONS + (CONNECTIONS if settings.search_engine == "postgresql" else 0)
