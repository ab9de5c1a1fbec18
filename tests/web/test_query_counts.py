"""A list asks the database no more often for twenty entries than for five."""

from contextlib import contextmanager
from contextvars import ContextVar

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from app.web.application import create_app
from tests.web.conftest import known

TEXT = """---
title: Which salt is number {number}?
lang: en
tags: [cooking, writing, fastapi]
resources:
  - url: https://example.org/{number}
    title: Example
related: [bread, workers-en]
---

Salt number {number} slows the yeast down like any other.
"""
LISTS = ["/", "/questions", "/questions?sort=popular", "/questions?tag=cooking&lang=en", "/tags", "/tags/cooking",
         "/search?q=salt", "/questions/bread", "/feed.atom", "/tags/cooking/feed.atom", "/questions/bread/history",
         "/wanted", "/api/v1/questions", "/api/v1/search?q=salt", "/api/v1/suggest?q=salt", "/api/v1/tags",
         "/api/v1/questions/bread", "/sitemap.xml", "/llms.txt"]  # fmt: skip
MOST = 20

is_of_request = ContextVar("is_of_request", default=False)  # a request's threads have its context


@contextmanager
def counting(engine, counts=lambda: True):
    """Yield the statements that are executed where `counts` says so."""
    asked = []

    def listen(_connection, _cursor, statement, *_):
        # How long to wait for a lock is said where somebody else has said it before; rates are written now and then.
        if not statement.startswith(("BEGIN", "PRAGMA busy_timeout")) and "rate_count" not in statement and counts():
            asked.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", listen)


def queries_of(client, path):
    """Return what a page asks the database for, and the page."""

    async def ask(scope, receive, send):
        is_of_request.set(True)
        await client.app.pages.app(scope, receive, send)

    pages = TestClient(ask)
    assert pages.get(path).status_code == 200  # whatever a page needs once is there from now on
    # The regular work asks too, now and then.
    with counting(client.app.state.omniracle.database.engine, is_of_request.get) as asked:
        text = pages.get(path).text
    return asked, text


@pytest.fixture(scope="module")
def asked(common_library):
    """Yield what each list asks for when there are few entries, and when there are many."""
    library = common_library
    with TestClient(create_app(library.settings), follow_redirects=False) as client:
        known(client)
        few = {path: queries_of(client, path) for path in LISTS}
        for number in range(MOST):
            library.write(f"salt/salt-{number}.md", TEXT.format(number=number))
        library.sync()
        known(client)
        yield {path: (few[path], queries_of(client, path)) for path in LISTS}


@pytest.mark.parametrize("path", LISTS)
def test_more_entries_are_not_more_queries(asked, path):
    (few, short), (many, long) = asked[path]
    assert short != long or path in ("/questions/bread/history", "/wanted", "/api/v1/questions/bread")
    assert len(many) <= len(few), "\n".join(many)
    assert 0 < len(many) <= 20
