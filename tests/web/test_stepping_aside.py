"""While a change is made, the event loop leaves the interpreter to it."""

import asyncio
import time

import anyio.to_thread
import pytest

from app.web import stepping_aside
from app.web.stepping_aside import StepsAside
from tests.loops import run


@pytest.fixture
def steps(monkeypatch):
    """How often the loop has stepped aside."""
    taken = []
    monkeypatch.setattr(stepping_aside.time, "sleep", taken.append)
    return taken


async def ask(method, path, *, parts=(b"a change",), work=None):
    """Ask an application whose work takes a few turns of the loop; return what it has sent."""
    waiting, sent = list(parts), []

    async def application(_, receive, send):
        while (await receive()).get("more_body"):
            pass
        await (work() if work else turns(5))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        sent.append("headers")
        await turns(5)
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        await asyncio.sleep(0)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(message):
        sent.append(message["type"])

    app = StepsAside(application)
    await app({"type": "http", "method": method, "path": path}, receive, send)
    await turns(3)


async def turns(number):
    for _ in range(number):
        await asyncio.sleep(0)


def test_it_steps_aside_while_a_change_is_made_and_no_longer(steps):
    run(ask("POST", "/contribute"))
    assert 4 <= len(steps) <= 6  # neither while the answer is sent nor afterwards


def test_it_does_not_for_who_sends_slowly(steps):
    run(ask("POST", "/contribute", parts=[b"."] * 50))
    assert len(steps) <= 6


def test_it_does_not_for_readers_and_experiments(steps):
    run(ask("GET", "/questions/bread"))
    run(ask("POST", "/-/experiments"))
    assert not steps


def test_it_ends_with_a_change_that_fails(steps):
    async def fail():
        await turns(3)
        raise LookupError

    with pytest.raises(LookupError):
        run(ask("PUT", "/api/v1/questions/bread", work=fail))
    before = len(steps)
    run(turns(10))
    assert 0 < len(steps) == before


def test_a_change_gets_on_beside_a_loop_that_always_has_something_to_do():
    def change():
        for _ in range(300):
            time.sleep(0)  # lets go of the interpreter, as a look at the disk does

    async def turns_during(method):
        count, is_over = 0, False

        def answer_a_reader():
            nonlocal count
            count += 1
            sum(range(20_000))
            if not is_over:
                loop.call_soon(answer_a_reader)

        loop = asyncio.get_running_loop()
        loop.call_soon(answer_a_reader)
        await ask(method, "/contribute", work=lambda: anyio.to_thread.run_sync(change))
        is_over = True
        return count

    assert run(turns_during("POST")) < run(turns_during("GET")) / 2
