"""Pages that one worker made and another one sends, under its own number; without the file everything goes on."""

import gzip
import os
import random
import re
import shutil
import sqlite3
from contextlib import closing

import brotli
import pytest
from fastapi.testclient import TestClient

from app.storage import shared_pages
from app.web import application, page_cache, state
from app.web.application import create_app
from tests.waiting import eventually

PAGE = "/questions/bread"
NUMBER = re.compile(r"<b>PID \d+</b>")
DECODED = {"gzip": gzip.decompress, "br": brotli.decompress, "identity": bytes}


@pytest.fixture(autouse=True)
def when_told(monkeypatch):
    """Pages are shared when a test says so."""
    monkeypatch.setattr(application, "TELL_PAGES_EVERY_S", 3600)


@pytest.fixture
def other(library, client):
    """Another worker of the same host."""
    with TestClient(create_app(library.settings), follow_redirects=False) as other:
        other.app.state.pid = other.app.state.omniracle.pid = client.app.state.pid + 1
        yield other


def tell(client):
    client.app.state.omniracle.related.tend()  # a page whose related questions are not kept does not outlive anything
    client.get(PAGE)
    client.app.pages.tell()


@pytest.mark.parametrize("coding", DECODED)
def test_another_worker_sends_the_page_under_its_own_number(client, other, made, coding):
    client.headers["Accept-Encoding"] = other.headers["Accept-Encoding"] = coding
    tell(client)
    first = client.get(PAGE)
    made.clear()
    with other.stream("GET", PAGE) as page:
        sent = b"".join(page.iter_raw())
    assert made == []
    mine, theirs = client.app.state.pid, other.app.state.pid
    assert DECODED[coding](sent).decode() == first.text.replace(f"<b>PID {mine}</b>", f"<b>PID {theirs}</b>")
    assert page.headers["X-Served-By"] == str(theirs)
    assert page.headers["Content-Length"] == str(len(sent))
    assert page.headers["ETag"] != first.headers["ETag"]
    for name in first.headers.keys() - {"x-served-by", "content-length", "etag"}:
        assert page.headers[name] == first.headers[name]
    assert other.get(PAGE, headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    assert made == []


def test_reading_it_counts(client, other, library):
    tell(client)
    client.app.state.omniracle.views.flush()
    other.get(PAGE)
    other.app.state.omniracle.views.flush()
    with library.database.read() as session:
        assert session.connection().exec_driver_sql("SELECT sum(count) FROM view_count").scalar() == 2


@pytest.mark.parametrize("path", ["/", "/questions", "/search?q=salt", f"{PAGE}.md"])
def test_what_does_not_outlive_a_change_is_not_shared(client, other, path):
    tell(client)
    client.get(path)
    client.app.pages.tell()
    assert _count(client) == 1


def test_people_who_are_signed_in_leave_nothing_there(client, other, signed_in):
    tell(client)
    signed_in("reader").get(f"{PAGE}?said=1")
    client.app.pages.tell()
    assert _count(client) == 1


@pytest.mark.parametrize("difference", ["program", "settings"])
def test_another_program_and_other_settings_begin_with_nothing(client, library, made, monkeypatch, difference):
    tell(client)
    settings = library.settings
    if difference == "program":
        monkeypatch.setattr(state, "program", lambda: "another")
    else:
        settings = settings.model_copy(update={"site_name": "Another"})
    with TestClient(create_app(settings)) as later:
        made.clear()
        later.get(PAGE)
        assert made == ["bread"]
        assert len(list(settings.pages_dir.glob("*.db"))) == 1  # what was there before is gone
    client.get(f"{PAGE}?n=1")
    client.app.pages.tell()  # and nobody minds


def test_pages_outlive_a_restart(client, library, made, monkeypatch):
    tell(client)
    for run in ("second", "third"):
        monkeypatch.setattr(page_cache, "RUN", run)
        with TestClient(create_app(library.settings)) as later:
            made.clear()
            settled = later.app.state.omniracle.watch.settled  # for the thread of the event loop alone
            assert eventually(lambda later=later, ask=settled: later.portal.call(ask) is not None)
            assert "Salt slows" in later.get(PAGE).text
            assert made == []
        library.write("writing/new.md", "---\ntitle: Another\nlang: en\n---\n\nAbout something else.\n")
        library.sync()


def copy(source, target):
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.mark.sqlite
def test_a_database_put_back_by_hand_has_no_pages_of_what_was_lost(library, monkeypatch, tmp_path):
    bread = library.content / "cooking/bread.md"
    before = bread.read_text()

    def rewrite(old, new):
        bread.write_text(before.replace(old, new))
        library.sync()

    file, kept = library.settings.data_dir / "omniracle.db", tmp_path / "kept.db"
    copy(file, kept)
    rewrite("Salt", "Much salt")
    with TestClient(create_app(library.settings)) as client:
        tell(client)
        lost = client.app.state.omniracle.watch.current()
    copy(kept, file)
    monkeypatch.setattr(page_cache, "RUN", "later")
    rewrite("Salt", "Little salt")
    library.database.version.raise_to(lost)
    library.database.catch_up()
    with TestClient(create_app(library.settings)) as client:
        assert "Little salt" in client.get(PAGE).text


@pytest.mark.parametrize("harm", ["deleted", "garbage", "a file"])
def test_without_the_file_pages_are_made(library, caplog, made, harm):
    folder = library.settings.pages_dir
    for _ in range(2):
        with TestClient(create_app(library.settings)) as client:
            tell(client)
            if harm == "deleted":
                shutil.rmtree(folder)
            assert "Salt slows" in client.get(PAGE).text
            client.get(f"{PAGE}?n=1")
            client.app.pages.tell()
        if harm == "a file" and folder.is_dir():
            shutil.rmtree(folder)
            folder.write_text("")
        elif harm == "garbage":
            for file in folder.iterdir():
                file.write_bytes(b"garbage" * 1000)
    told = [record for record in caplog.records if "pages are not shared" in record.getMessage()]
    assert len(told) == (0 if harm == "deleted" else 1)


def altered(file, rng):
    """Write over it here and there."""
    content = bytearray(file.read_bytes())
    for _ in range(20):
        at = rng.randrange(100, max(101, len(content)))
        content[at : at + 4] = rng.randbytes(4)
    with file.open("r+b") as opened:
        opened.write(content)


def truncated(file, rng):
    os.truncate(file, rng.randrange(max(1, file.stat().st_size)))


def deleted(file, _rng):
    file.unlink()


@pytest.mark.parametrize("coding", DECODED)
@pytest.mark.parametrize("harm", [altered, truncated, deleted])
def test_a_file_that_is_damaged_while_workers_run_costs_only_speed(client, other, library, caplog, harm, coding):
    client.headers["Accept-Encoding"] = other.headers["Accept-Encoding"] = coding
    tell(client)
    addresses = [f"{PAGE}?n={number}" for number in range(3)]
    good = {address: NUMBER.sub("", client.get(address).text) for address in addresses}
    for seed in range(20):
        for address in addresses:
            client.get(address)
        client.app.pages.tell()
        for file in *library.settings.pages_dir.glob("*.db"), *library.settings.pages_dir.glob("*-wal"):
            harm(file, random.Random(seed))
        for worker in (client, other):
            worker.app.pages._asked.clear()
            worker.app.pages._pages.clear()
            for address in addresses:
                answer = worker.get(address)
                assert (answer.status_code, NUMBER.sub("", answer.text)) == (200, good[address])
    told = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == (0 if harm is deleted else 2)  # once by each


@pytest.mark.parametrize(
    "change", ["about = '{}'", "head = x'00'", "tail = x'3c70'", "version = 'x'", "good_until = 'x'", "key = x'00'",
               "head = (SELECT head FROM page ORDER BY id DESC LIMIT 1)"],
)  # fmt: skip
def test_what_is_not_as_it_was_kept_is_not_sent(client, other, change):
    client.get("/questions/salt")
    tell(client)
    good = NUMBER.sub("", client.get(PAGE).text)
    with closing(_connect(client)) as connection, connection:
        connection.execute(f"UPDATE page SET {change} WHERE id = (SELECT min(id) FROM page)")
    answer = other.get(PAGE)
    assert (answer.status_code, NUMBER.sub("", answer.text)) == (200, good)


def test_the_oldest_ones_go_when_the_file_is_full(client, made, monkeypatch):
    monkeypatch.setattr(shared_pages, "MAX_BYTES", 100_000)
    tell(client)
    for number in range(60):
        client.get(f"{PAGE}?n={number}")
        client.app.pages.tell()
    assert 5 < _count(client) < 30
    with closing(_connect(client)) as connection:
        assert shared_pages._bytes(connection) <= 100_000
    client.app.pages._asked.clear()
    client.app.pages._pages.clear()
    made.clear()
    client.get(f"{PAGE}?n=59")
    client.get(f"{PAGE}?n=0")
    assert made == ["bread"]


def _connect(client) -> sqlite3.Connection:
    (file,) = client.app.state.omniracle.settings.pages_dir.glob("*.db")
    return sqlite3.connect(file)


def _count(client) -> int:
    with closing(_connect(client)) as connection:
        return connection.execute("SELECT count(*) FROM page").fetchone()[0]
