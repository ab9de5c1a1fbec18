"""No worker sends a page that is older than the last acknowledged change, whoever is killed meanwhile."""

import os
import random
import signal
import time

import httpx2 as httpx
import pytest

from tests.e2e.conftest import WORKERS, start, stop
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

CHANGES = 20  # fewer than one person may make in an hour
ADMIN = {"OMNIRACLE_ADMIN_EMAIL": "admin@example.org", "OMNIRACLE_ADMIN_PASSWORD": "only for this one test"}


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def site(request, tmp_path):
    if request.param == "PostgreSQL":
        cluster = request.getfixturevalue("database_server")
        server = start(tmp_path / "var", **ADMIN, DATABASE_URL=cluster.url(cluster.create()))
    else:
        server = start(request.getfixturevalue("data"), **ADMIN)
    yield server
    stop(server)


def readers(server):
    """One kept connection to each worker, by its process."""
    found: dict[int, httpx.Client] = {}

    def are_found():
        client = httpx.Client(base_url=server.url, timeout=20, verify=False)
        pid = int(client.get("/questions").headers["X-Served-By"])
        if found.setdefault(pid, client) is not client:
            client.close()
        return len(found) == WORKERS

    assert eventually(are_found, pause=0)
    return found


def close(clients):
    for client in clients.values():
        client.close()


def test_no_worker_ever_sends_an_old_page(site):
    writer = httpx.Client(base_url=site.url, timeout=20, verify=False)
    signed = writer.post("/sign-in", data={"email": ADMIN["OMNIRACLE_ADMIN_EMAIL"],
                                           "password": ADMIN["OMNIRACLE_ADMIN_PASSWORD"]})  # fmt: skip
    assert signed.status_code == 303
    fields = {"title": "What is the count?", "lang": "en", "action": "send"}
    page = writer.post("/contribute", data=fields | {"body": "It is at n0."}).headers["Location"]
    rng = random.Random(3)
    looking = readers(site)
    reads = killed = 0
    for number in range(1, CHANGES + 1):
        form = writer.get(f"{page}/edit").text
        base = form.partition('name="base" value="')[2].partition('"')[0]
        try:
            sent = writer.post(f"{page}/edit", data=fields | {"base": base, "body": f"It is at n{number}."})
        except httpx.HTTPError:  # its worker was killed: perhaps published, perhaps not
            continue
        assert sent.status_code == 303, sent.text
        for pid, client in list(looking.items()):
            try:
                answer = client.get(page)
                found = client.get("/search?q=count")
            except httpx.HTTPError:
                assert killed
                looking.pop(pid).close()
                continue
            assert f"n{number}." in answer.text, f"worker {pid} sent an old page after change {number}"
            assert f"n{number}." in found.text.replace("<mark>", "").replace("</mark>", "")
            reads += 1
        if number % 10 == 0:
            os.kill(rng.choice(list(looking)), signal.SIGKILL)
            killed += 1
            close(looking)
            time.sleep(1)
            looking = readers(site)
    close(looking)
    writer.close()
    assert killed == CHANGES // 10
    assert reads > CHANGES * 2
