"""`omniracle move`, as an operator types it."""

from typer.testing import CliRunner

from app.cli import app
from app.errors import OperatorError
from app.storage import articles
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
