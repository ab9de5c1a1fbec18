"""`omniracle move`, as an operator types it."""

import fcntl
from contextlib import closing

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.config import Settings
from app.errors import OperatorError
from app.services import moving
from app.services.hosts import Hosts
from app.storage import articles, schema
from app.storage.database import Database
from app.workers.table import WorkerTable


def test_the_site_is_in_the_other_database_then(library, database_server):
    url = database_server.url(database_server.create())
    environment = {"OMNIRACLE_DATA_DIR": str(library.settings.data_dir)}
    if library.settings.database_url:
        environment["DATABASE_URL"] = library.settings.database_url
    run = CliRunner(env=environment)
    done = run.invoke(app, ["move", "--to", url])
    assert done.exit_code == 0, done.output
    assert "5 articles" in done.output
    target = Database(url)
    with target.read() as session:
        assert articles.count(session) == 5
    target.close()
    refused = run.invoke(app, ["move", "--to", "mysql://x/y"])
    assert isinstance(refused.exception, OperatorError)
    assert "sqlite:///" in str(refused.exception)


def move_from(url, folder):
    run = CliRunner(env={"OMNIRACLE_DATA_DIR": str(folder / "one"), "DATABASE_URL": url})
    return run.invoke(app, ["move", "--to", f"sqlite:///{folder}/target.db"], catch_exceptions=False)


def tell_of_another(url, folder):
    another = Settings(data_dir=folder / "another", database_url=url)
    another.prepare_data_dir()
    with closing(Database(url)) as database:
        schema.migrate(database)
        Hosts(another, database).tell([], 0.0)


def test_nothing_is_moved_while_another_host_writes(database_server, tmp_path):
    url = database_server.url(database_server.create())
    tell_of_another(url, tmp_path)
    with pytest.raises(OperatorError, match="stop the servers of all hosts"):
        move_from(url, tmp_path)
    assert not (tmp_path / "target.db").exists()


def test_a_copy_is_not_trusted_when_another_host_came_meanwhile(database_server, tmp_path, monkeypatch):
    url = database_server.url(database_server.create())
    with closing(Database(url)) as database:
        schema.migrate(database)
    compare = moving._compare

    def beside_another(*arguments):
        tell_of_another(url, tmp_path)
        compare(*arguments)

    monkeypatch.setattr(moving, "_compare", beside_another)
    with pytest.raises(OperatorError, match=r"not to be trusted.*stop the servers of all hosts"):
        move_from(url, tmp_path)


@pytest.mark.sqlite
def test_nothing_is_moved_under_a_server_of_another_kind_nor_a_command(library, tmp_path):
    data_dir, target = library.settings.data_dir, tmp_path / "target.db"
    run = CliRunner(env={"OMNIRACLE_DATA_DIR": str(data_dir)})

    def refused(match):
        with pytest.raises(OperatorError, match=match):
            run.invoke(app, ["move", "--to", f"sqlite:///{target}"], catch_exceptions=False)
        assert not target.exists()

    table = WorkerTable(library.settings.workers_file)
    table.claim()  # as a worker of uvicorn does
    try:
        refused("Workers are running on")
    finally:
        table.release()
    with (data_dir / "restore.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # as `omniracle import` does
        refused("Another command")
    assert run.invoke(app, ["move", "--to", f"sqlite:///{target}"]).exit_code == 0


def test_a_command_is_of_the_host_whose_server_was_told_another_port(database_server, tmp_path):
    settings = Settings(data_dir=tmp_path, database_url=database_server.url(database_server.create()))
    settings.prepare_data_dir()
    with closing(Database.of(settings)) as database:
        schema.migrate(database)
        Hosts(settings.model_copy(update={"port": 9123}), database).tell([], 0.0)
        assert Hosts(settings, database).others() == []
