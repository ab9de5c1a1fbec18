"""What a worker has loaded that was asked for nothing yet: each module costs every start time and memory."""

import os
import subprocess
import sys

import pytest

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
def loaded(common_library):
    """The modules that a worker has."""
    common_library.write("workers.md", "---\ntitle: 'Écouter: 任務 of workers'\n---\n\nAn *answer*.\n")
    common_library.sync()
    settings = common_library.settings
    places = {"OMNIRACLE_DATA_DIR": str(settings.data_dir), "OMNIRACLE_CONTENT_DIR": str(settings.content_dir)}
    return subprocess.check_output([sys.executable, "-c", WORKER], text=True, env=os.environ | places).split()


@pytest.mark.sqlite
@pytest.mark.parametrize("module", FOR_FEW)
def test_a_worker_that_was_asked_for_nothing_has_not_loaded(loaded, module):
    assert "app.web.application" in loaded
    assert module not in loaded
