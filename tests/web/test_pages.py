"""What people see at each address."""

import os
import re
from datetime import UTC, datetime

import pytest

from app.web import language
from app.web.times import format_datetime

PAGES = (
    "/",
    "/questions",
    "/questions?sort=updated&lang=zh",
    "/questions?tag=fastapi",
    "/questions/workers-zh",
    "/questions/workers-zh/history",
    "/questions/workers-zh/revisions/1",
    "/tags",
    "/tags/fastapi",
    "/search",
    "/search?q=workers",
    "/search?q=nothinglikeit",
    "/about",
    "/wanted",
    "/api/v1/docs",
)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["en", "zh-CN"])
def test_every_page_is_whole(client, path, lang):
    response = client.get(path, headers={"Accept-Language": lang})
    assert response.status_code == 200
    html = response.text
    assert f'<html lang="{"en" if lang == "en" else "zh-Hans"}"' in html
    assert len(re.findall(r"<h1[ >]", html)) == 1
    assert re.search(r"<title[^>]*>\s*\S.*?</title>", html, re.DOTALL)
    assert str(os.getpid()) in html
    assert response.headers["X-Served-By"] == str(os.getpid())
    assert "<script>" not in html
    assert " style=" not in html
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_works_in_an_empty_library_or_is_a_page_not_found(empty_client, path):
    response = empty_client.get(path)
    assert response.status_code in (200, 404)
    assert "<h1" in response.text


def test_the_question_page_shows_everything(client):
    html = client.get("/questions/workers-zh").text
    assert "FastAPI 设置 workers 后" in html
    assert "没有谁分配任务" in html
    assert "https://uvicorn.dev/deployment/" in html
    assert "https://docs.python.org/3/library/asyncio.html" in html
    assert 'href="/questions/workers-en"' in html
    assert 'href="/tags/fastapi"' in html
    assert 'href="/questions/workers-zh/history"' in html
    assert html.count("共享的监听套接字") >= 2  # heading and contents list


def test_related_questions_come_from_the_index_too(client):
    html = client.get("/questions/background-tasks").text
    assert 'href="/questions/workers-en"' in html
    assert 'href="/questions/bread"' not in html


def test_an_alias_leads_to_the_question_for_good(client):
    for ending in ("", ".md", ".json", "/history"):
        response = client.get(f"/questions/old-workers{ending}")
        assert response.status_code == 301
        assert response.headers["Location"] == f"/questions/workers-zh{ending}"


def test_the_markdown_is_the_exact_file(client, library):
    response = client.get("/questions/bread.md")
    assert response.headers["Content-Type"].startswith("text/markdown")
    assert response.content == (library.content / "cooking/bread.md").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/nothing/here",
        "/questions/none",
        "/questions/none.md",
        "/questions/bread/revisions/2",
        "/questions/bread/revisions/x",
        "/questions?page=0",
        "/questions?page=99",
        "/questions?page=abc",
        "/questions?page=%D9%A1",
        "/questions?sort=random",
        "/search?q=salt&page=7",
        "/tags/none",
        "/tags/fastapi?page=2",
        "/static/x/none.css",
    ],
)
def test_what_does_not_exist_is_a_helpful_404(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert "<h1" in response.text
    assert "Traceback" not in response.text


def test_a_404_searches_for_the_words_of_the_address(client):
    html = client.get("/questions/bread-and-salt").text
    assert 'href="/questions/bread"' in html


def test_a_query_that_is_too_long_is_told_so_and_kept(client):
    response = client.get("/search", params={"q": "salt " * 1000})
    assert response.status_code == 400
    assert "salt salt" in response.text
    zh = client.get("/search", params={"q": "salt " * 1000}, headers={"Accept-Language": "zh"})
    assert "字符" in zh.text or "字" in zh.text


def test_search_marks_what_was_found_and_escapes_the_rest(client):
    html = client.get("/search", params={"q": "salt <script>alert(1)</script>"}).text
    assert "<mark>salt</mark>" in html
    assert "<script>alert" not in html


def test_head_is_get_without_a_body(client):
    response = client.head("/questions/bread")
    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["X-Served-By"]


def test_reading_makes_popular(client, library):
    for _ in range(3):
        client.get("/questions/bread")
    client.app.state.omniracle.views.flush()
    items = client.get("/api/v1/questions?sort=popular").json()["items"]
    assert items[0]["slug"] == "bread"


@pytest.mark.parametrize("name", ["site.css", "js/main.js", "favicon.svg"])
def test_static_files_have_an_address_per_content(client, name):
    from app.web.templating import assets

    response = client.get(assets().url(name))
    assert response.status_code == 200
    assert "immutable" in response.headers["Cache-Control"]
    old = client.get(f"/static/000000000000/{name}")
    assert old.content == response.content
    assert "immutable" not in old.headers["Cache-Control"]


def test_pages_of_a_long_list(client, library):
    for number in range(45):
        library.write(f"many/n{number:02}.md", f"---\ntitle: Number {number}\nlang: en\n---\nText.\n")
    library.sync()
    first = client.get("/questions").text
    assert "page=2" in first
    last = client.get("/questions?page=3")
    assert last.status_code == 200
    assert client.get("/questions?page=4").status_code == 404


def test_an_unexpected_error_is_a_page_that_names_the_worker_and_tells_nothing_else(client, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("app.web.routes.tags.tags.counted", fail)
    response = client.get("/tags", headers={"Accept-Language": "zh"})
    assert response.status_code == 500
    assert response.headers["X-Served-By"] == str(os.getpid())
    assert "script-src" in response.headers["Content-Security-Policy"]
    assert "secret detail" not in response.text
    assert "出错了" in response.text


@pytest.mark.parametrize(
    "path", ["/questions/bread/revisions/abc", "/-/experiments/abc", "/questions/bread/revisions/-1"]
)
def test_an_address_with_a_number_that_is_none_leads_nowhere(client, path):
    assert client.get(path, headers={"Accept": "text/html"}).status_code == 404


def test_a_question_leads_to_those_before_and_after_it_in_its_topic(client):
    first = client.get("/questions/background-tasks").text  # both in English and on fastapi; the Chinese one is not
    second = client.get("/questions/workers-en").text
    assert 'class="neighbour next" href="/questions/workers-en" rel="next"' in first
    assert 'rel="prev"' not in first
    assert 'class="neighbour prev" href="/questions/background-tasks" rel="prev"' in second
    assert 'rel="next"' not in second
    assert "neighbours" not in client.get("/questions/bread").text


def test_the_revision_line_counts(client, library):
    assert "Not revised yet" in client.get("/questions/bread").text
    library.write(
        "cooking/bread.md", (library.content / "cooking/bread.md").read_text() + "\nAnd it keeps the bread fresh.\n"
    )
    library.sync()
    assert "Revised once</a>, last on" in client.get("/questions/bread").text


def test_topics_show_their_newest_questions(client):
    html = client.get("/tags").text
    card = re.search(r'<li class="topic-card">\s*<h2><a href="/tags/fastapi">.*?</ul>', html, re.DOTALL)
    assert card is not None
    assert len(re.findall(r'href="/questions/', card[0])) == 2


@pytest.mark.parametrize("coding", ["br", "gzip"])
@pytest.mark.parametrize("path", ["/", "/questions/workers-zh", "/search?q=workers"])
def test_a_first_page_and_its_style_are_small_on_the_line(client, path, coding):
    client.headers["Accept-Encoding"] = f"{coding}, zstd;q=0.5"
    html = client.get(path)
    address = re.search(r'href="(/static/[^"]+/site\.css)"', html.text)
    assert address is not None
    style = client.get(address[1])
    sent = 0
    for response in (html, style):
        assert response.headers["Content-Encoding"] == coding
        assert "Accept-Encoding" in response.headers["Vary"]
        sent += int(response.headers["Content-Length"])
    assert sent < 50_000
    for other in ("identity", "", "br;q=0, gzip; q=0.0", "brotli", "x-gzip-y"):
        plain = client.get(address[1], headers={"Accept-Encoding": other})
        assert "Content-Encoding" not in plain.headers, other
        assert plain.text == style.text


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", True),  # by brotli
        ("gzip; q=0.000, *, br;q=0", False),
        ("*;q=0", False),
        ("xgzip", False),
        ("identity", False),
    ],
)
@pytest.mark.parametrize("path", ["/", "/feed.atom", "style"])
def test_only_who_accepts_it_gets_it_compressed(client, path, accepted, is_packed):
    if path == "style":
        path = re.search(r'"(/static/[^"]+/site\.css)"', client.get("/").text)[1]
    answer = client.get(path, headers={"Accept-Encoding": accepted})
    assert ("Content-Encoding" in answer.headers) == is_packed
    assert answer.headers["Vary"].split(", ").count("Accept-Encoding") == 1


def test_other_bytes_have_another_etag(client, library):
    library.write("long.md", f"---\ntitle: Long\nlang: en\nslug: long\n---\n\n{'Many words. ' * 200}\n")
    library.sync()
    for path in ("/feed.atom", "/questions/long.md", "/api/v1/questions/long"):
        tags = {}
        for encoding in ("gzip", "identity"):
            first = client.get(path, headers={"Accept-Encoding": encoding})
            tags[encoding] = first.headers["ETag"]
            assert not tags[encoding].startswith("W/")
            for known in (tags[encoding], f'"other", W/{tags[encoding]}'):
                again = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": known})
                assert (again.status_code, again.headers["ETag"]) == (304, tags[encoding])
                assert again.headers["Vary"] == first.headers["Vary"]
        assert tags["gzip"] != tags["identity"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", "GET, HEAD"),
        ("/wanted", "GET, HEAD, POST"),
        ("/questions/bread", "GET, HEAD"),
        ("/questions/bread/edit", "GET, HEAD, POST"),
        ("/questions/bread/deletion", "POST"),
        ("/api/v1/questions", "GET, HEAD, POST"),
        ("/api/v1/questions/bread", "GET, HEAD, PUT"),
        ("/api/v1/openapi.json", "GET, HEAD"),
        ("/mcp", "POST"),
    ],
)
def test_who_uses_a_wrong_method_is_told_all_right_ones(client, path, allowed):
    for method in ("PATCH", "OPTIONS"):
        answer = client.request(method, path)
        assert answer.status_code == 405
        assert ", ".join(sorted(answer.headers["Allow"].split(", "))) == allowed


def test_the_home_page_prefers_the_readers_language_where_there_is_enough_of_it(client, library):
    assert "Why does bread need salt?" in client.get("/", headers={"Accept-Language": "zh"}).text
    for number in range(6):
        library.write(f"zh/{number}.md", f"---\ntitle: 第 {number} 个问题\nlang: zh\n---\n\n答案。\n")
    library.sync()
    chinese = client.get("/", headers={"Accept-Language": "zh"}).text
    assert "第 5 个问题" in chinese
    assert "Why does bread need salt?" not in chinese
    assert "Why does bread need salt?" in client.get("/", headers={"Accept-Language": "en"}).text


def test_an_answer_from_right_to_left_runs_so_and_the_interface_around_it_does_not(client, library):
    library.write(
        "ar/salt.md", "---\ntitle: لماذا يحتاج الخبز إلى الملح؟\nlang: ar\nslug: salt-ar\n---\n\nيبطئ الملح الخميرة.\n"
    )
    library.sync()
    html = client.get("/questions/salt-ar").text
    assert '<article class="answer" lang="ar" dir="rtl">' in html
    assert '<footer class="answer-foot" lang="en" dir="ltr">' in html
    assert 'lang="ar" dir="rtl"><a href="/questions/salt-ar">' in client.get("/questions").text


@pytest.mark.parametrize("path", ["/questions", "/tags/fastapi"])
def test_a_language_counts_what_it_lists(client, library, path):
    library.write("more/hant.md", "---\ntitle: 如何設定工作程序\nlang: zh-Hant\ntags: [fastapi]\n---\n多個程序。\n")
    library.sync()
    html = client.get(path).text
    for lang in ("zh", "zh-Hant", "en"):
        count = re.search(rf'href="[^"]*lang={lang}[&"][^>]*>[^<]* <span class="count">(\d+)<', html)[1]
        assert f'\n  <p class="page-count">{count} question' in client.get(path, params={"lang": lang}).text


def test_a_page_beyond_the_last_guesses_nothing_from_the_name_of_its_list(client):
    html = client.get("/questions?page=99").text
    assert "There is no page 99. The last page is 1." in html
    assert "You may be looking for" not in html
    assert 'value="questions"' not in html


def test_who_wanted_to_write_learns_why_to_sign_in(client):
    why = "With an account you can write and improve answers."
    for path in ("/contribute", "/questions/bread/edit"):
        sent = client.get(path, headers={"Accept": "text/html"})
        assert sent.status_code == 303
        assert why in client.get(sent.headers["Location"]).text
    assert why not in client.get("/sign-in?next=/tags").text


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Nov 30, 2026, 2:56\u202fPM UTC"), ("zh-Hans", "2026年11月30日 14:56 UTC")]
)
def test_a_moment_is_written_as_its_language_writes_it(lang, words):
    token = language.current.set(lang)
    try:
        assert format_datetime(datetime(2026, 11, 30, 14, 56, tzinfo=UTC)) == words
    finally:
        language.current.reset(token)
