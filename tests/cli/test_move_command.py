"""`omniracle move`, as an operator types it."""

from contextlib import closing

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.config import Settings
from app.errors import OperatorError
from app.services.hosts import Hosts
from app.storage import articles, schema
from app.storage.database import Database


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


def test_nothing_is_moved_while_another_host_writes(database_server, tmp_path):
    url = database_server.url(database_server.create())
    another = Settings(data_dir=tmp_path / "another", database_url=url)
    another.prepare_data_dir()
    with closing(Database(url)) as database:
        schema.migrate(database)
        Hosts(another, database).tell([])
    run = CliRunner(env={"OMNIRACLE_DATA_DIR": str(tmp_path / "one"), "DATABASE_URL": url})
    with pytest.raises(OperatorError, match="stop the servers of all hosts"):
        run.invoke(app, ["move", "--to", f"sqlite:///{tmp_path}/target.db"], catch_exceptions=False)


def test_a_command_is_of_the_host_whose_server_was_told_another_port(database_server, tmp_path):
    settings = Settings(data_dir=tmp_path, database_url=database_server.url(database_server.create()))
    settings.prepare_data_dir()
    with closing(Database.of(settings)) as database:
        schema.migrate(database)
        Hosts(settings.model_copy(update={"port": 9123}), database).tell([])
        assert Hosts(settings, database).others() == []
