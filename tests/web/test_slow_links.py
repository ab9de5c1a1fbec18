"""Pages of other sites that do not answer hold up nobody but who asked for them."""

import socket
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from app.models import Role
from app.services.fetcher import Fetcher
from app.web.state import FETCHES


@pytest.fixture
def silent():
    """A site that takes connections and says nothing until it is let; the connections that it has."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=50)
    taken, is_over = [], Event()

    def take():
        while not is_over.is_set():
            try:
                taken.append(listening.accept()[0])
            except OSError:
                return

    thread = Thread(target=take)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/", taken
    is_over.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()
    for connection in taken:
        connection.close()


@pytest.mark.timeout(60)
def test_a_few_pages_are_fetched_at_once(signed_in, client, silent):
    address, taken = silent
    client.app.state.omniracle.fetcher = Fetcher(may_be_private=True, total_s=30)
    ann = signed_in(Role.CONTRIBUTOR)
    waiting = Event()

    def ask(_=None):
        return ann.post("/contribute/link", data={"url": address}, headers={"Accept": "application/json"})

    with ThreadPoolExecutor(FETCHES) as pool:
        asked = [pool.submit(ask) for _ in range(FETCHES)]
        while len(taken) < FETCHES:
            waiting.wait(0.01)
        refused = ask()
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert client.get("/about").status_code == 200
        for connection in taken:
            connection.shutdown(socket.SHUT_RDWR)
        assert {each.result().status_code for each in asked} == {400}
    assert ann.post("/contribute/link", data={"url": "nothing"}).status_code == 400  # and it is free again
