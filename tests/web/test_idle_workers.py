"""What a worker has loaded that was asked for nothing yet: each module costs every start time and memory."""

import os
import subprocess
import sys

import pytest

from app.config import Settings
from app.services import indexing
from app.services.engines import search_engine
from app.services.syncing import sync
from app.storage import schema
from app.storage.database import Database

WORKER = """
import sys
from uvicorn import Config
from app.cli.supervisor import load_site
from app.environment import load_settings
from app.services.searching import search
from app.web.state import State

settings = load_settings()
load_site(Config("app.main:app", loop="uvloop", http="app.workers.protocol:WorkerProtocol"), settings.templates_dir)
state = State(settings, [])
state.open()
state.tend()
assert search(state.database, state.index, "Écouter 任務 workers").page.total
state.close()
print(*sys.modules)
"""
# Who renders, checks links, talks by MCP, brings in changes or compares versions loads what that takes.
FOR_FEW = (
    "markdown",
    "pymdownx",
    "httpcore2",
    "mcp",
    "whoosh.searching",
    "numpy.ma",
    "alembic",
    "pygments.lexers",
    "psycopg",
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "content").mkdir()
    text = "---\ntitle: 'Écouter: 任務 of workers'\n---\n\nAn *answer*.\n"
    (folder / "content" / "workers.md").write_text(text, encoding="utf-8")
    settings = Settings(data_dir=folder / "var", content_dir=folder / "content")
    settings.prepare_data_dir()
    database, index = Database.of(settings), search_engine(settings)
    schema.migrate(database)
    sync(database, index, settings.content_dir)
    indexing.ensure(database, index)
    index.close()
    database.close()
    places = {"OMNIRACLE_DATA_DIR": str(settings.data_dir), "OMNIRACLE_CONTENT_DIR": str(settings.content_dir)}
    command = [sys.executable, "-c", WORKER]
    return subprocess.check_output(command, text=True, env=os.environ | places).split()


@pytest.mark.sqlite
@pytest.mark.parametrize("module", FOR_FEW)
def test_a_worker_that_was_asked_for_nothing_has_not_loaded(loaded, module):
    assert "app.web.application" in loaded
    assert module not in loaded
