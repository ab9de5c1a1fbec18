"""Connections to PostgreSQL, and databases that cannot be used."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from app.errors import OperatorError
from app.storage import engines, schema
from app.storage.database import Database
from app.storage.engines import OF_POSTGRESQL
from app.storage.failures import advice_on, is_of_disk, reason_of
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


def test_a_server_that_takes_no_changes_is_told_as_one(database_server):
    """A replica, or one that is set to be like it; also to whoever has read by the same connection before."""
    name = database_server.create()
    url = database_server.url(name)
    with closing(Database(url)) as database:
        schema.migrate(database)
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with closing(Database(url)) as database:
        schema.check(database)  # what only reads goes on
        with database.read() as session:
            session.execute(text("SELECT 1"))
        with pytest.raises(OperatorError, match=r"a read-only replica.* DATABASE_URL has to name the primary"):
            schema.migrate(database)
        with pytest.raises(DBAPIError) as refused, database.write() as session:
            session.execute(text("DELETE FROM article"))
    assert refused.value.orig.sqlstate == "25006"
    assert is_of_disk(refused.value)
    assert "a read-only replica" in advice_on(refused.value)
    assert "the space there" not in advice_on(refused.value)


@pytest.mark.parametrize("servers", ["&host={0}", "&host=/nowhere&host={0}", ",{0}"])
def test_nobody_stays_with_a_replica_once_the_primary_is_back(database_server, servers):
    name = database_server.create()
    one = database_server.url(name)
    with closing(Database(one)) as database:
        schema.migrate(database)

    def set_read_only(value):
        with closing(Database(one)) as database, database.engine.begin() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ WRITE")
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")

    def change(database):
        with database.write() as session:
            session.execute(text("DELETE FROM article"))

    with closing(Database(one + servers.format(database_server.folder))) as database:
        set_read_only("on")
        with pytest.raises(DBAPIError, match="read-only"):
            change(database)
        set_read_only("off")
        change(database)


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


def test_a_writer_that_stands_still_stops_the_others_for_a_moment_only(database_server, monkeypatch):
    """A host that is frozen in the middle of a save, or cut off, holds the turn that all writers wait for."""
    monkeypatch.setattr(engines, "STANDSTILL_S", 1)
    with closing(Database(database_server.url(database_server.create()))) as database:
        with pytest.raises(DBAPIError) as raised, database.write() as frozen:
            frozen.connection().execute(text("CREATE TABLE of_the_frozen_one (id int)"))
            with database.write() as other:  # waits for its turn
                other.connection().execute(text("CREATE TABLE of_another (id int)"))
            frozen.connection().execute(text("SELECT 1"))
        assert "idle-in-transaction" in reason_of(raised.value)  # answered as a failure of the database, not of ours
        with database.write() as again:
            tables = again.connection().execute(text("SELECT tablename FROM pg_tables WHERE tablename LIKE 'of_%'"))
            assert list(tables.scalars()) == ["of_another"]
