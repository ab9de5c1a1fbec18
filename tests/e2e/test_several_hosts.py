"""Three hosts on one database: each with its own data folder, index and workers."""

import os
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count

import httpx2 as httpx
import pytest
from sqlalchemy import text

from app.search.index import SearchIndex
from app.services import indexing
from app.services.limits import WANTED_CHECK, RateLimits
from app.storage.database import Database
from tests.e2e.conftest import run, start, stop, told
from tests.servers import post, put
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

FOUND_WITHIN_S = 2.0
STALE_FOR_S = 1.0
ROUNDS = 5  # of changes: who learns of them too late learns of some in time all the same, by what it writes itself
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
    # What was saved on one host is found on another at once, and without a search its index knows it in two seconds.
    slug = site.save("red", "How hot is oolong?", "Ninety degrees.")
    saved_at = time.monotonic()
    assert site.found("green", "oolong") == [slug]
    blue = SearchIndex(site.hosts["blue"].data / "index")
    database = Database(site.url)
    assert eventually(lambda: indexing.differing(database, blue) == (set(), set()))
    assert time.monotonic() - saved_at < FOUND_WITHIN_S + 1  # and a second for a busy machine

    # A host that cannot bring changes in is left out by balancers, until it has caught up.
    def ready():
        return {name: host.get("/readyz").status_code for name, host in site.hosts.items()}

    with blue.write_lock():
        site.save("red", "How hot is gyokuro?", "Sixty degrees.")
        with database.write() as session:
            session.execute(text("UPDATE index_job SET created_at = created_at - interval '2 minutes'"))
        assert eventually(lambda: ready() == {"red": 200, "green": 200, "blue": 503})
    assert eventually(lambda: set(ready().values()) == {200})
    blue.close()
    database.close()

    a_kept_page_is_shown_for_a_second_at_most(site, slug)

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

    what_people_do_holds_on_every_host(site)

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


def a_kept_page_is_shown_for_a_second_at_most(site, slug):
    page, titles = f"/questions/{slug}", count()
    others = [site.hosts[name] for name in ("red", "blue")]
    database = Database(site.url)

    def is_kept(host):
        """Say whether a page comes from memory: a title that is changed unheard is not in it."""
        title = f"Title {next(titles)}."
        with database.write() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # triggers are silent
            session.execute(text("UPDATE article SET title = :t WHERE slug = :slug"), {"t": title, "slug": slug})
        return title not in host.get(page).text

    with ExitStack() as held:
        for host in others:  # who brings a change into its index learns of it by that, too
            index = held.enter_context(closing(SearchIndex(host.data / "index")))
            held.enter_context(index.write_lock())
        for degrees in range(ROUNDS):
            assert all(eventually(lambda host=host: is_kept(host)) for host in others)
            site.change("green", slug, f"It is {degrees}0 degrees.")
            time.sleep(STALE_FOR_S)
            assert all(f"It is {degrees}0" in host.get(page).text for host in others)
            assert f"It is {degrees}0" in site.hosts["green"].get(page).text
    database.close()


def what_people_do_holds_on_every_host(site):
    red, green, blue = (site.hosts[name].url for name in ("red", "green", "blue"))
    ann = {"email": "ann@example.org", "password": "four words make one"}
    with httpx.Client(verify=False, timeout=30) as browser:  # its cookie is for all ports of a name
        # Who signs in on one is signed in on all, and what they have begun to write is there.
        assert browser.post(f"{red}/sign-in", data=ann).status_code == 303
        draft = {"title": "Half a thought", "body": "Begun.", "window": "w1", "draft": "new~w1"}
        assert browser.post(f"{green}/drafts/new", data=draft).status_code == 204
        assert "Half a thought" in browser.get(f"{blue}/drafts/new~w1").text

        # Two experiments at once would disturb each other, wherever they are.
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(browser.post, f"{red}/-/experiments", json={"mode": "blocked", "requests": 20})
            time.sleep(1)  # it stands still for two
            assert post(f"{green}/-/experiments", json={"mode": "new", "requests": 2}).status_code == 409
            assert first.result().status_code == 200

        # So does what is done too often, and signing out.
        guesses = [post(f"{url}/sign-in", data={"email": "eve@example.org", "password": "x"}).status_code
                   for url in (red, green, blue, red, green, blue, red, green, blue, red, green, blue)]  # fmt: skip
        assert guesses == [400] * 10 + [429] * 2
        assert browser.post(f"{blue}/sign-out").status_code == 303
        assert browser.get(f"{red}/account").status_code == 303

    # Of the regular work that is done once for all, each host has a turn when nobody else has.
    database = Database(site.url)
    both = [RateLimits(database, SECRET.encode()) for _ in range(2)]
    assert [limits.is_first(WANTED_CHECK, "a state of the index") for limits in both] == [True, False]
    database.close()
