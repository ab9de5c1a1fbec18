"""What people have on their disks, through everything: import, pages, search, export and back."""

import shutil

import pytest
from starlette.testclient import TestClient

from app.services.exporting import export
from app.storage import articles
from app.web.application import create_app
from tests.services.trees import run

EVERY = 4  # with 1, all are tried; that takes a minute of processor time


@pytest.mark.timeout(300)
def test_every_ugly_file_has_a_page_and_is_found_and_comes_back(empty_library, shared_data, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    for path in sorted((shared_data / "raw_ugly").iterdir())[::EVERY]:
        shutil.copy(path, tree)
    report = run(empty_library, tree)
    with empty_library.database.read() as session:
        found = articles.by_ids(session, articles.ids_after(session, 0, 1000))
    assert report.created == len(found) > 150 // EVERY
    with TestClient(create_app(empty_library.settings), follow_redirects=False) as client:
        for article in found:
            page = client.get(f"/questions/{article.slug}")
            assert page.status_code == 200, article.slug
            assert page.text.rstrip().endswith("</html>"), article.slug
            assert page.text.count("<h1") == 1, article.slug
            assert client.get(f"/questions/{article.slug}.json").json()["title"] == article.title
            hits = client.get("/api/v1/search", params={"q": article.title[:200], "limit": 100})
            assert hits.status_code == 200, article.slug
    files = tmp_path / "out"
    export(empty_library.database, files)
    again = run(empty_library, files)
    assert (again.created, again.lost) == (0, 0), again.problems
