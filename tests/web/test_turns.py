"""Searches and renderings come in turn, and hold up nobody else; who has sent many waits for who has sent few."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from threading import Event

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.testclient import TestClient

from app.errors import Busy, IndexUnavailable, TooManyRequests
from app.models import Role
from app.storage.engines import POOL_SIZE
from app.web import bodies, fair_turns, near
from app.web.access import address_of
from app.web.fair_turns import FairTurns
from app.web.routes import ROUTES
from app.web.state import IMAGE_READS, RENDERINGS, SEARCHES
from app.web.turns import _decoding_turn, _rendering_turn
from tests.loops import run
from tests.waiting import eventually

PATHS = ["/search?q=salt", "/api/v1/search?q=salt", "/api/v1/suggest?q=salt", "/suggest.json?q=salt"]


@pytest.fixture
def state(client):
    """Of a worker all of whose turns are taken until `free`."""
    state = client.app.state.omniracle
    hold(client, state, state.searches, SEARCHES)
    yield state
    free(client, state)


def hold(client, state, turns, number):
    state.holders = AsyncExitStack()
    for _ in range(number):
        client.portal.call(state.holders.enter_async_context, turns.of("holder"))


def free(client, state):
    client.portal.call(state.holders.aclose)


def test_other_pages_are_answered_while_searches_wait(client, state):
    waiting = POOL_SIZE * 2  # more than there are threads
    with ThreadPoolExecutor(waiting) as readers:
        asked = [readers.submit(client.get, f"{PATHS[n % len(PATHS)]}%20{n}") for n in range(waiting)]
        assert eventually(lambda: state.searches.waiting >= waiting)
        assert client.get("/questions/bread").status_code == 200
        assert client.get("/questions").status_code == 200
        missing = client.get("/questions/salt", headers={"Accept": "text/html"})
        assert missing.status_code == 404
        assert "Why does bread need salt?" not in missing.text  # nobody searches for it now
        assert not any(each.done() for each in asked)
        free(client, state)
        assert {each.result().status_code for each in asked} == {200}
    assert "Why does bread need salt?" in client.get("/questions/salt", headers={"Accept": "text/html"}).text


def test_a_reader_does_not_wait_for_a_flood(client, state):
    flood, reader = (from_address(client, address) for address in ("203.0.113.1", "203.0.113.2"))
    many, left = 40, []
    with ThreadPoolExecutor(many + 1) as people:
        asked = [people.submit(flood.get, f"{PATHS[0]}%20{n}") for n in range(many)]
        assert eventually(lambda: state.searches.waiting >= many)
        own = people.submit(reader.get, PATHS[0])
        own.add_done_callback(lambda _: left.append(state.searches.waiting))
        assert eventually(lambda: state.searches.waiting > many)
        free(client, state)
        assert own.result().status_code == 200
        assert {each.result().status_code for each in asked} == {200}
    assert left[0] > many // 4  # all of them had come before


def test_missing_pages_are_searched_for_in_the_turns_of_searches(client, monkeypatch):
    """They take those that are free, and wait for none; who searches waits for no more of them than of searches."""
    goes_on, searched = Event(), []

    def wait(*_, **__):
        searched.append(1)
        assert goes_on.wait(20)
        raise IndexUnavailable("not now")

    state = client.app.state.omniracle
    monkeypatch.setattr(near, "search", wait)
    many = POOL_SIZE * 2  # more than there are threads
    with ThreadPoolExecutor(many + 1) as people:
        asked = [people.submit(client.get, f"/salt-{n}", headers={"Accept": "text/html"}) for n in range(many)]
        try:
            assert eventually(lambda: sum(each.done() for each in asked) == many - SEARCHES)  # without a search
            assert not state.searches.is_free
            own = people.submit(client.get, PATHS[0])
            assert eventually(lambda: state.searches.waiting == 1)
            assert client.get("/about").status_code == 200
        finally:
            goes_on.set()
        assert own.result().status_code == 200
        assert {each.result().status_code for each in asked} == {404}
    assert len(searched) == SEARCHES
    assert state.searches.is_free


def test_a_page_with_many_images_is_whole_for_all_who_open_it_at_once_from_one_address(client):
    state = client.app.state.omniracle
    name = f"{'ab' * 16}-40x20.png"
    state.images.write(name, b"pretended")
    hold(client, state, state.image_reads, IMAGE_READS)
    many = fair_turns.MOST_WAITING + 20
    with ThreadPoolExecutor(many) as readers:
        asked = [readers.submit(client.get, f"/images/{name}") for _ in range(many)]
        try:
            assert eventually(lambda: state.image_reads.waiting == many or any(each.done() for each in asked))
        finally:
            free(client, state)
        assert {each.result().status_code for each in asked} == {200}


def tell(client, tool, **arguments):
    """Return what a language model is told."""
    params = {"name": tool, "arguments": arguments}
    headers = {"Accept": "application/json, text/event-stream"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return client.post("/mcp", json=asked, headers=headers).json()["result"]


def test_language_models_search_in_turn_too(client, state):
    flood, reader = (from_address(client, address) for address in ("203.0.113.1", "203.0.113.2"))
    tell(client, "list_tags")  # loads the SDK
    many, left = POOL_SIZE * 2, []
    with ThreadPoolExecutor(many + 1) as people:
        asked = [
            people.submit(tell, flood, ("search", "ask")[n % 2], **{("query", "question")[n % 2]: "bread salt"})
            for n in range(many)
        ]
        assert eventually(lambda: state.searches.waiting >= many)
        assert tell(reader, "list_tags")["structuredContent"]["tags"]  # waits for nobody
        assert reader.get("/about").status_code == 200
        assert not any(each.done() for each in asked)
        own = people.submit(reader.get, PATHS[0])
        own.add_done_callback(lambda _: left.append(state.searches.waiting))
        assert eventually(lambda: state.searches.waiting > many)
        free(client, state)
        assert own.result().status_code == 200
        assert [each.result() for each in asked if each.result().get("isError")] == []
    assert left[0] > many // 4  # all of them had come before


@pytest.mark.parametrize("bound", ["MOST_WAITING", "MOST_OF_ONE"])
def test_a_language_model_is_asked_to_come_again(client, state, monkeypatch, bound):
    monkeypatch.setattr(fair_turns, bound, 0)
    monkeypatch.setattr(FairTurns, "_make_room", refuse)
    told = tell(client, "search", query="salt")
    assert told["isError"]
    assert "Please try again in a" in told["content"][0]["text"]


def from_address(client, address):
    made = TestClient(client.app, client=(address, 50_000), follow_redirects=False)
    made.portal = client.portal
    return made


@pytest.mark.parametrize(("bound", "status"), [("MOST_WAITING", 503), ("MOST_OF_ONE", 429)])
@pytest.mark.parametrize("path", PATHS)
def test_too_many_are_asked_to_come_again(client, state, monkeypatch, path, bound, status):
    monkeypatch.setattr(fair_turns, bound, 0)
    if bound == "MOST_WAITING":
        monkeypatch.setattr(FairTurns, "_make_room", refuse)
    response = client.get(path)
    assert (response.status_code, response.headers["Retry-After"]) == (status, "5")


def refuse(*_):
    raise Busy


@pytest.mark.parametrize(
    ("bound", "english", "chinese"),
    [("MOST_WAITING", "The library is busy", "答案库正忙"), ("MOST_OF_ONE", "Too many requests", "操作过于频繁")],
)
def test_who_is_asked_to_come_again_can_read_it(client, state, monkeypatch, bound, english, chinese):
    monkeypatch.setattr(fair_turns, bound, 0)
    monkeypatch.setattr(FairTurns, "_make_room", refuse)
    assert english in client.get(PATHS[0]).text
    assert chinese in client.get(PATHS[0], headers={"Cookie": "lang=zh-Hans"}).text
    assert client.get(PATHS[1]).headers["Content-Type"] == "application/problem+json"


def test_a_search_that_fails_gives_its_turn_back(client):
    for _ in range(SEARCHES * 2):
        assert client.get("/api/v1/search?limit=0").status_code == 422
    assert client.get(PATHS[1]).status_code == 200


PAPER = {"title": "Why?", "body": "Because.", "action": "preview", "base": "1"}
RENDERED = {  # what asks for a rendering or a merge, by its route
    "POST /contribute": PAPER,
    "POST /contribute/preview": PAPER,
    "POST /questions/{slug}/edit": PAPER,
    "POST /questions/{slug}/conflict": {"base": "1", "newest": "1", "source": "---\ntitle: Why?\n---\n\nSo.\n"},
    "POST /questions/{slug}/revisions/{number}/reversion": {"message": "Back"},
    "GET /questions/{slug}/compare": {},
    "GET /proposals/{proposal_id}": {},
    "POST /proposals/{proposal_id}/edit": PAPER,
    "POST /proposals/{proposal_id}/approval": {},
    "POST /proposals/{proposal_id}/rejection": {},
    "POST /api/v1/questions": {},
    "PUT /api/v1/questions/{slug}": {},
}


@pytest.fixture
def renderings(client):
    """Of a worker whose turns are all taken until `free`."""
    state = client.app.state.omniracle
    hold(client, state, state.renderings, RENDERINGS)
    yield state.renderings
    free(client, state)


def test_what_renders_or_merges_takes_its_turn_last():
    calls = {
        f"{method} {route.path}": [each.call for each in route.dependant.dependencies]
        for route in ROUTES
        for method in route.methods
        if hasattr(route, "dependant")
    }
    in_turn = {name for name, called in calls.items() if _rendering_turn in called}
    assert in_turn == set(RENDERED)
    for name in in_turn:  # before, it is known who asks, and a form has arrived
        assert calls[name][-1] is _rendering_turn, name
    assert [name for name, called in calls.items() if called and called[-1] is _decoding_turn] == ["POST /images/new"]


def test_other_pages_are_answered_while_renderings_wait(client, renderings, signed_in):
    ann, rob = signed_in(Role.CONTRIBUTOR), signed_in(Role.REVIEWER)
    assert ann.post("/drafts/new", data=PAPER).status_code == 204  # to keep a draft takes no turn
    forms = {name: fields for name, fields in RENDERED.items() if "/api/" not in name}
    many = POOL_SIZE * 2 // len(forms) + 1  # more than there are threads
    with ThreadPoolExecutor(many * len(forms)) as people:
        asked = [
            people.submit(rob.request, method, path.format(slug="bread", number=1, proposal_id=1), data=fields)
            for name, fields in forms.items()
            for method, path in [name.split()]
            for _ in range(many)
        ]
        assert eventually(lambda: renderings.waiting >= len(asked) or any(each.done() for each in asked))
        assert client.get("/about").status_code == 200
        assert ann.get("/contribute").status_code == 200
        assert not any(each.done() for each in asked)
        free(client, client.app.state.omniracle)
        assert {each.result().status_code for each in asked} <= {200, 303, 400, 404}
    assert renderings.is_free


@pytest.mark.parametrize("bound", ["MOST_OF_ONE", "MOST_HELD"])
def test_what_waits_does_not_fill_the_memory(client, renderings, signed_in, monkeypatch, bound):
    """Many requests of one address, each of which may come by itself, shut out nobody else."""
    monkeypatch.setattr(bodies, "SMALL", 2**19)
    monkeypatch.setattr(bodies, bound, 3 * 2**20)
    ann = signed_in(Role.CONTRIBUTOR)
    flood, other = (from_address(client, address) for address in ("203.0.113.1", "203.0.113.2"))
    for each in (flood, other):
        each.headers["Cookie"] = ann.headers["Cookie"]
    some = {**PAPER, "body": "salt" * 100_000}  # is small
    with ThreadPoolExecutor(7) as people:
        asked = [people.submit(flood.post, "/contribute/preview", data=some) for _ in range(7)]  # 2.8 MB
        assert eventually(lambda: renderings.waiting == len(asked))
        refused = flood.post("/contribute/preview", data=some)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert "busy" in refused.text
        assert other.post("/drafts/new", data=some).status_code == 204
        large = other.post("/drafts/new", data={**PAPER, "body": "salt" * 180_000})
        assert large.status_code == (204 if bound == "MOST_OF_ONE" else 503)
        free(client, client.app.state.omniracle)
        assert {each.result().status_code for each in asked} == {200}
    assert flood.post("/contribute/preview", data=some).status_code == 200


def test_what_is_refused_makes_room_at_once(monkeypatch):
    """Of several large ones from one address the last is refused, not each that goes on while that one is answered."""
    monkeypatch.setattr(bodies, "MOST_OF_ONE", 10)
    refused = []

    async def bring_two():
        pieces = {name: asyncio.Queue() for name in "ab"}
        answered = asyncio.Event()

        async def app(scope, receive, _send):
            try:
                while (await receive())["more_body"]:
                    pass
            except HTTPException as error:
                refused.append((scope["path"], error.status_code))
                await answered.wait()
                with pytest.raises(HTTPException):  # the rest is not read as if it were all
                    await asyncio.wait_for(receive(), 1)

        async def bring(name, size):
            await pieces[name].put({"type": "http.request", "body": b"x" * size, "more_body": size > 4})
            await asyncio.sleep(0.01)

        limited = bodies.BodyLimit(app, 100)
        scope = {"type": "http", "headers": [], "client": ("203.0.113.1", 1)}
        tasks = [asyncio.create_task(limited({**scope, "path": name}, pieces[name].get, None)) for name in "ab"]
        for name, size in (("a", 6), ("b", 6), ("a", 4)):
            await bring(name, size)
        answered.set()
        await asyncio.gather(*tasks)

    run(bring_two())
    assert refused == [("b", 503)]


def test_one_request_may_bring_what_a_request_may(client, signed_in, monkeypatch):
    for bound in ("MOST_OF_ONE", "MOST_HELD", "SMALL"):
        monkeypatch.setattr(bodies, bound, 1000)
    assert signed_in(Role.CONTRIBUTOR).post("/drafts/new", data={**PAPER, "body": "salt" * 1000}).status_code == 204


def test_a_contributor_does_not_wait_for_a_flood_of_another(client, renderings, signed_in):
    flood, other = signed_in(Role.REVIEWER), signed_in(Role.CONTRIBUTOR)  # from one address
    many, left = 40, []
    with ThreadPoolExecutor(many + 1) as people:
        asked = [people.submit(flood.post, "/contribute/preview", data=PAPER) for _ in range(many)]
        assert eventually(lambda: renderings.waiting >= many)
        own = people.submit(other.post, "/contribute/preview", data=PAPER)
        own.add_done_callback(lambda _: left.append(renderings.waiting))
        assert eventually(lambda: renderings.waiting > many)
        free(client, client.app.state.omniracle)
        assert own.result().status_code == 200
        assert {each.result().status_code for each in asked} == {200}
    assert left[0] > many // 4  # all of them had come before


def test_who_has_too_many_renderings_waiting_keeps_what_was_typed(renderings, signed_in, monkeypatch):
    monkeypatch.setattr(fair_turns, "MOST_OF_ONE", 0)
    typed = PAPER | {"body": "Nobody wants to type this again."}
    answer = signed_in(Role.CONTRIBUTOR).post("/contribute", data=typed)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert typed["body"] in answer.text


class Queue:
    """Turns, one at a time, and the order in which clients had theirs; "!" is for one that gave way."""

    def __init__(self):
        self.turns = FairTurns(1)
        self.order = []
        self.tasks = []

    async def ask(self, clients):
        for client in clients:
            self.tasks.append(asyncio.create_task(self._take(client)))
            await asyncio.sleep(0)

    async def _take(self, client):
        try:
            async with self.turns.of(client):
                self.order.append(client)
                await asyncio.sleep(0)
        except Busy:
            self.order.append(f"{client}!")

    async def end(self):
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert self.turns.is_free
        assert not self.turns.waiting
        return self.order


def test_clients_have_their_turns_in_rotation():
    async def wait():
        queue = Queue()
        async with queue.turns.of("holder"):
            await queue.ask("aaaaabbbc")
        return await queue.end()

    assert "".join(run(wait())) == "abcababaa"


def test_who_has_the_most_gives_way_to_who_has_fewer(monkeypatch):
    monkeypatch.setattr(fair_turns, "MOST_WAITING", 6)

    async def wait():
        queue = Queue()
        async with queue.turns.of("holder"):
            await queue.ask("aaaaaab")  # b takes the place of the last a
            await queue.ask("abbbb")  # and on, until both have as many
        return await queue.end()

    order = run(wait())
    assert Counter(order) == {"a": 3, "b": 3, "a!": 4, "b!": 2}
    assert "".join(each for each in order if "!" not in each) == "ababab"


def test_many_addresses_share_what_there_is(monkeypatch):
    monkeypatch.setattr(fair_turns, "MOST_WAITING", 6)

    async def wait():
        queue = Queue()
        async with queue.turns.of("holder"):
            await queue.ask("abcdefg")
        return await queue.end()

    assert run(wait()) == ["g!", *"abcdef"]


def test_one_client_has_no_more_than_its_share_of_the_waiting(monkeypatch):
    monkeypatch.setattr(fair_turns, "MOST_OF_ONE", 2)

    async def wait():
        turns = FairTurns(1)
        async with turns.of("a"):
            tasks = [asyncio.ensure_future(turns.of("a").__aenter__()) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(TooManyRequests):
                await turns.of("a").__aenter__()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert not turns.waiting
        assert turns.is_free

    run(wait())


def test_a_turn_that_nobody_wants_any_more_goes_on_to_the_next():
    async def wait():
        queue = Queue()
        async with queue.turns.of("holder"):
            await queue.ask("abc")
            queue.tasks[0].cancel()  # while it waits
        queue.tasks[1].cancel()  # in the moment in which it has the turn
        return await queue.end()

    assert run(wait()) == ["c"]


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("2600:3c00::f03c:1", "2600:3c00::/64"),
        ("2600:3c00::f03d:1", "2600:3c00::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::2", "2001:db8::/64"),
        ("2001:db8:0:1::2", "2001:db8:0:1::/64"),
        ("2001:0DB8:0:1:a:b:c:d", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
        ("unix:/run/site", "unix:/run/site"),
        ("", ""),
    ],
)
def test_an_ipv6_network_counts_as_one_client(host, counted):
    assert address_of(Request({"type": "http", "headers": [], "client": (host, 50_000)})) == counted
