"""Connections to PostgreSQL, and databases that cannot be used."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.errors import OperatorError
from app.storage import schema
from app.storage.database import Database
from app.storage.engines import OF_POSTGRESQL
from tests.soak.wire import Wire
from tests.waiting import eventually


def test_no_request_waits_for_an_answer_that_cannot_come(database_server):
    with closing(Database(database_server.url("postgres"))) as database, database.read() as session:
        driver = session.connection().connection.driver_connection
        told = driver.info.get_parameters()
    assert int(told["tcp_user_timeout"]) <= 5_000
    seconds = int(told["keepalives_idle"]) + int(told["keepalives_interval"]) * int(told["keepalives_count"])
    assert seconds <= 15


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_all_texts_is_refused(database_server, encoding):
    name = database_server.create("template0", f"ENCODING '{encoding}' LOCALE 'C'")
    with closing(Database(database_server.url(name))) as database, pytest.raises(OperatorError, match="UTF8"):
        schema.migrate(database)


@pytest.mark.timeout(60)
def test_a_way_on_which_everything_is_lost_without_a_word_is_given_up(database_server, monkeypatch):
    """Else requests would wait for a quarter of an hour, also those that the statement timeout would end there."""
    sooner = {"connect_timeout": 2, "tcp_user_timeout": 500, "keepalives_idle": 1, "keepalives_interval": 1}
    for name, value in sooner.items():
        monkeypatch.setitem(OF_POSTGRESQL, name, value)
    wire = Wire(database_server)
    with closing(Database(wire.url("postgres"))) as database, ThreadPoolExecutor(2) as others:

        def asked(statement):
            with database.read() as session:
                return session.connection().execute(text(statement)).scalar_one()

        waiting = others.submit(asked, "SELECT pg_sleep(50)")
        assert eventually(lambda: asked("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(50)'"))
        wire.hush()
        with pytest.raises(OperationalError):  # for what is waited for, nothing was sent
            waiting.result()
        with pytest.raises(OperationalError):  # on a connection that was open, and then on a new one
            asked("SELECT 1")
        wire.mend()
        assert asked("SELECT 1") == 1
