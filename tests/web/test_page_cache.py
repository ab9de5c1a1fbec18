"""Pages kept for anonymous readers: the same bytes as without, never older than the last change, never another's."""

import asyncio
import gzip
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.models import Role
from app.services.first_admin import ensure_first_admin
from app.storage import resources, site
from app.web import kept_page, page_cache
from app.web.notices import COOKIE
from tests.conftest import ARTICLES
from tests.waiting import eventually

PAGE = "/questions/bread"


def rewrite(library, old, new):
    path = library.content / "cooking/bread.md"
    path.write_text(path.read_text().replace(old, new))
    library.sync()


def test_a_page_is_made_once(client, made):
    first, second = client.get(PAGE), client.get(PAGE)
    assert made == ["bread"]
    assert first.content == second.content
    assert first.headers["ETag"] == second.headers["ETag"]
    assert {name: second.headers[name] for name in first.headers} == {**first.headers}
    assert f"PID {client.app.state.pid}" in second.text.replace("<b>", "").replace("</b>", "")
    assert second.headers["X-Served-By"] == str(client.app.state.pid)
    assert "script-src 'self'" in second.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/", "/about", "/questions", "/questions?page=1&tag=fastapi", PAGE, f"{PAGE}.md", "/tags", "/tags/fastapi",
     "/search?q=salt", "/feed.atom", "/tags/fastapi/feed.atom", f"{PAGE}/history.atom"],
)  # fmt: skip
def test_what_most_people_read_is_kept(client, path):
    assert client.get(path).status_code == 200
    assert len(client.app.pages._pages) == 1


def test_the_home_page_leads_to_the_first_administrator_until_there_is_one(client, library):
    assert "This site has no administrator yet" in client.get("/").text
    ensure_first_admin(library.database, "admin@example.org", "correct horse battery")
    assert "This site has no administrator yet" not in client.get("/").text


@pytest.mark.parametrize("path", ["/sign-in", "/wanted", "/-/workers", "/search?q=zzzz", "/questions/no", "/livez"])
def test_other_pages_are_made_each_time(client, path):
    client.get(path)
    assert not client.app.pages._pages


def test_a_change_is_on_the_very_next_page(client, library, made):
    assert "Salt slows" in client.get(PAGE).text
    for number in range(20):
        rewrite(library, "Salt slows" if number == 0 else f"Salt{number - 1} slows", f"Salt{number} slows")
        assert f"Salt{number} slows" in client.get(PAGE).text
    assert len(made) == 21


@pytest.mark.parametrize(
    ("path", "statement"),
    [
        (PAGE, "UPDATE article SET title = 'Changed' WHERE slug = 'bread'"),
        ("/tags", "INSERT INTO tag (name) VALUES ('new')"),
        ("/tags/cooking", "DELETE FROM article_tag"),
        (PAGE, "UPDATE resource SET state = 'gone'"),
        (PAGE, "INSERT INTO alias (slug, article_id) SELECT 'b', id FROM article WHERE slug = 'bread'"),
        (PAGE, "UPDATE pin SET slug = 'bread'"),
        ("/search?q=salt", "UPDATE site SET version = version + 1"),  # as the index does when it knows of a change
    ],
)
def test_every_change_of_what_pages_show_raises_the_version(client, library, path, statement):
    client.get(path)
    assert len(client.app.pages._pages) == 1
    before = client.app.state.omniracle.watch.current()
    with library.database.write() as session:
        session.connection().exec_driver_sql(statement)
    assert client.app.state.omniracle.watch.current() > before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO view_count (article_id, day, count) SELECT id, '2026-01-01', 1 FROM article",
        "UPDATE resource SET checked_at = '2026-01-01 00:00:00'",
    ],
)
def test_what_changes_all_the_time_does_not(client, library, made, statement):
    client.get(PAGE)
    with library.database.write() as session:
        session.connection().exec_driver_sql(statement)
    client.get(PAGE)
    assert made == ["bread"]


def test_a_new_answer_is_found_by_a_search_that_was_kept(client, library):
    assert client.get("/search?q=salt").text.count("<mark>") > 0
    assert "Pretzels" not in client.get("/search?q=salt").text
    library.write("cooking/pretzel.md", "---\ntitle: Pretzels and salt\nlang: en\n---\nMuch salt.\n")
    library.sync()
    assert "Pretzels" in client.get("/search?q=salt").text


def test_who_changes_the_database_without_telling_is_found_out(client, library, made):
    client.get(PAGE)
    with library.database.engine.begin() as foreign:
        foreign.execute(text("UPDATE article SET title = 'By another program' WHERE slug = 'bread'"))
    assert eventually(lambda: "By another program" in client.get(PAGE).text, timeout=5)
    client.get(PAGE)
    assert len(made) == 2  # kept again


def test_nothing_is_kept_while_a_commit_is_announced_and_not_made(client, library, made):
    shared = library.database.version
    shared.raise_to(shared.get() + 5)  # as who is killed just before COMMIT leaves it
    for _ in range(3):
        assert client.get(PAGE).status_code == 200
    assert len(made) == 3
    client.app.state.omniracle.tend()
    with library.database.read() as session:
        assert site.version(session) >= shared.get()
    client.get(PAGE)
    client.get(PAGE)
    assert len(made) == 4


def test_a_failed_write_announces_nothing(library):
    before = library.database.version.get()
    with pytest.raises(RuntimeError), library.database.write() as session:
        session.connection().exec_driver_sql("UPDATE article SET title = 'x'")
        raise RuntimeError
    assert library.database.version.get() == before


def test_people_who_are_signed_in_get_pages_of_their_own(client, signed_in, made):
    anonymous = client.get(PAGE)
    for role in (Role.READER, Role.ADMIN):
        own = signed_in(role).get(PAGE)
        assert ">Sign in<" not in own.text
        assert "ETag" not in own.headers
    assert client.get(PAGE).text == anonymous.text
    assert client.get(PAGE, headers={"Authorization": "Bearer of-nobody"}).status_code == 401
    assert 4 <= len(made) <= 5  # on PostgreSQL the news of the new accounts may end the page a moment later
    assert client.get(PAGE, headers={"Cookie": f"{COOKIE}=published"}).text != anonymous.text
    assert client.get(PAGE).text == anonymous.text


def test_what_is_not_there_is_not_kept(client, library):
    assert client.get("/questions/pretzel").status_code == 404
    library.write("cooking/pretzel.md", "---\ntitle: Pretzels\nlang: en\n---\nMuch salt.\n")
    library.sync()
    assert client.get("/questions/pretzel").status_code == 200


def test_who_has_the_page_gets_304_and_head_has_no_body(client, made, monkeypatch):
    page = client.get(PAGE)
    for known in (page.headers["ETag"], f'"other", W/{page.headers["ETag"]}', "*"):
        answer = client.get(PAGE, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        for name in ("ETag", "Vary", "Cache-Control", "X-Served-By"):
            assert answer.headers[name] == page.headers[name]
    assert client.get(PAGE, headers={"If-None-Match": '"other"'}).status_code == 200
    head = client.head(PAGE)
    assert (head.content, head.headers["Content-Length"]) == (b"", page.headers["Content-Length"])
    monkeypatch.setattr(page_cache, "DATABLE_AFTER_S", 0)
    dated = client.get(PAGE).headers["Last-Modified"]
    assert client.get(PAGE, headers={"If-Modified-Since": dated}).status_code == 304
    assert client.get(PAGE, headers={"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}).status_code == 200
    assert made == ["bread"]


def test_a_page_that_was_just_made_does_not_say_since_when_it_is_so(client, library):
    client.get(PAGE)
    rewrite(library, "Salt slows", "Within one second, salt slows")
    assert "Last-Modified" not in client.get(PAGE).headers


def test_a_page_is_the_same_bytes_whenever_it_is_compressed(client, library, monkeypatch):
    header = {"Accept-Encoding": "gzip"}
    first = client.get(PAGE, headers=header).headers["ETag"]
    monkeypatch.setattr(gzip.time, "time", lambda: 2_000_000_000.0)
    with library.database.write() as session:
        site.raise_version(session)
    again = client.get(PAGE, headers=header)
    assert again.headers["ETag"] == first
    assert "Salt slows" in again.text


def test_each_encoding_has_its_own_bytes_and_tag(client):
    pages = {
        said: client.get(PAGE, headers={"Accept-Encoding": said}) for said in ("br", "gzip", "identity", "gzip;q=0")
    }
    assert [pages[said].headers.get("Content-Encoding") for said in pages] == ["br", "gzip", None, None]
    assert len({page.text for page in pages.values()}) == 1
    assert len({page.headers["ETag"] for page in pages.values()}) == 3
    assert all("Accept-Encoding" in page.headers["Vary"] for page in pages.values())


def test_addresses_on_the_page_are_those_of_the_request(client):
    for host in ("one.example", "two.example"):
        page = client.get(PAGE, headers={"Host": host})
        assert f'href="http://{host}/questions/bread"' in page.text
        assert page.text.count("example/") == page.text.count(f"{host}/")


def test_many_readers_at_once_have_the_page_made_once(client, made, monkeypatch):
    entered = threading.Event()
    of_article = resources.of_article

    def slow(session, article_id):
        entered.set()
        time.sleep(0.3)
        return of_article(session, article_id)

    monkeypatch.setattr(resources, "of_article", slow)
    answers: list[int] = []
    asking = [threading.Thread(target=lambda: answers.append(client.get(PAGE).status_code)) for _ in range(10)]
    asking[0].start()
    entered.wait(5)
    for each in asking[1:]:
        each.start()
    for each in asking:
        each.join()
    assert answers == [200] * 10
    assert made == ["bread"]


def test_reading_what_was_kept_counts(client, library):
    state = client.app.state.omniracle
    before = state.table.totals().requests
    for _ in range(5):
        client.get(PAGE)
    state.views.flush()
    with library.database.read() as session:
        assert session.connection().exec_driver_sql("SELECT sum(count) FROM view_count").scalar() == 5
    assert state.table.totals().requests == before + 5


def test_memory_is_bounded(client, monkeypatch):
    monkeypatch.setattr(page_cache, "MAX_BYTES", 80_000)
    for number in range(30):
        for _ in range(2):
            assert client.get(f"{PAGE}?n={number}").text
    cache = client.app.pages
    found = {id(page): page for page in (*cache._pages.values(), *cache._asked.values())}
    assert sum(len(page.body) for page in found.values()) <= 80_000
    assert client.get(f"{PAGE}?n=0").text == client.get(f"{PAGE}?n=0").text != ""
    sizes = [len(page.body) + kept_page.OVERHEAD for page in cache._pages.values()]
    assert 0 < sum(sizes) == cache._bytes <= 80_000


READERS = st.fixed_dictionaries(
    {
        "Accept-Encoding": st.sampled_from(
            ["identity", "gzip", "br, gzip", "gzip, deflate, br, zstd", "br;q=0, gzip", "*", "GZIP", "x-gzip, zstd"]
        )
    },
    optional={
        "Accept-Language": st.sampled_from(["en", "zh-CN,zh;q=0.9", "zh-TW", "fr", "zh-HK;q=0.2, en"]),
        "Accept": st.sampled_from(["text/html", "text/markdown", "*/*", "text/markdown;q=0.5, text/html"]),
        "Cookie": st.lists(
            st.sampled_from(
                ["lang=en", "lang=zh-Hans", "theme=dark", "theme=odd", "script=hant", "script=written", "x=1"]
            ),
            unique=True,
        ).map("; ".join),
        "Host": st.sampled_from(["a.example", "b.example"]),
    },
)
PATHS = st.sampled_from(
    ["/", PAGE, "/questions", "/questions?sort=updated", "/questions/traditional", "/tags", "/about"]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.tuples(PATHS, READERS), min_size=2, max_size=6))
def test_what_is_kept_is_what_would_be_made(client, people, asked):
    state = client.app.state.omniracle
    state.views.count = lambda _: None  # the order by views is the one thing that may be a minute old
    watch = state.watch
    for path, reader in asked * 2:
        kept = client.get(path, headers=reader)
        state.watch = None
        fresh = client.get(path, headers=reader)
        state.watch = watch
        assert kept.text == fresh.text
        assert kept.headers["Vary"] == fresh.headers["Vary"]
        assert kept.headers.get("Content-Encoding") == fresh.headers.get("Content-Encoding")


@pytest.mark.parametrize("fails", [False, True])
def test_who_takes_a_page_slowly_holds_up_nobody(client, made, fails):
    scope = {
        "type": "http", "method": "GET", "path": PAGE, "raw_path": PAGE.encode(), "root_path": "",
        "query_string": b"", "scheme": "http", "server": ("testserver", 80),
        "headers": [(b"host", b"testserver"), *((k.encode(), v.encode()) for k, v in client.headers.items())],
    }  # fmt: skip
    is_taken = asyncio.Event()
    began = threading.Event()

    async def send(message):
        if message["type"] == "http.response.body":
            began.set()
            await is_taken.wait()
            if fails:
                raise RuntimeError("no such header")

    async def receive():
        return {"type": "http.request"}

    slow = client.portal.start_task_soon(client.app, scope, receive, send)
    try:
        assert began.wait(20)
        assert "Salt slows" in client.get(PAGE).text
        assert made == ["bread"]
    finally:
        client.portal.call(is_taken.set)
    assert (slow.exception() is None) != fails
    client.get(PAGE)
    assert made == (["bread"] * 2 if fails else ["bread"])  # what could not be sent is not kept


def test_what_clients_send_takes_a_bounded_memory(client, monkeypatch):
    monkeypatch.setattr(page_cache, "MAX_ASKED_BYTES", 50_000)
    pages = client.app.pages
    for number in range(200):
        client.get("/about", headers={"Cookie": f"anything={number}{'x' * 1000}"})
        assert sum(len(part) for asked in pages._asked for part in asked if part) <= 50_000
    assert len(pages._asked) > 20
    before = len(pages._asked)
    client.get("/about", headers={"Cookie": f"anything={'x' * 20_000}"})
    assert len(pages._asked) == before
    kept = len(pages._pages)
    client.get("/about", headers={"Accept-Encoding": ", ".join(f"x{n};q=0.1" for n in range(100))})
    client.get("/about", headers={"Host": "x" * 5000})
    assert len(pages._pages) == kept


def test_what_was_asked_before_a_change_leads_to_the_new_page(client, library):
    assert "two per cent" in client.get("/questions/bread").text
    library.write("cooking/bread.md", ARTICLES["cooking/bread.md"].replace("two per cent", "three per cent"))
    library.sync()
    assert "three per cent" in client.get("/questions/bread").text
    assert "three per cent" in client.get("/questions/bread").text
