"""Three hosts on one database: each with its own data folder, index and workers."""

import os
import shutil
import signal
import time

import pytest

from app.search.index import SearchIndex
from app.services import indexing
from app.storage.database import Database
from tests.e2e.conftest import run, start, stop, told
from tests.servers import put
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

FOUND_WITHIN_S = 2.0
STALE_FOR_S = 1.0
SECRET = "s" * 48


class Site:
    """Hosts by name, and a reviewer who saves on any of them."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        self.hosts = {}
        for name in ("red", "green", "blue"):
            self.start(name)
        data = self.hosts["red"].data

        def omniracle(*arguments):
            return told(*arguments, data=data, typed="four words make one\n", DATABASE_URL=url)

        omniracle("user", "add", "ann@example.org", "--role", "admin", "--password-stdin")
        self.key = {"Authorization": f"Bearer {omniracle('token', 'create', 'ann@example.org')}"}

    def start(self, name):
        settings = {"DATABASE_URL": self.url, "OMNIRACLE_SECRET_KEY": SECRET}
        self.hosts[name] = start(self.folder / name / "var", workers=1, **settings)

    def kill(self, name):
        """End a host as a power failure would."""
        host = self.hosts.pop(name)
        for pid in (host.process.pid, *host.pids()):
            os.kill(pid, signal.SIGKILL)
        host.process.wait(30)

    def save(self, name, title, text):
        sent = {"title": title, "lang": "en", "body_markdown": text}
        answer = self.hosts[name].post("/api/v1/questions", json=sent, headers=self.key)
        assert answer.status_code == 201, answer.text
        return answer.json()["slug"]

    def change(self, name, slug, text):
        address = f"{self.hosts[name].url}/api/v1/questions/{slug}"
        headers = self.key | {"If-Match": "*"}
        answer = put(address, json={"body_markdown": text}, headers=headers)
        assert answer.status_code == 200, answer.text

    def found(self, name, query, **headers):
        answer = self.hosts[name].get(f"/api/v1/search?q={query}", headers=headers)
        return [hit["slug"] for hit in answer.json()["hits"]]


@pytest.fixture
def site(database_server, tmp_path):
    for name in ("red", "green", "blue"):
        (tmp_path / name).mkdir()
    made = Site(tmp_path, database_server.url(database_server.create()))
    for host in made.hosts.values():  # those that came second and third build their indexes while they serve
        assert eventually(lambda host=host: host.get("/readyz").status_code == 200)
    yield made
    for host in made.hosts.values():
        assert stop(host) == 0


def test_three_hosts_are_one_site(site):
    # Its author finds at once what was saved on another host; everybody else within two seconds.
    slug = site.save("red", "How hot is oolong?", "Ninety degrees.")
    assert site.found("green", "oolong", **site.key) == [slug]
    saved_at = time.monotonic()
    assert eventually(lambda: site.found("blue", "oolong") == [slug])
    assert time.monotonic() - saved_at < FOUND_WITHIN_S + 1  # and a second for a busy machine

    # A page that is kept on every host is not shown for longer than a second after the change.
    page = f"/questions/{slug}"
    assert all("Ninety" in host.get(page).text for host in site.hosts.values())
    site.change("green", slug, "Eighty degrees.")
    assert "Eighty" in site.hosts["green"].get(page).text
    time.sleep(STALE_FOR_S)
    assert all("Eighty" in host.get(page).text for host in site.hosts.values())

    # Each host shows the workers of all.
    def shown(name):
        return site.hosts[name].get("/-/workers.json").json()["workers"]

    assert eventually(lambda: len(shown("red")) == 3)
    assert len({row["host"] for row in shown("blue")}) == 3
    table = site.hosts["red"].get("/-/workers").text
    assert all(str(pid) in table for host in site.hosts.values() for pid in host.pids())

    # Who runs a host with another secret is told so.
    done = run("check", data=site.folder / "red" / "var", DATABASE_URL=site.url)
    assert "OMNIRACLE_SECRET_KEY" in done.stdout
    assert done.returncode == 1

    # A host is killed, the others go on; it comes back empty and catches up.
    site.kill("blue")
    later = site.save("red", "How hot is sencha?", "Seventy degrees.")
    assert eventually(lambda: site.found("green", "sencha") == [later])
    assert eventually(lambda: any(row["state"] == "not responding" for row in shown("red")))
    shutil.rmtree(site.folder / "blue" / "var")
    site.start("blue")
    assert site.hosts["blue"].get(f"/questions/{later}").status_code == 200
    assert eventually(lambda: site.hosts["blue"].get("/readyz").status_code == 200)
    assert site.found("blue", "sencha") == [later]

    # In the end all know the same.
    database = Database(site.url)
    for host in site.hosts.values():
        index = SearchIndex(host.data / "index")
        assert eventually(lambda index=index: indexing.differing(database, index) == (set(), set()))
        index.close()
    database.close()
