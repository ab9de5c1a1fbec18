"""What people have on their disks, through everything: import, pages, search, export and back."""

import re
import shutil

import pytest
from starlette.testclient import TestClient

from app.services.checking import check_all
from app.services.exporting import export
from app.services.health import State
from app.storage import articles, source_files
from app.web.application import create_app
from tests.hostile import look
from tests.services.trees import run

EVERY = 8  # is tried on PostgreSQL too, and imported again when it was exported; all would take a minute more
# What no reader sees: front matter, comments, scripts, definitions, what is said of code, components, numbers of items.
UNSEEN = re.compile(
    r"\A---[ \t]*\n.*?\n---|<!--.*?-->|<script.*?</script>|^\[[^\]\n]+\]:[^\n]*|^[ \t]*```[^\n]*|<[A-Z][^<>]*>"
    r"|^ *\d+[.)] ",
    re.DOTALL | re.MULTILINE,
)
WORDS = re.compile(r"[^\W_](?:[^\W_]|[ ,.，。；、？！?!](?! ))*[^\W_]")


def passages(raw):
    """Yield the longer stretches of a file that are words alone: no markup is in them, and any reading keeps them."""
    for encoding in ("utf-8-sig", "utf-16", "gb18030"):
        try:
            text = raw.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    for found in WORDS.findall(UNSEEN.sub("\n", text.replace("\r\n", "\n").replace("\r", "\n"))):
        if len(found) >= 20 and (found.count(" ") > 1 or re.search("[\u4e00-\u9fff]{8}", found)):
            yield found


def troubles(library):
    return {check.message for check in check_all(library.settings, library.database, library.index)
            if check.state != State.OK}  # fmt: skip


@pytest.mark.timeout(300)
def test_every_ugly_file_has_a_page_and_is_found_and_comes_back(empty_library, shared_data, tmp_path):
    tree, before = tmp_path / "tree", troubles(empty_library)
    tree.mkdir()
    step = EVERY if empty_library.settings.database_url else 1
    files = sorted((shared_data / "raw_ugly").iterdir())[::step]
    for path in files:
        shutil.copy(path, tree)
    report = run(empty_library, tree)
    assert (report.created, report.lost) == (len(files), 0), report.problems
    assert troubles(empty_library) == before
    with empty_library.database.read() as session:
        known = source_files.of_origin(session, str(tree.resolve()))
        found = {article.id: article for article in articles.by_ids(session, articles.ids_after(session, 0, 1000))}
    assert len(files) == len(found) >= 150 // EVERY
    out = tmp_path / "out"
    export(empty_library.database, out)
    seen = 0
    with TestClient(create_app(empty_library.settings), follow_redirects=False) as client:
        for path in files:
            article, raw = found[known[path.name].article_id], path.read_bytes()
            texts = list(passages(raw))
            seen += len(texts)
            page = client.get(f"/questions/{article.slug}")
            check_page(page, texts)
            exported = (out / article.path).read_text(encoding="utf-8")
            assert [text for text in texts if text not in exported] == [], article.slug
            assert "\ufffd" not in page.text + exported or "\ufffd".encode() in raw, article.slug
            assert client.get(f"/questions/{article.slug}.json").json()["title"] == article.title
            hits = client.get("/api/v1/search", params={"q": article.title[:200], "limit": 100})
            assert article.slug in [hit["slug"] for hit in hits.json()["hits"]], article.slug
    assert seen > 30 * len(files)
    for number, file in enumerate(sorted(out.rglob("*.md"))):
        if number % EVERY:
            file.unlink()
    again = run(empty_library, out)
    assert (again.created, again.lost) == (0, 0), again.problems


def check_page(page, texts):
    assert page.status_code == 200, page.url
    assert page.text.rstrip().endswith("</html>"), page.url
    assert page.text.count("<h1") == 1, page.url
    looked = look(page.text)
    assert looked.dangers == [], page.url
    assert looked.missing(texts) == [], page.url
