"""A site on PostgreSQL while its database goes away and comes back."""

import threading
import time

import httpx2 as httpx
import pytest

from tests.e2e.conftest import start, stop, told
from tests.waiting import eventually

pytestmark = pytest.mark.e2e


@pytest.fixture(params=["whoosh", "postgresql"])
def site(request, database_server, tmp_path):
    url = database_server.url(database_server.create())
    server = start(tmp_path / "var", workers=2, DATABASE_URL=url, OMNIRACLE_SEARCH_ENGINE=request.param)
    yield server, url
    assert stop(server) == 0


class Saver(threading.Thread):
    """Publishes one question after the other, and remembers which were acknowledged and what was answered instead."""

    def __init__(self, server, url):
        super().__init__()

        def omniracle(*arguments):
            return told(*arguments, data=server.data, typed="four words make one\n", DATABASE_URL=url)

        omniracle("user", "add", "ann@example.org", "--role", "admin", "--password-stdin")
        self.headers = {"Authorization": f"Bearer {omniracle('token', 'create', 'ann@example.org')}"}
        self.url = f"{server.url}/api/v1/questions"
        self.has_to_stop = threading.Event()
        self.saved: dict[str, str] = {}
        self.refused: list[httpx.Response] = []

    def run(self):
        with httpx.Client(verify=False, timeout=30, headers=self.headers) as client:
            number = 0
            while not self.has_to_stop.wait(0.1):
                number += 1
                sent = {"title": f"What is n{number}?", "lang": "en", "body_markdown": f"It is n{number}."}
                answer = client.post(self.url, json=sent)
                if answer.status_code == 201:
                    self.saved[answer.json()["slug"]] = sent["body_markdown"]
                else:
                    self.refused.append(answer)


def test_a_restart_of_the_database_loses_nothing_that_was_acknowledged(site, database_server):
    server, url = site
    saver = Saver(server, url)
    question = "/questions/how-requests-reach-fastapi-workers"
    saver.start()
    assert eventually(lambda: len(saver.saved) >= 3)
    assert server.get(question).status_code == 200  # and is kept now
    reader = httpx.Client(base_url=server.url, verify=False, timeout=20)
    typed = {"email": "ann@example.org", "password": "four words make one", "kind": "helped"}
    assert reader.post("/sign-in", data=typed).status_code == 303
    database_server.stop("immediate")
    assert eventually(lambda: saver.refused)
    time.sleep(1.2)  # what was known of the content is good for a second
    page = server.get(question, headers={"Accept-Language": "zh-CN"})
    forms = [reader.post(path, data=typed) for path in ("/sign-out", "/sign-in", f"{question}/feedback")]
    missing = reader.get("/nonexistent")
    ready = server.get("/readyz")
    workers, metrics = server.get("/-/workers.json").json(), server.get("/metrics").text
    database_server.start()
    before = len(saver.saved)
    assert eventually(lambda: len(saver.saved) > before)
    refused = len(saver.refused)
    assert eventually(lambda: len(saver.saved) >= before + 10)
    assert len(saver.refused) == refused  # since it is back, nothing fails
    saver.has_to_stop.set()
    saver.join()
    account = reader.get("/account")
    reader.close()

    assert page.status_code == 503
    assert int(page.headers["Retry-After"]) > 0
    assert '<html lang="zh' in page.text
    assert "Traceback" not in page.text
    assert "psycopg" not in page.text
    assert {(form.status_code, form.headers["Retry-After"]) for form in forms} == {(503, "5")}
    assert missing.status_code == 404
    assert account.status_code == 200  # is signed in as before
    assert ready.status_code == 503
    assert (len(workers["workers"]), workers["complete"]) == (2, False)
    assert "omniracle_workers 2.0" in metrics
    assert "omniracle_database_up 0.0" in metrics
    assert {answer.status_code for answer in saver.refused} == {503}
    assert all("Retry-After" in answer.headers for answer in saver.refused)
    for slug, body in saver.saved.items():
        assert body in server.get(f"/questions/{slug}.md").text
    found = server.get("/api/v1/questions?per_page=100").json()
    assert saver.saved.keys() <= {each["slug"] for each in found["items"]}
    for slug in saver.saved:
        searched = f"/api/v1/search?q={slug.removeprefix('what-is-')}"
        assert eventually(lambda searched=searched, slug=slug: is_found(server, searched, slug)), slug
    assert eventually(lambda: server.get("/readyz").status_code == 200)


def is_found(server, path, slug):
    return slug in {hit["slug"] for hit in server.get(path).json()["hits"]}
