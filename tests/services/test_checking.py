"""`omniracle check` finds what is really wrong."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.models import Image, Role, SecondFactor
from app.models.columns import now
from app.services import accounts, backup, second_factor
from app.services.checking import check_all
from app.services.health import State, worst
from app.services.image_store import image_store
from app.workers.table import WorkerTable
from tests.services.backups import add_image


def messages(library, *, reads_images=False, **settings):
    changed = library.settings.model_copy(update={"base_url": "https://answers.example.org", **settings})
    library.index.close()
    return [
        (check.state, check.message % check.params)
        for check in check_all(changed, library.database, library.index, reads_images=reads_images)
    ]


def problems(library, **options):
    return [message for state, message in messages(library, **options) if state == State.PROBLEM]


@pytest.mark.sqlite
def test_a_new_installation_has_no_problem(library):
    found = messages(library)
    assert problems(library) == []
    assert {message for state, message in found if state == State.WARNING} == {
        "There has been no backup yet: run `omniracle backup FILE`.",
        "There is no administrator: open the link printed at the start, or run `omniracle user add`.",
        "No worker is running: start the server with `omniracle serve`.",
    }
    accounts.sign_up(library.database, email="a@example.org", name="A", password=None, role=Role.ADMIN)
    assert (State.OK, "Administrators: 1") in messages(library)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"forwarded_allow_ips": "*"}, "trusts everyone"),
        ({"base_url": "http://answers.example.org"}, "starts with http://"),
        ({"base_url": None}, "is not set"),
    ],
)
def test_settings_that_are_not_safe(library, settings, expected):
    assert any(expected in message for state, message in messages(library, **settings) if state != State.OK)


def test_a_damaged_index(library):
    victim = next(library.settings.index_dir.rglob("*.pst"))
    victim.write_bytes(victim.read_bytes()[:20])
    assert "missing or damaged" in problems(library)[0]


def test_an_index_of_another_day(library):
    with library.database.write() as session:
        session.execute(text("UPDATE article SET deleted_at = '2026-01-01 00:00:00' WHERE slug = 'bread'"))
    assert "(missing: 0, left over: 1)" in problems(library)[0]


def test_an_index_of_another_revision(library):
    with library.database.write() as session:
        session.execute(text("UPDATE article SET revision = 0 WHERE slug = 'bread'"))
    assert "(missing: 1, left over: 0)" in problems(library)[0]


def test_an_image_that_is_missing(library):
    name = f"{'a' * 32}-1x1.png"
    with library.database.write() as session:
        session.add(Image(name=name, media_type="image/png", bytes=1, created_at=now()))
    assert problems(library) == [
        f"Images missing: 1, for example {name}. Copy them from where they were before, or restore them from a backup."
    ]


def test_an_image_that_was_cut_off(library):
    name = f"{'a' * 32}-1x1.png"
    with library.database.write() as session:
        session.add(Image(name=name, media_type="image/png", bytes=5, created_at=now()))
    image_store(library.settings).write(name, b"12345")
    assert problems(library) == []
    image_store(library.settings).write(name, b"123")
    assert problems(library) == [f"Images cut off or changed: 1, for example {name}. Restore them from a backup."]


def test_an_image_whose_bytes_have_changed_is_seen_when_images_are_read(library):
    name = add_image(library)
    assert problems(library, reads_images=True) == []
    place = library.settings.images_dir / name[:2] / name
    place.write_bytes(bytes(place.stat().st_size))  # as after a power failure of some disks
    assert problems(library) == []
    said = f"Images cut off or changed: 1, for example {name}. Restore them from a backup."
    assert problems(library, reads_images=True) == [said]


def test_a_secret_that_others_can_read(library):
    library.settings.signing_key()
    (library.settings.data_dir / "secret.key").chmod(0o644)
    assert "chmod 600" in problems(library)[0]


def test_a_secret_that_is_none_any_more(library, caplog):
    library.settings.signing_key()
    (library.settings.data_dir / "secret.key").write_bytes(b"")
    said = "“{}” could not be checked. See the log for the reason."
    assert problems(library) == [said.format("secret"), said.format("second_factors")]
    assert "delete the file, and a new one is made" in caplog.text


def test_second_factors_that_were_set_up_with_another_secret(library):
    former = library.settings.signing_key()
    with library.database.write() as session:
        for name, key in (("a", former), ("b", former), ("c", b"n" * 48)):
            account = accounts.add(
                session, email=f"{name}@example.org", name=name, password_hash=None, role=Role.READER
            )
            session.flush()
            sealed = second_factor._box(key).encrypt(b"A" * 32).decode()
            session.add(SecondFactor(account_id=account.id, sealed=sealed, last_step=0, created_at=now()))
    said = "Accounts whose second factor does not open with the site's secret: {}, for example number {}. "
    assert problems(library)[0].startswith(said.format(1, 3))
    assert problems(library, secret_key="n" * 48)[0].startswith(said.format(2, 1))


def test_a_data_folder_that_others_can_look_into(library):
    assert library.settings.data_dir.stat().st_mode & 0o077 == 0  # as it was made
    library.settings.data_dir.chmod(0o755)
    assert any("chmod 700" in message for state, message in messages(library) if state == State.WARNING)


def test_a_damaged_database_is_told_and_nothing_else_is_tried(library):
    with library.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert problems(library) == ["“database” could not be checked. See the log for the reason."]


def test_a_database_that_takes_no_changes(library):
    if library.database.can_be_shared:
        name = library.database.engine.url.database
        with library.database.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        library.database.close()  # and opened anew
        assert "DATABASE_URL name the primary" in problems(library)[0]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("age", "state", "said"), [(0, State.OK, "Last backup: "), (8, State.WARNING, "more than 7 days old (")]
)
def test_the_last_backup(library, age, state, said):
    receipt = backup.Receipt(made_at=now() - timedelta(days=age), file="site.tar.gz", bytes=1)
    library.settings.backup_file.write_text(receipt.model_dump_json())
    (found,) = [each for each in messages(library) if "backup" in each[1]]
    assert found[0] == state
    assert f"{said}{receipt.made_at:%Y-%m-%d %H:%M} UTC" in found[1]


def test_a_missing_content_folder(library, tmp_path):
    assert "content folder does not exist" in problems(library, content_dir=tmp_path / "none")[0]


def test_the_worst_counts(library):
    assert worst([]) == State.OK
    assert worst(check_all(library.settings, library.database, library.index)) == State.WARNING


def test_where_postgresql_searches_a_worker_has_more_connections(library):
    if library.database.can_be_shared:
        few, many = (messages(library, workers=workers, search_engine="postgresql") for workers in (2, 16))
        assert (State.OK, "PostgreSQL takes all connections of 2 workers (38 of 297).") in few
        assert any(message.startswith("16 workers may open 304 connections") for _, message in many)


def test_connections_are_those_of_the_workers_that_run(library):
    """Whatever the settings say: `serve --workers` may have started others."""
    table = WorkerTable(library.settings.workers_file, ())
    table.claim()
    found = messages(library, workers=40)
    table.release()
    if library.database.can_be_shared:
        assert (State.OK, "PostgreSQL takes all connections of 1 workers (13 of 297).") in found


def test_more_connections_than_the_database_takes(library):
    few, many = messages(library, workers=2), messages(library, workers=40)
    if library.database.can_be_shared:
        assert (State.OK, "PostgreSQL takes all connections of 2 workers (26 of 297).") in few
        said = "40 workers may open 520 connections, and PostgreSQL takes 297: raise its max_connections"
        assert [state for state, message in many if message.startswith(said)] == [State.WARNING]
    else:
        assert not [message for _, message in (*few, *many) if "PostgreSQL" in message]
