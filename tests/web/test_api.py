"""The JSON shapes of the handbook's contract."""

import os
import re
import shutil

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from app.models import RateCount
from app.search.index import SearchIndex
from app.services.relating import RelatedQuestions
from app.storage import articles
from app.web.application import create_app


def test_search(client):
    body = client.get("/api/v1/search", params={"q": "任務分配", "limit": 1}).json()
    assert list(body) == ["query", "total", "took_ms", "generation", "did_you_mean", "hits"]
    (hit,) = body["hits"]
    assert list(hit) == ["slug", "url", "title", "lang", "tags", "excerpt_html", "score", "matched", "updated_at"]
    assert hit["slug"] == "workers-zh"
    assert hit["matched"] == ["variant"]
    assert hit["url"] == "http://testserver/questions/workers-zh"


def test_search_narrows_and_skips(client):
    everything = client.get("/api/v1/search", params={"q": "fastapi"}).json()
    assert everything["total"] == len(everything["hits"]) == 3
    rest = client.get("/api/v1/search", params={"q": "fastapi", "offset": 1}).json()
    assert [hit["slug"] for hit in rest["hits"]] == [hit["slug"] for hit in everything["hits"][1:]]
    english = client.get("/api/v1/search", params={"q": "fastapi", "lang": "en", "tag": "deployment"}).json()
    assert [hit["slug"] for hit in english["hits"]] == ["workers-en"]


def test_an_empty_search_finds_nothing(client):
    assert client.get("/api/v1/search").json()["total"] == 0


def test_list(client):
    body = client.get("/api/v1/questions", params={"tag": "fastapi"}).json()
    assert (body["total"], body["page"], body["pages"]) == (3, 1, 1)
    assert set(body["items"][0]) == {"slug", "url", "title", "lang", "tags", "excerpt", "updated_at"}
    assert [item["slug"] for item in body["items"]] == ["workers-en", "workers-zh", "background-tasks"]


@pytest.mark.parametrize("path", ["/api/v1/questions/workers-zh", "/questions/workers-zh.json"])
def test_question(client, path):
    response = client.get(path)
    body = response.json()
    assert body["slug"] == "workers-zh"
    assert body["body_markdown"].lstrip().startswith("没有谁分配任务")
    assert "<p>没有谁分配任务" in body["body_html"]
    assert [(card["section"], card["site"]) for card in body["resources"]] == [
        ("resources", "uvicorn.dev"),
        ("more", "docs.python.org"),
    ]
    assert body["revision"] == 1
    assert response.headers["ETag"].startswith('"1-')
    assert {"related", "updated_at", "tags", "lang", "title", "url"} <= set(body)
    assert (body["published"], body["verified"], body["review_after"]) == ("2026-01-02", None, None)
    assert body["aliases"] == ["old-workers"]
    assert body["translations"] == [
        {
            "slug": "workers-en",
            "url": "http://testserver/questions/workers-en",
            "title": "How are requests distributed to workers?",
            "lang": "en",
        }
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/questions/none", 404),
        ("/api/v1/none", 404),
        ("/api/v1/questions?page=0", 404),
        ("/api/v1/search?q=" + "x" * 4600, 400),
        ("/api/v1/search?q=x&limit=0", 422),
        ("/api/v1/search?q=x&limit=1000", 422),
    ],
)
def test_errors_are_problem_json(client, path, status):
    response = client.get(path)
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["detail"]


def test_the_answering_worker(client):
    response = client.get("/-/worker")
    assert response.json()["pid"] == os.getpid()
    assert response.headers["Connection"] == "close"
    assert response.headers["Cache-Control"] == "no-store"


def test_all_workers(client):
    body = client.get("/-/workers.json").json()
    assert body["answered_by"] == os.getpid()
    (row,) = body["workers"]
    assert set(row) == {
        "slot", "pid", "started_at", "requests", "in_flight", "rss_bytes", "cpu_seconds", "loop_lag_ms",
        "heartbeat_age_s", "state", "host", "bytes_out", "last_request_at",
    }  # fmt: skip
    assert row["in_flight"] == 1
    before = row["requests"]
    client.get("/")
    assert client.get("/-/workers.json").json()["workers"][0]["requests"] == before + 2


def test_health(client, library):
    assert client.get("/livez").text == "ok\n"
    assert client.get("/readyz").text == "ready\n"


# Whoosh leaves the damaged file that it gives up on to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("lost", ["all", "build", "segments", "current", "table"])
def test_a_lost_index_is_rebuilt_by_a_worker_while_it_answers(client, library, lost):
    folder = library.settings.index_dir
    (build,) = [path for path in folder.iterdir() if path.is_dir()]
    match lost:
        case "all":
            shutil.rmtree(folder)
        case "build":
            shutil.rmtree(build)
        case "segments":
            for path in build.glob("*.pst"):
                path.unlink()
        case "current":
            (folder / "CURRENT").write_text("nonsense")
        case "table":
            for path in build.glob("_MAIN*"):
                path.write_bytes(b"\0" * 40)
    assert client.get("/questions/bread").status_code == 200
    assert client.get("/search?q=salt").status_code == 200
    client.app.state.omniracle.tend()
    assert library.index.is_whole()
    library.write("cooking/tea.md", "---\ntitle: How hot is oolong?\nlang: en\n---\nNinety degrees.\n")
    library.sync()
    assert client.get("/api/v1/search", params={"q": "oolong"}).json()["total"] == 1


def test_a_question_does_not_need_the_index(library):
    shutil.rmtree(library.settings.index_dir)
    related = RelatedQuestions(library.database, SearchIndex(library.settings.index_dir))
    with library.database.read() as session:
        cards = related.of(session, articles.find(session, "workers-en"), twins=[]).cards
    assert [card.slug for card in cards] == ["background-tasks"]  # the author's own choice


def test_filters_take_a_tag_and_a_language_as_people_write_them(client):
    for path in ("/api/v1/questions", "/api/v1/search"):
        body = client.get(path, params={"q": "fastapi", "tag": "FastAPI", "lang": "EN"}).json()
        assert body["total"] == 2


def test_a_missing_json_twin_is_a_problem_document(client):
    assert client.get("/questions/none.json").headers["Content-Type"] == "application/problem+json"


def test_reading_is_limited_over_all_workers_and_pages_are_not(library):
    settings = library.settings.model_copy(update={"api_reads": 30})
    with TestClient(create_app(settings)) as one, TestClient(create_app(settings)) as two:

        def ask(client, times):
            answers = [client.get("/api/v1/suggest", params={"q": "bread"}) for _ in range(times)]
            client.app.state.omniracle.limits.share()  # which it does every second
            return answers

        assert {answer.status_code for answer in ask(one, 20) + ask(two, 9)} == {200}
        assert [answer.status_code for answer in ask(two, 3)] == [200, 429, 429]
        refused = (ask(one, 9) + ask(one, 2))[-1]
        assert refused.status_code == 429
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert one.get("/search?q=bread").status_code == 200


def test_reading_waits_for_nobody_who_writes(client, library):
    with library.database.write():
        assert client.get("/api/v1/search?q=bread").status_code == 200


def test_reading_may_be_without_limit(library):
    with TestClient(create_app(library.settings.model_copy(update={"api_reads": 0}))) as client:
        assert {client.get("/api/v1/suggest?q=bread").status_code for _ in range(60)} == {200}
        with library.database.read() as session:
            assert session.exec(select(RateCount)).all() == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/questions",
        "/api/v1/questions/workers-zh",
        "/api/v1/questions/workers-zh/revisions",
        "/api/v1/questions/workers-zh/revisions/1",
        "/api/v1/tags",
        "/api/v1/wanted",
        "/questions/workers-zh.md",
        "/questions/workers-zh.json",
        "/feed.atom",
    ],
)
def test_what_is_known_is_not_sent_again(client, path):
    first = client.get(path)
    assert first.status_code == 200
    tag = first.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == tag or (known == "*" and again.headers["ETag"] == tag.replace("-br", ""))
        assert again.headers.get("Vary", "") in first.headers.get("Vary", "")
        assert again.headers["X-Served-By"] == str(os.getpid())
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_change_makes_another_etag(client, library):
    before = client.get("/api/v1/questions").headers["ETag"]
    text = (library.content / "cooking/bread.md").read_text()
    library.write("cooking/bread.md", text + "\nMore.\n")
    library.sync()
    assert client.get("/api/v1/questions", headers={"If-None-Match": before}).status_code == 200
    assert client.get("/api/v1/questions/bread", headers={"If-None-Match": '"1"'}).status_code == 200


def test_what_stands_around_an_answer_makes_another_etag(client, library):
    path = "/api/v1/questions/workers-en"
    before = client.get(path)
    assert before.json()["related"][0]["title"] == "How do background tasks run in FastAPI?"
    related = library.content / "fastapi/background-tasks.md"
    library.write("fastapi/background-tasks.md", related.read_text().replace("How do", "How exactly do"))
    library.sync()
    after = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json()["related"][0]["title"] == "How exactly do background tasks run in FastAPI?"
    assert after.json()["revision"] == 1


def test_topics(client):
    items = client.get("/api/v1/tags").json()["items"]
    assert items[0] == {"name": "fastapi", "url": "http://testserver/tags/fastapi", "count": 3}
    english = client.get("/api/v1/tags", params={"lang": "en"}).json()["items"]
    assert {"name": "fastapi", "url": "http://testserver/tags/fastapi", "count": 2} in english


def test_the_history_of_a_question(client, library):
    body = client.get("/api/v1/questions/workers-zh/revisions").json()
    assert (body["total"], body["page"], body["pages"]) == (1, 1, 1)
    assert body["items"][0]["url"] == "http://testserver/questions/workers-zh/revisions/1"
    whole = client.get("/api/v1/questions/workers-zh/revisions/1").json()
    assert whole["source"] == (library.content / "fastapi/workers-zh.md").read_text()
    moved = client.get("/api/v1/questions/old-workers/revisions/1")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/api/v1/questions/workers-zh/revisions/1")
    for missing in ("workers-zh/revisions/9", "workers-zh/revisions/0", "none/revisions", "none/revisions/1"):
        response = client.get(f"/api/v1/questions/{missing}")
        assert response.status_code == 404
        assert response.headers["Content-Type"] == "application/problem+json"


def test_what_is_wanted(client):
    client.post("/wanted", data={"q": "rye bread without yeast"})
    (item,) = client.get("/api/v1/wanted").json()["items"]
    assert (item["query"], item["asks"]) == ("rye bread without yeast", 1)


def test_the_documentation_shows_every_operation(client):
    html = client.get("/api/v1/docs").text
    described = client.get("/api/v1/openapi.json").json()
    for path, methods in described["paths"].items():
        for method in methods:
            assert f"<b>{method.upper()}</b> {path}" in html
    assert "`" not in html


@pytest.mark.parametrize(
    "path", ["/api/v1/search?q=fastapi", "/api/v1/suggest?q=fa", "/opensearch.xml", "/api/v1/questions/none"]
)
def test_what_depends_on_the_readers_language_says_so(client, path):
    assert "Accept-Language" in client.get(path).headers["Vary"]


def test_the_page_of_the_api_leaves_no_meaning_empty_and_has_chinese_headings(client):
    html = client.get("/api/v1/docs", headers={"Accept-Language": "zh-CN"}).text
    last_cells = re.findall(r'<td lang="en">(.*?)</td>', html)
    assert len(last_cells) > 100
    assert all(cell.strip() for cell in last_cells)
    assert "各项说明为英文" in html
    headings = re.findall(r"<(?:h2|h4|th|summary)[^>]*>(.*?)</", html)
    assert all(re.search(r"[\u4e00-\u9fff]", heading) for heading in headings)
