"""What machines read: feeds, the map, robots.txt, the search box of browsers, linked data, Markdown."""

import json
import re
from datetime import datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest

from app.models import Role
from app.web.routes import crawlers, feeds, wanted

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


def feed_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.content)
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.iter(f"{ATOM}entry")):  # RFC 4287, section 4.1: each has one of these
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1, name
        assert datetime.fromisoformat(element.find(f"{ATOM}updated").text).tzinfo is not None
        assert element.find(f"{ATOM}id").text.startswith("urn:uuid:")
    assert feed.find(f"{ATOM}link[@rel='self']").get("href") == f"http://testserver{path}"
    assert len({entry.find(f"{ATOM}id").text for entry in feed.iter(f"{ATOM}entry")}) == len(
        list(feed.iter(f"{ATOM}entry"))
    )
    return feed


def titles(feed):
    return [entry.find(f"{ATOM}title").text for entry in feed.iter(f"{ATOM}entry")]


def test_the_feed_of_all_questions(client):
    feed = feed_of(client, "/feed.atom")
    assert len(titles(feed)) == 5
    entry = next(entry for entry in feed.iter(f"{ATOM}entry") if "没有" in entry.find(f"{ATOM}content").text)
    content = entry.find(f"{ATOM}content")
    assert content.get("type") == "html"
    assert content.text.startswith("<p>没有谁分配任务")
    assert [each.get("term") for each in entry.findall(f"{ATOM}category")] == ["fastapi", "deployment"]


def test_the_feed_of_a_topic(client):
    assert len(titles(feed_of(client, "/tags/fastapi/feed.atom"))) == 3
    assert client.get("/tags/none/feed.atom").status_code == 404
    assert 'href="/tags/fastapi/feed.atom"' in client.get("/tags/fastapi").text


@pytest.mark.parametrize("name", ["FastAPI", "fastapi ", "ＦａｓｔＡＰＩ"])
@pytest.mark.parametrize("rest", ["", "/feed.atom", "/feed.atom?from=reader", "?sort=updated&lang=en"])
def test_a_topic_in_another_spelling_leads_to_it(client, name, rest):
    moved = client.get(f"/tags/{quote(name)}{rest}")
    assert (moved.status_code, moved.headers["Location"]) == (301, f"/tags/fastapi{rest}")


def test_the_feed_of_a_history(client):
    assert titles(feed_of(client, "/questions/bread/history.atom")) == ["Revision 1"]
    moved = client.get("/questions/old-workers/history.atom")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/questions/workers-zh/history.atom")


def test_no_feed_grows_for_ever(client, library, monkeypatch):
    monkeypatch.setattr(feeds, "FEED_SIZE", 2)
    monkeypatch.setattr(wanted, "FEED_SIZE", 2)
    source = (library.content / "cooking/bread.md").read_text()
    for number in range(3):
        library.write("cooking/bread.md", f"{source}\nState {number}.\n")
        library.sync()
        client.post("/wanted", data={"q": f"how many loaves are {number}"})
    newest = {path: titles(feed_of(client, path)) for path in ("/feed.atom", "/questions/bread/history.atom")}
    assert newest["/feed.atom"][0] == "Why does bread need salt?"
    assert newest["/questions/bread/history.atom"] == ["Revision 4", "Revision 3"]
    for path in (*newest, "/tags/fastapi/feed.atom", "/wanted/feed.atom"):
        assert len(titles(feed_of(client, path))) == 2


def test_what_authors_write_stays_text_in_a_feed(client, signed_in):
    title = 'Is <b>1 & 2</b> ]]> "quoted"?'
    form = {"title": title, "body": "A <script>alert(1)</script> & `<code>` [x](/questions/bread)", "action": "save"}
    assert signed_in(Role.REVIEWER).post("/contribute", data=form).status_code == 303
    feed = feed_of(client, "/feed.atom")
    assert titles(feed)[0] == title
    content = next(feed.iter(f"{ATOM}entry")).find(f"{ATOM}content").text
    assert "<script" not in content
    assert 'href="http://testserver/questions/bread"' in content


def test_the_map_has_every_page_once(client):
    root = ET.fromstring(client.get("/sitemap.xml").content)
    addresses = [each.text for each in root.iter(f"{MAP}loc")]
    assert len(addresses) == len(set(addresses))
    assert {"http://testserver/", "http://testserver/questions/bread", "http://testserver/tags/fastapi"} <= set(
        addresses
    )
    for address in addresses:
        assert client.get(address.removeprefix("http://testserver")).status_code == 200, address


def mapped(client, path):
    """The addresses that a map lists."""
    return [
        each.text.removeprefix("http://testserver")
        for each in ET.fromstring(client.get(path).content).iter(f"{MAP}loc")
    ]


def test_a_large_map_is_in_parts(client, monkeypatch):
    monkeypatch.setattr(crawlers, "MAX_ADDRESSES", 2)
    monkeypatch.setattr(crawlers, "CHUNK", 2)
    parts = mapped(client, "/sitemap.xml")
    assert parts == [f"/sitemap-{number}.xml" for number in range(4)]
    assert {"/", "/questions", "/tags", "/about", "/tags/fastapi"} <= set(mapped(client, parts[0]))
    questions = [address for part in parts[1:] for address in mapped(client, part)]
    assert [len(mapped(client, part)) for part in parts[1:]] == [2, 2, 1]
    assert len(set(questions)) == 5
    assert all(address.startswith("/questions/") for address in questions)
    assert client.get("/sitemap-4.xml").status_code == 404
    assert client.get("/sitemap--1.xml").status_code == 404
    assert client.get("/sitemap-x.xml").status_code == 404


@pytest.mark.parametrize(("most", "is_one"), [(14, True), (13, False)])
def test_no_map_has_more_addresses_than_allowed(client, monkeypatch, most, is_one):
    assert len(mapped(client, "/sitemap.xml")) == 5 + 5 + 4  # pages, questions, topics
    monkeypatch.setattr(crawlers, "MAX_ADDRESSES", most)
    assert ("/questions/bread" in mapped(client, "/sitemap.xml")) == is_one


def test_robots_are_told_where_to_go(client):
    text = client.get("/robots.txt").text
    assert "Sitemap: http://testserver/sitemap.xml" in text
    closed = re.findall(r"^Disallow: (.+)$", text, re.MULTILINE)
    assert not any("/questions/bread".startswith(path) for path in closed)
    assert any("/search?q=x".startswith(path) for path in closed)


def test_browsers_can_search(client):
    root = ET.fromstring(client.get("/opensearch.xml").content)
    assert 0 < len(root.find(f"{SEARCH}ShortName").text) <= 16
    templates = {each.get("type"): each.get("template") for each in root.iter(f"{SEARCH}Url")}
    assert client.get(templates["text/html"].replace("{searchTerms}", "bread")).status_code == 200
    answer = client.get(templates["application/x-suggestions+json"].replace("{searchTerms}", "why does"))
    query, found, _, addresses = answer.json()
    assert query == "why does"
    assert found == ["Why does bread need salt?"]
    assert addresses == ["http://testserver/questions/bread"]
    assert 'href="/opensearch.xml"' in client.get("/").text


def test_language_models_find_the_markdown(client):
    text = client.get("/llms.txt").text
    assert text.startswith("# Omniracle\n\n> ")
    for address in re.findall(r"\]\(http://testserver(/questions/[^)]+\.md)\)", text):
        assert client.get(address).headers["Content-Type"].startswith("text/markdown")
    assert text.count(".md): ") == 5
    assert "http://testserver/mcp" in text


@pytest.mark.parametrize(
    ("accept", "is_markdown"),
    [
        ("text/markdown", True),
        ("text/markdown, text/html;q=0.5", True),
        ("text/html, text/markdown;q=0.9", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("*/*", False),
        ("", False),
        ("text/markdown;q=0", False),
        ("text/markdown;q=x, text/html", False),
    ],
)
def test_who_prefers_markdown_gets_it(client, accept, is_markdown):
    answer = client.get("/questions/bread", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/markdown" if is_markdown else "text/html")
    assert "Accept" in answer.headers["Vary"].split(", ")


@pytest.mark.parametrize("accept", ["text/html", "text/markdown", "application/json"])
@pytest.mark.parametrize(
    ("path", "status"), [("/questions/old-workers", 301), ("/questions/none", 404), ("/none", 404), ("/account", None)]
)
def test_caches_keep_errors_and_redirects_apart_by_what_is_accepted(client, accept, path, status):
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == (status or (401 if "json" in accept else 303))
    assert "Accept" in answer.headers["Vary"].split(", ")


def test_linked_data_names_the_sources(client):
    page = client.get("/questions/workers-zh").text
    found = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
    article, crumbs = found["@graph"]
    assert article["@type"] == "TechArticle"
    assert article["inLanguage"] == "zh"
    assert article["publisher"] == article["author"]
    assert article["author"] == {"@type": "Organization", "name": "Omniracle", "url": "http://testserver/"}
    image = article["image"]["url"]
    assert f'<meta property="og:image" content="{image}">' in page
    assert client.get(image.removeprefix("http://testserver")).headers["Content-Type"] == "image/png"
    assert [each["url"] for each in article["citation"]] == ["https://uvicorn.dev/deployment/"]
    assert [each["name"] for each in crumbs["itemListElement"]] == ["Omniracle", "fastapi", article["headline"]]
    assert '<meta property="og:title" content="FastAPI 设置 workers' in page


def test_linked_data_cannot_end_its_element(client, signed_in):
    form = {"title": "</script><script>alert(1)</script>", "body": "Text.", "action": "save"}
    path = signed_in(Role.REVIEWER).post("/contribute", data=form).headers["Location"]
    assert "<script>alert" not in client.get(path).text


def ids(feed):
    return [feed.find(f"{ATOM}id").text, *(entry.find(f"{ATOM}id").text for entry in feed.iter(f"{ATOM}entry"))]


@pytest.mark.parametrize("path", ["/feed.atom", "/tags/fastapi/feed.atom", "/questions/workers-en/history.atom"])
def test_what_a_feed_tells_of_keeps_its_identity(client, library, path):
    before = ids(feed_of(client, path))
    source = (library.content / "fastapi/workers-en.md").read_text()
    library.write("fastapi/workers-en.md", source.replace("lang: en", "lang: en\nslug: renamed"))
    library.sync()
    after = client.get(path.replace("workers-en", "renamed"), headers={"Host": "other.example"})
    assert set(before) <= set(ids(ET.fromstring(after.content)))


def test_readers_elsewhere_get_whole_addresses_and_code_as_it_is(client, library):
    body = (
        "---\ntitle: Links\nlang: en\nslug: links\n---\n\nSee [b](/questions/bread), [c](#part), [d](other), "
        '[e](//cdn.example/x) and `a="/etc/x"`, say href="/y".\n\n## Part\n\nEnd.\n'
    )
    library.write("links.md", body)
    library.sync()
    entry = feed_of(client, "/feed.atom").find(f"{ATOM}entry")
    html = entry.find(f"{ATOM}content").text
    for address in ("questions/bread", "questions/links#part", "questions/other"):
        assert f'href="http://testserver/{address}"' in html
    assert 'href="http://cdn.example/x"' in html
    assert 'a="/etc/x"' in html
    assert 'say href="/y"' in html
    assert "headerlink" not in html


@pytest.mark.parametrize(
    ("accept", "is_markdown"),
    [
        ("text/markdown;q=0.5, */*", False),
        ("text/markdown;q=0.5, text/*;q=0.9", False),
        ("text/markdown, */*;q=0.1", True),
        ("text/markdown;q=.5", True),
        ("text/markdown;q=abc", False),
    ],
)
def test_wildcards_count_for_pages(client, accept, is_markdown):
    answer = client.get("/questions/bread", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("text/markdown") == is_markdown
