"""While a change is made, the event loop leaves the interpreter to it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import anyio.to_thread
import pytest

from app.storage import site
from app.storage.engines import POOL_SIZE
from app.web import stepping_aside
from app.web.stepping_aside import StepsAside
from tests.loops import run


@pytest.fixture
def steps(monkeypatch):
    """How often the loop has stepped aside."""
    taken = []
    monkeypatch.setattr(stepping_aside.time, "sleep", taken.append)
    return taken


async def in_thread():
    await anyio.to_thread.run_sync(Event().wait, 0.05)


async def ask(method, path, steps, *, parts=(b"a change",), work=in_thread, is_busy=True):
    """Ask an application, beside readers; return how often the loop stepped aside until it answered, and until its end.

    Its work is done before it answers.
    """
    waiting, counted = list(parts), []

    async def application(_, receive, send):
        while (await receive()).get("more_body"):
            pass
        await work()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": b""})

    async def receive():
        await asyncio.sleep(0)
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    async def send(_):
        counted.append(len(steps))

    with readers(is_busy=is_busy):
        await StepsAside(application)({"type": "http", "method": method, "path": path}, receive, send)
    return counted


@contextmanager
def readers(*, is_busy=True):
    """Somebody has to be answered in each turn of the loop; yields how many were."""
    loop, answered = asyncio.get_running_loop(), []

    def answer():
        answered.append(sum(range(20_000)))
        if is_busy:
            loop.call_soon(answer)

    loop.call_soon(answer)
    yield answered
    is_busy = False


def test_it_steps_aside_while_a_change_is_made_and_no_longer(steps):
    until_answer, until_end = run(ask("POST", "/contribute", steps))
    assert 0 < until_answer == until_end


def test_it_does_not_where_nobody_has_use_of_it(steps):
    run(ask("POST", "/contribute", steps, work=lambda: asyncio.sleep(0.05)))  # no thread
    run(ask("POST", "/contribute", steps, is_busy=False))  # no readers
    run(ask("POST", "/contribute", steps, parts=[b"."] * 50, work=lambda: asyncio.sleep(0)))  # it is still sent
    assert not steps


def test_it_does_not_for_readers_and_experiments(steps):
    run(ask("GET", "/questions/bread", steps))
    run(ask("POST", "/-/experiments", steps))
    assert not steps


def test_it_ends_with_a_change_that_fails(steps):
    async def fail():
        await in_thread()
        raise LookupError

    async def fail_and_go_on():
        with pytest.raises(LookupError):
            await ask("PUT", "/api/v1/questions/bread", steps, work=fail)
        before = len(steps)
        with readers():
            await in_thread()
        return before

    assert 0 < run(fail_and_go_on()) == len(steps)


def test_readers_are_answered_while_all_who_write_wait(client, library):
    many = POOL_SIZE * 2  # more than there are threads
    with ThreadPoolExecutor(many) as writers, library.database.write() as session:
        site.version(session)  # and so has the lock
        asked = [
            writers.submit(client.post, "/sign-in", data={"email": f"a{n}@example.org", "password": "x"})
            for n in range(many)
        ]
        for number in range(20):
            assert client.get(f"/questions/bread?n={number}").status_code == 200
        assert [each.result().status_code for each in asked if each.done()] == []
    assert {each.result().status_code for each in asked} <= {400, 503}
