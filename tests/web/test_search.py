"""The search page and its API beyond the plain hit."""

import re

import pytest

pytestmark = pytest.mark.searches

SECTIONS = "---\ntitle: A long guide to gardening\nlang: en\n---\n" + "".join(
    f"## Part {name}\n\n{'Something is said about plants here. ' * 30} The word {name} stands in this part.\n\n"
    for name in ("alpha", "bravo", "charlie")
)


@pytest.fixture
def guide(library):
    library.write("garden/guide.md", SECTIONS)
    library.sync()


def hits(client, q, **params):
    return client.get("/api/v1/search", params={"q": q, **params}).json()["hits"]


def test_a_hit_on_a_long_answer_leads_to_its_section(client, guide):
    (hit,) = hits(client, "bravo")
    assert hit["url"].endswith("/questions/guide#part-bravo")
    assert "<mark>bravo</mark>" in hit["excerpt_html"]
    assert "› Part bravo" in client.get("/search", params={"q": "bravo"}).text


def test_the_question_itself_is_read_from_the_top(client, guide):
    assert hits(client, "gardening guide")[0]["url"].endswith("/questions/guide")


@pytest.mark.parametrize(
    ("q", "slug", "matched"),
    [
        ("salt", "bread", ["text"]),
        ("任務分給", "workers-zh", ["variant"]),
        ("brread", "bread", ["typo"]),
        ("bred", "bread", ["typo"]),
        ("slat", "bread", ["typo"]),
        ("breead salt", "bread", ["text", "typo"]),
        ("renwu celue", "workers-zh", ["pinyin"]),
        ("cèlüè", "workers-zh", ["pinyin"]),
        ("celve", "workers-zh", ["pinyin"]),
        ("tsg", "traditional", ["pinyin"]),
        ("backgrou", "background-tasks", ["prefix"]),
        ("软件", "traditional", ["variant"]),
    ],
)
def test_a_hit_says_how_it_was_found(client, q, slug, matched):
    hit = hits(client, q)[0]
    assert (hit["slug"], hit["matched"]) == (slug, matched)


def test_a_mistyped_word_is_corrected_and_said_so(client):
    body = client.get("/api/v1/search", params={"q": "why does braed need Slat"}).json()
    assert body["did_you_mean"] == "why does bread need salt"
    assert body["hits"][0]["slug"] == "bread"
    html = client.get("/search", params={"q": "braed"}).text
    assert 'href="/search?q=bread"' in html
    assert "spelling corrected" in html
    assert "/search?q=%22braed%22" in html  # the way back
    assert "No answer found" in client.get("/search", params={"q": '"braed"'}).text
    assert client.get("/api/v1/search", params={"q": "bread"}).json()["did_you_mean"] is None


def test_the_readers_language_comes_first_where_scores_are_near(client, library):
    for lang, text in (("en", "quokka"), ("zh", "quokka")):
        library.write(f"animals/q-{lang}.md", f"---\ntitle: quokka\nlang: {lang}\n---\n{text}\n")
    library.sync()
    for accepted, first in (("en", "q-en"), ("zh-CN", "q-zh")):
        body = client.get("/api/v1/search?q=quokka", headers={"Accept-Language": accepted}).json()
        assert body["hits"][0]["slug"] == first


def test_facets_count_the_matches_and_lead_to_them(client):
    html = client.get("/search", params={"q": "fastapi"}).text
    assert 'href="/search?q=fastapi&amp;lang=en"' in html
    assert client.get("/api/v1/search", params={"q": "fastapi", "lang": "en"}).json()["total"] == 2


@pytest.mark.parametrize("q", ["uvicorn worker", "asyncio.gather", "--workers", "python 3.12", "UvicornWorker"])
def test_identifiers_are_found(client, library, q):
    text = "Start UvicornWorker with --workers under Python 3.12 and asyncio.gather."
    library.write("code/id.md", f"---\ntitle: Names in code\nlang: en\n---\n{text}\n")
    library.sync()
    assert "id" in [hit["slug"] for hit in hits(client, q)]


def write(library, slug, title, body, lang="en", tags="x"):
    head = f"---\ntitle: {title}\nlang: {lang}\ntags: [{tags}]\n---\n"
    library.write(f"more/{slug}.md", f"{head}\n{body}\n")


def slugs(client, q, **more):
    return [hit["slug"] for hit in hits(client, q, **more)]


@pytest.mark.parametrize("q", ["-tag:fastapi workers", "workers -标签:fastapi"])
def test_a_topic_can_be_left_out(client, library, q):
    write(library, "bees", "Bees are workers", "In a hive.")
    library.sync()
    assert slugs(client, q) == ["bees"]


def test_a_language_can_be_left_out(client):
    assert set(slugs(client, "-lang:zh tag:fastapi")) == {"workers-en", "background-tasks"}


def test_filters_understand_other_spellings(client, library):
    write(library, "db", "数据库是什么", "数据库。", lang="zh", tags="数据库")
    library.sync()
    assert slugs(client, "tag:數據庫") == ["db"]
    assert "workers-zh" in slugs(client, "lang:zh-CN 分配")
    assert slugs(client, "图书馆 lang:zh-TW") == ["traditional"]
    assert {hit["lang"] for hit in hits(client, "lang:en lang:zh tag:fastapi")} == {"en", "zh"}


def test_a_filter_alone_is_a_search(client):
    assert len(hits(client, "", tag="fastapi")) == 3
    assert "How do background tasks" in client.get("/search", params={"tag": "fastapi"}).text


def test_options_of_commands_are_no_exclusions(client, library):
    write(library, "gunicorn", "How many workers does Gunicorn start?", "Run `gunicorn -w 4 -k uvicorn.workers.X`.")
    write(library, "venv", "How is a virtual environment made?", "Run `python -m venv .venv`.")
    library.sync()
    assert slugs(client, "gunicorn -w 4 -k uvicorn.workers")[0] == "gunicorn"
    assert slugs(client, "python -m venv")[0] == "venv"
    assert slugs(client, "workers -gunicorn")[0] != "gunicorn"


def test_the_counts_of_a_facet_are_what_its_choice_finds(client, library):
    write(library, "hant", "軟體工程", "軟體。", lang="zh-Hant")
    write(library, "hans", "软件工程", "软件。", lang="zh")
    library.sync()
    page = client.get("/search", params={"q": "软件"}).text
    counts = dict(re.findall(r'href="/search\?q=[^"]*lang=(zh[\w-]*)"[^>]*>[^<]*<span class="count">(\d+)', page))
    assert counts
    for lang, count in counts.items():
        assert client.get("/api/v1/search", params={"q": "软件", "lang": lang}).json()["total"] == int(count)


def test_as_typed_comes_before_the_other_script(client, library):
    write(library, "hant", "風力發電機如何檢修", "發電機。", lang="zh-Hant")
    write(library, "hans", "风力发电机如何检修", "发电机。", lang="zh")
    library.sync()
    assert slugs(client, "風力發電機如何檢修")[:2] == ["hant", "hans"]
    assert slugs(client, "风力发电机如何检修")[:2] == ["hans", "hant"]


def test_an_exact_word_comes_before_a_longer_one(client, library):
    write(library, "bird", "The quafflebird", "It flies.")
    write(library, "quaffle", "A ball game", "One needs a quaffle for it.")
    library.sync()
    assert slugs(client, "quaffle") == ["quaffle"]


def test_topics_count_more_than_text(client, library):
    write(library, "in-text", "One thing", "It has gyroscope in its text, and a few words more than that.")
    write(library, "in-topics", "Another thing", "It does not have it in its text at all.", tags="gyroscope")
    library.sync()
    assert slugs(client, "gyroscope") == ["in-topics", "in-text"]


def test_pinyin_ranks_titles_first_and_marks_them(client, library):
    write(library, "heading", "天气", "## 龙卷风预警\n\n如何。", lang="zh")
    write(library, "title", "龙卷风预警", "如何。", lang="zh")
    library.sync()
    found = hits(client, "longjuanfeng yujing")
    assert [hit["slug"] for hit in found] == ["title", "heading"]
    assert "<mark>龙卷风预警</mark>" in client.get("/search", params={"q": "longjuanfeng yujing"}).text


@pytest.mark.parametrize("q", ["lüe", "lve", "lue", "xi'an", "nü'er"])
def test_short_pinyin_is_found_where_it_is_no_word(client, library, q):
    write(library, "a", "攻略：西安的女儿", "如何。", lang="zh")
    library.sync()
    assert "a" in slugs(client, q)


def test_a_common_word_mistyped_by_others_too_is_still_corrected(client, library):
    for number in range(40):
        write(library, f"p-{number}", f"Python recipe number {number}", "Some Python.")
    write(library, "typo", "A recipe", "Some pyhton, mistyped.")
    library.sync()
    body = client.get("/api/v1/search", params={"q": "pyhton"}).json()
    assert body["did_you_mean"] == "python"
    assert body["total"] == 41


def test_words_of_several_parts_are_found_in_parts(client, library):
    write(library, "auth", "What does HTTPBasicCredentials hold?", "A name and a password.")
    write(library, "pool", "When does ThreadPoolExecutor end?", "After its work.")
    library.sync()
    assert slugs(client, "http basic credentials")[0] == "auth"
    assert slugs(client, "thread pool executor")[0] == "pool"


def test_regional_words_are_whole_words(client, library):
    write(library, "table", "打印表格的命令", "打印表格。", lang="zh")
    write(library, "printer", "印表機如何連線", "印表機。", lang="zh-Hant")
    library.sync()
    assert slugs(client, "打印机")[0] == "printer"


def test_phrases_of_frequent_words_are_exact(client, library):
    for number in range(30):
        write(library, f"n-{number}", f"Note {number}", "in some of the cases" if number % 3 else "it is in the end so")
    library.sync()
    assert client.get("/api/v1/search", params={"q": '"in the"', "limit": 1}).json()["total"] == 11
    assert client.get("/api/v1/search", params={"q": '"in the end"', "limit": 1}).json()["total"] == 10


def test_single_characters_can_be_quoted_and_left_out(client):
    assert slugs(client, '"灯"') == ["traditional"]
    assert slugs(client, "圖書館 -灯") == []


def test_a_long_answer_is_read_to_its_end(client, library):
    write(
        library, "long", "A long one", "Filler words here.\n\n" * 2000 + "## The section\n\nAbout zygomorphic flowers."
    )
    library.sync()
    (hit,) = hits(client, "zygomorphic")
    assert "<mark>zygomorphic</mark>" in hit["excerpt_html"]
    assert hit["url"].endswith("#the-section")


def test_scores_are_in_the_order_of_the_hits(client):
    for q in ("background tasks fastapi", "workers requests distributed", "how do tasks run"):
        scores = [hit["score"] for hit in hits(client, q)]
        assert scores == sorted(scores, reverse=True)


def test_what_shares_a_word_or_two_is_no_answer(client, library):
    for number in range(15):
        write(library, f"m-{number}", f"Matter {number}", "It is done in the best of ways." if number < 6 else "In it.")
    library.sync()
    assert slugs(client, "best pizza delivery in Naples") == []


def test_what_has_a_part_of_a_good_query_comes_after_what_has_all(client):
    assert slugs(client, "workers 策略")[0] == "workers-zh"
    assert len(slugs(client, "workers 策略")) > 1


@pytest.mark.parametrize("q", ["x" * 2000, "how to " * 290, " ".join(f"w{n}" for n in range(300)), "任务" * 900])
def test_long_texts_are_searched(client, q):
    assert client.get("/search", params={"q": q}).status_code == 200
