"""Connections to PostgreSQL end by themselves where the way to it is cut without a word."""

from contextlib import closing

from app.storage.database import Database


def test_no_request_waits_for_an_answer_that_cannot_come(database_server):
    with closing(Database(database_server.url("postgres"))) as database, database.read() as session:
        driver = session.connection().connection.driver_connection
        told = driver.info.get_parameters()
    assert int(told["tcp_user_timeout"]) <= 5_000
    seconds = int(told["keepalives_idle"]) + int(told["keepalives_interval"]) * int(told["keepalives_count"])
    assert seconds <= 15
