"""The search page and its API beyond the plain hit."""

import pytest

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
