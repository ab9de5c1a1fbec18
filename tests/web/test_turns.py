"""Searches come in turn, and hold up nobody else."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.storage.engines import POOL_SIZE
from app.web import turns
from app.web.state import SEARCHES

PATHS = ["/search?q=salt", "/api/v1/search?q=salt", "/api/v1/suggest?q=salt", "/suggest.json?q=salt"]


@pytest.fixture
def state(client):
    """Of a worker all of whose turns are taken."""
    state = client.app.state.omniracle
    holders = [object() for _ in range(SEARCHES)]
    for holder in holders:
        client.portal.call(state.searches.acquire_on_behalf_of, holder)
    yield state
    for holder in holders:
        if holder in state.searches.statistics().borrowers:
            client.portal.call(state.searches.release_on_behalf_of, holder)


def free(client, state):
    for holder in state.searches.statistics().borrowers:
        client.portal.call(state.searches.release_on_behalf_of, holder)


def test_other_pages_are_answered_while_searches_wait(client, state):
    waiting = POOL_SIZE * 2  # more than there are threads
    with ThreadPoolExecutor(waiting) as readers:
        asked = [readers.submit(client.get, f"{PATHS[n % len(PATHS)]}%20{n}") for n in range(waiting)]
        while client.portal.call(state.searches.statistics).tasks_waiting < waiting:
            time.sleep(0.01)
        assert client.get("/questions/bread").status_code == 200
        assert client.get("/questions").status_code == 200
        missing = client.get("/questions/salt", headers={"Accept": "text/html"})
        assert missing.status_code == 404
        assert "Why does bread need salt?" not in missing.text  # nobody searches for it now
        assert not any(each.done() for each in asked)
        free(client, state)
        assert {each.result().status_code for each in asked} == {200}
    assert "Why does bread need salt?" in client.get("/questions/salt", headers={"Accept": "text/html"}).text


@pytest.mark.parametrize("path", PATHS)
def test_too_many_are_asked_to_come_again(client, state, monkeypatch, path):
    monkeypatch.setattr(turns, "MOST_WAITING", 0)
    response = client.get(path)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    free(client, state)


def test_who_is_asked_to_come_again_can_read_it(client, state, monkeypatch):
    monkeypatch.setattr(turns, "MOST_WAITING", 0)
    assert "The library is busy" in client.get(PATHS[0]).text
    assert "答案库正忙" in client.get(PATHS[0], headers={"Cookie": "lang=zh-Hans"}).text
    assert client.get(PATHS[1]).headers["Content-Type"] == "application/problem+json"


def test_a_search_that_fails_gives_its_turn_back(client):
    for _ in range(SEARCHES * 2):
        assert client.get("/api/v1/search?limit=0").status_code == 422
    assert client.get(PATHS[1]).status_code == 200
