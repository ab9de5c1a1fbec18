"""A pooler before PostgreSQL: what `omniracle check` says of it."""

import os
import shutil
import subprocess

import psycopg
import pytest
from sqlalchemy import make_url

from app.config import Settings
from app.search.index import SearchIndex
from app.services import indexing
from app.services.checking import check_all
from app.storage import schema
from app.storage.database import Database
from tests.databases import USER
from tests.servers import free_port
from tests.waiting import eventually


@pytest.fixture
def pooled(request, database_server, tmp_path):
    """The address of a database behind PgBouncer, which works in the mode that the parameter names."""
    binary = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
    if binary is None:
        pytest.skip("PgBouncer is not installed: on Debian, apt install pgbouncer")
    name, port, settings = database_server.create(), free_port(), tmp_path / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n{name} = host={database_server.folder} user={USER}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {request.param}\n"
        "ignore_startup_parameters = options\n"
    )
    command = [binary, *(("-u", "postgres") if os.getuid() == 0 else ()), "/dev/stdin"]
    with settings.open() as given:
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = make_url(f"postgresql+psycopg://{USER}@127.0.0.1:{port}/{name}")

    def answers():
        try:
            psycopg.connect(url.set(drivername="postgresql").render_as_string()).close()
        except psycopg.OperationalError:
            return False
        return True

    assert eventually(answers)
    yield url.render_as_string()
    process.terminate()
    process.wait(30)
    database_server.drop(name)


def said_of(url, folder):
    settings = Settings(data_dir=folder / "var", content_dir=folder, database_url=url)
    settings.prepare_data_dir()
    database, index = Database(url), SearchIndex(settings.index_dir)
    schema.migrate(database)
    indexing.ensure(database, index)
    found = [check.message for check in check_all(settings, database, index)]
    index.close()
    database.close()
    return "\n".join(found)


@pytest.mark.parametrize(
    ("pooled", "is_said", "is_not"),
    [("transaction", "pool_mode", "take for ever"), ("session", "take for ever", "pool_mode")],
    indirect=["pooled"],
)
def test_a_pooler_is_told_how_it_has_to_be(pooled, tmp_path, is_said, is_not):
    said = said_of(pooled, tmp_path)
    assert is_said in said
    assert is_not not in said


def test_without_one_nothing_is_said(database_server, tmp_path):
    said = said_of(database_server.url(database_server.create()), tmp_path)
    assert "pool_mode" not in said
    assert "take for ever" not in said
