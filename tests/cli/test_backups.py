"""`omniracle backup` and `omniracle restore`, as an operator types them."""

import fcntl

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.config import Settings
from app.errors import OperatorError
from app.workers.table import WorkerTable
from tests.services.backups import add_image

pytestmark = pytest.mark.sqlite


@pytest.fixture
def run(library, tmp_path, monkeypatch):
    """Run a command on the library, or on another data folder."""
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields.values():
        monkeypatch.delenv(field.alias, raising=False)
    monkeypatch.setenv("OMNIRACLE_SITE_NAME", "Our answers")

    def call(*arguments, data_dir=library.settings.data_dir):
        environment = {"OMNIRACLE_DATA_DIR": str(data_dir), "OMNIRACLE_CONTENT_DIR": str(library.content)}
        result = CliRunner(env=environment).invoke(app, list(arguments))
        if isinstance(result.exception, OperatorError):
            raise result.exception
        return result

    return call


def test_there_and_back(run, library, tmp_path):
    done = run("backup", "site.tar.gz")
    assert done.exit_code == 0
    assert done.output.startswith("Backed up to site.tar.gz: ")
    other = tmp_path / "other"
    done = run("restore", "site.tar.gz", data_dir=other)
    assert done.exit_code == 0
    assert "Restored the backup of " in done.output
    assert (other / "restored-settings.env").read_text() == (
        f"OMNIRACLE_CONTENT_DIR='{library.content}'\n"
        f"OMNIRACLE_DATA_DIR='{library.settings.data_dir}'\n"
        "OMNIRACLE_SITE_NAME='Our answers'\n"
    )
    assert "Checked 5 files" in run("lint", data_dir=other).output
    assert run("export", "copy", data_dir=other).exit_code == 0
    assert {file.read_bytes() for file in (tmp_path / "copy").rglob("*.md")} == {
        file.read_bytes() for file in library.content.rglob("*.md")
    }


def test_the_check_tells_of_the_last_backup(run):
    assert "warning  There has been no backup yet" in run("check").output
    run("backup", "site.tar.gz")
    line = next(line for line in run("check").output.splitlines() if "backup" in line)
    assert line.startswith("ok       Last backup: 20")
    assert line.endswith(" UTC (site.tar.gz)")


def test_a_damaged_image_is_named_by_the_check_and_the_backup(run, library):
    name = add_image(library)
    (library.settings.images_dir / name[:2] / name).write_bytes(bytes(9))
    done = run("check")
    assert f"PROBLEM  Images cut off or changed: 1, for example {name}" in done.output
    assert done.exit_code == 1
    done = run("backup", "site.tar.gz")
    assert f"{name}: the image is damaged on this site, and left out of the backup" in done.output
    assert done.exit_code == 1


def test_nothing_is_restored_under_a_server(run, library):
    run("backup", "site.tar.gz")
    with (library.settings.data_dir / "server.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OperatorError, match="A server is running on"):
            run("restore", "--force", "site.tar.gz")


def test_nothing_is_restored_under_workers_of_another_kind_of_server(run, library):
    run("backup", "site.tar.gz")
    table = WorkerTable(library.settings.workers_file)
    table.claim()
    try:
        with pytest.raises(OperatorError, match="Workers are running on"):
            run("restore", "--force", "site.tar.gz")
    finally:
        table.release()
    assert run("restore", "--force", "site.tar.gz").exit_code == 0


def test_nothing_is_restored_while_another_command_is_at_work_nor_the_other_way_round(run, library):
    run("backup", "site.tar.gz")
    lock = library.settings.data_dir / "restore.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # as `omniracle sync` does
        with pytest.raises(OperatorError, match="Another command"):
            run("restore", "--force", "site.tar.gz")
        assert run("sync").exit_code == 0
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # as `omniracle restore` does
        for command in (("sync",), ("reindex",), ("migrate",)):
            with pytest.raises(OperatorError, match="is being restored"):
                run(*command)
    assert run("restore", "--force", "site.tar.gz").exit_code == 0
