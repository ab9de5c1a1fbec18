"""Searches that find nothing, and what becomes of them."""

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from app.services import wanting
from app.services.limits import UNANSWERED, RateLimits
from app.storage import wanted
from app.web import state
from app.web.application import create_app
from tests.web.test_query_counts import counting

pytestmark = pytest.mark.searches

ATOM = "{http://www.w3.org/2005/Atom}"


def flushed(client):
    client.app.state.omniracle.wanted.flush(everything=True)
    return client.get("/wanted").text


def test_a_search_without_results_helps_on_and_is_listed(client):
    html = client.get("/search", params={"q": "zebrafish quokka"}).text
    assert "Request this answer" in html
    assert "salt" in html  # popular questions, for nothing is near
    html = flushed(client)
    assert "zebrafish quokka" in html
    assert 'href="/contribute?title=zebrafish+quokka"' in html


def test_near_questions_are_offered_by_their_characters(client):
    html = client.get("/search", params={"q": "馆藏书"}).text
    assert "You may be looking for" in html
    assert 'href="/questions/traditional"' in html


def test_a_stricter_search_than_needed_is_loosened(client):
    html = client.get("/search", params={"q": '"salt yeast"'}).text
    assert 'href="/search?q=salt+yeast"' in html


def test_variants_and_keystrokes_of_one_typing_count_once(client):
    for text in ("zebra", "zebrafis", "zebrafish", "ZEBRAFISH", "Ｚebrafish"):
        client.get("/search", params={"q": text})
    html = flushed(client)
    assert html.count('id="wanted-') == 1
    assert ">zebrafish</a>" in html
    assert "Searched once<" in html


def test_the_same_is_counted_again_only_after_a_while(client, monkeypatch):
    client.get("/search", params={"q": "zebrafish"})
    flushed(client)
    client.get("/search", params={"q": "zebrafishes"})  # another worker saw the same reader
    html = flushed(client)
    assert html.count('id="wanted-') == 1
    assert "Searched once<" in html
    monkeypatch.setattr(wanting, "TYPING", timedelta(seconds=-1))
    client.get("/search", params={"q": "zebrafishes"})
    assert "Searched 2 times" in flushed(client)


@pytest.mark.parametrize("text", ["sk-abcdEFGH1234abcdEFGH1234zz", "password hunter2zzq", "token: a1b2c3d4e5"])
def test_secrets_are_not_published(client, text):
    client.get("/search", params={"q": f"{text} zzz"})
    assert 'id="wanted-' not in flushed(client)


def test_operators_are_not_part_of_what_is_wanted(client):
    client.get("/search", params={"q": 'lang:en "quokka zzq" -salt'})
    assert ">quokka zzq</a>" in flushed(client)


def test_one_reader_asks_once(client):
    for text in ("What is a zebrafish?", "what is a ZEBRAFISH?"):
        client.post("/wanted", data={"q": text})
    assert "requested by 1 reader" in client.get("/wanted").text


def test_no_query_breaks_the_feed(client):
    client.get("/search", params={"q": "\ufffeqzz\uffff\x01 zzq"})
    flushed(client)
    (entry,) = ET.fromstring(client.get("/wanted/feed.atom").text).findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "qzz zzq"


def test_keystrokes_that_several_workers_saw_count_once(client):
    for text in ("zebra", "zebrafish with", "zebrafish wi"):
        client.get("/search", params={"q": text})
        html = flushed(client)  # each is written down by itself, as by workers of their own
    assert html.count('id="wanted-') == 1
    assert ">zebrafish with</a>" in html
    assert "Searched once<" in html


def test_asking_is_counted_and_shown_at_once(client):
    response = client.post("/wanted", data={"q": "What is a zebrafish?"})
    assert (response.status_code, response.headers["Location"]) == (303, "/wanted")
    assert "requested by 1 reader" in client.get("/wanted").text


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "me@example.org", "+49 (0) 170 123 45 67", "???"])
def test_what_is_no_question_or_personal_is_not_kept(client, text):
    for _ in range(2):
        assert client.post("/wanted", data={"q": text}).status_code == 400
    assert 'id="wanted-' not in flushed(client)


def test_an_answer_closes_it(client, library):
    client.post("/wanted", data={"q": "hot oolong"})
    library.write("cooking/tea.md", "---\ntitle: How hot is oolong?\nlang: en\n---\nNinety degrees.\n")
    library.sync()
    client.app.state.omniracle.tend()
    assert 'id="wanted-' not in client.get("/wanted").text


def test_one_worker_looks_for_answers(client, library, monkeypatch):
    looked = []
    close_answered = state.close_answered

    def spied(database, index, after):
        looked.append(database)
        return close_answered(database, index, after)

    monkeypatch.setattr(state, "close_answered", spied)
    with TestClient(create_app(library.settings)) as other:
        workers = [each.app.state.omniracle for each in (client, other)]
        monkeypatch.setattr(workers[1].table, "slot", 1)  # both are in this process
        for number in range(3):
            library.write("cooking/tea.md", f"---\ntitle: How hot is oolong {number}?\nlang: en\n---\nVery.\n")
            library.sync()
            looked.clear()
            for worker in (*reversed(workers), *workers):
                worker.tend()
            assert set(looked) == {workers[0].database}


def test_the_feed_is_atom(client):
    empty = ET.fromstring(client.get("/wanted/feed.atom").text)
    assert empty.find(f"{ATOM}entry") is None
    client.post("/wanted", data={"q": "zebras & <fish>"})
    response = client.get("/wanted/feed.atom")
    assert response.headers["Content-Type"].startswith("application/atom+xml")
    feed = ET.fromstring(response.text)
    for name in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{name}")
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "zebras & <fish>"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", entry.findtext(f"{ATOM}updated"))


def test_pages_with_filters_are_not_recorded(client):
    client.get("/search", params={"q": "zebrafish", "lang": "en"})
    assert 'id="wanted-' not in flushed(client)


def test_a_flood_is_written_down_in_a_few_statements_and_displaces_little(library):
    recorder = wanting.WantedRecorder(library.database)
    recorder.note("quokka")
    recorder.flush(everything=True)
    for _ in range(2):
        for number in range(3 * wanting.MAX_NOTED):
            recorder.note(f"word{number} zzq")
        with counting(library.database.engine) as asked:
            recorder.flush(everything=True)
        assert len(asked) < 12
    with library.database.read() as session:
        entries = wanted.list_page(session, number=1, size=1000).items
    assert len(entries) == wanting.NEW_SEARCHED
    assert "quokka" in {entry.query for entry in entries}


def test_what_is_known_or_asked_for_is_counted_in_a_flood_too(library, monkeypatch):
    monkeypatch.setattr(wanting, "TYPING", timedelta(seconds=-1))
    monkeypatch.setattr(wanting, "NEW_SEARCHED", 2)
    monkeypatch.setattr(wanting, "NEW_ASKED", 3)
    recorder = wanting.WantedRecorder(library.database)
    for text, asked in (("quokka", False), ("zebra", False), ("numbat", False), ("quokka", False), ("okapi", True)):
        recorder.note(text, asked=asked)
        assert recorder.flush(everything=True)
    recorder.note("tapir", asked=True)
    assert not recorder.flush(everything=True)
    with library.database.read() as session:
        entries = wanted.list_page(session, number=1, size=1000).items
    assert [(entry.query, entry.searches, entry.asks) for entry in entries] == [
        ("okapi", 1, 1),
        ("quokka", 2, 0),
        ("zebra", 1, 0),
    ]


def test_who_asks_when_the_hour_is_full_is_told_so(client, monkeypatch):
    monkeypatch.setattr(wanting, "NEW_ASKED", 1)
    assert client.post("/wanted", data={"q": "okapi or giraffe"}).status_code == 303
    for _ in range(2):
        refused = client.post("/wanted", data={"q": "tapir or pig"})
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "3600"
    assert "tapir" not in client.get("/wanted").text
    monkeypatch.setattr(wanting, "NEW_ASKED", 2)
    assert client.post("/wanted", data={"q": "tapir or pig"}).status_code == 303
    assert "tapir" in client.get("/wanted").text


def test_who_asks_is_noted_although_a_flood_is(library):
    recorder = wanting.WantedRecorder(library.database)
    for number in range(2 * wanting.MAX_NOTED):
        recorder.note(f"word{number} zzq")
    recorder.note("What is a zebrafish?", asked=True)
    recorder.flush(everything=True)
    with library.database.read() as session:
        (first, *_) = wanted.list_page(session, number=1, size=1).items
    assert first.query == "What is a zebrafish?"


def test_the_least_wanted_is_forgotten(library, monkeypatch):
    monkeypatch.setattr(wanted, "MAX_OPEN", 3)
    recorder = wanting.WantedRecorder(library.database)
    recorder.note("okapi", asked=True)
    for text in ("quokka", "zebra", "numbat"):
        recorder.note(text)
        recorder.flush(everything=True)
    with library.database.read() as session:
        entries = wanted.list_page(session, number=1, size=9).items
    assert [entry.query for entry in entries] == ["okapi", "numbat", "zebra"]


def test_one_address_is_noted_so_often_and_answered_on(client):
    client.app.state.omniracle.limits = RateLimits(client.app.state.omniracle.database, b"x", {UNANSWERED: 2})
    for text in ("quokka", "zebra", "numbat"):
        assert client.get("/search", params={"q": f"{text} zzq"}).status_code == 200
    html = flushed(client)
    assert html.count('id="wanted-') == 2
    assert "numbat zzq" not in html
