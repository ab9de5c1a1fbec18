"""The program before the newest migration goes on serving while a host with this one migrates their database."""

import io
import shutil
import subprocess
import tarfile

import pytest

from app.storage import schema
from tests.e2e.conftest import PROJECT, start, stop, told
from tests.servers import put
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

MIGRATIONS = schema.MIGRATIONS_DIR / "versions"


def git(*arguments):
    if shutil.which("git") is None or not (PROJECT / ".git").exists():
        pytest.skip("this is no clone: there is no older program to try")
    done = subprocess.run(["git", *arguments], cwd=PROJECT, check=False, capture_output=True, timeout=60)
    if done.returncode != 0:
        pytest.skip(f"git does not give the older program: {done.stderr.decode().strip()}")
    return done.stdout


@pytest.fixture
def older_program(tmp_path):
    """A folder with the program as it was before the newest migration was added."""
    (newest,) = MIGRATIONS.glob(f"{schema._versions()[-1]}_*.py")
    added = git("log", "--diff-filter=A", "--format=%H %P", "--", str(newest)).decode().split()
    if len(added) < 2:  # a clone without its history, or a migration that is not committed yet
        pytest.skip("the history does not reach to the program before the newest migration")
    with tarfile.open(fileobj=io.BytesIO(git("archive", added[1]))) as archive:
        archive.extractall(tmp_path / "older", filter="data")
    return tmp_path / "older"


@pytest.fixture
def hosts(older_program, database_server, tmp_path):
    """One that runs the older program, and one that came later and has migrated their database."""
    settings = {
        "DATABASE_URL": database_server.url(database_server.create()),
        "OMNIRACLE_SECRET_KEY": "s" * 48,
        "OMNIRACLE_ADMIN_EMAIL": "ann@example.org",
        "OMNIRACLE_ADMIN_PASSWORD": "four words make one",
        "PYTHONPATH": "",  # each imports its own program, from the folder in which it is started
    }
    running = []
    for name, program in (("old", older_program), ("new", PROJECT)):
        (tmp_path / name).mkdir()
        running.append(start(tmp_path / name / "var", workers=1, program=program, **settings))
    try:
        token = told("token", "create", "ann@example.org", data=running[1].data, **settings)
        yield running, {"Authorization": f"Bearer {token}", "If-Match": "*"}
    finally:
        ended = [stop(host) for host in running]
    assert ended == [0, 0]


def test_an_older_program_serves_and_saves_beside_a_newer_schema(hosts):
    (old, new), key = hosts
    saved = {"title": "How hot is oolong?", "lang": "en", "body_markdown": "Ninety degrees."}
    answer = old.post("/api/v1/questions", json=saved, headers=key)
    assert answer.status_code == 201, answer.text
    slug = answer.json()["slug"]
    assert [hit["slug"] for hit in old.get("/api/v1/search?q=oolong").json()["hits"]] == [slug]
    answer = put(f"{new.url}/api/v1/questions/{slug}", json={"body_markdown": "Eighty degrees."}, headers=key)
    assert answer.status_code == 200, answer.text
    assert eventually(lambda: "Eighty" in old.get(f"/questions/{slug}").text)
    assert old.get("/readyz").status_code == 200
    for path in ("/", "/questions", f"/questions/{slug}/history", "/tags", "/wanted", "/sign-in", "/metrics"):
        assert [host.get(path).status_code for host in (old, new)] == [200, 200], path
    assert all(
        eventually(lambda host=host: len(host.get("/-/workers.json").json()["workers"]) == 2) for host in hosts[0]
    )
