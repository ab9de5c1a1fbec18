"""Connections to PostgreSQL, and databases that cannot be used."""

from contextlib import closing

import pytest

from app.errors import OperatorError
from app.storage import schema
from app.storage.database import Database


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
