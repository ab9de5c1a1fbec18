"""A host that joins others has no index yet: it serves at once, and tells balancers to wait while it builds one."""

import shutil

import pytest
from starlette.testclient import TestClient

from app.cli.preparing import prepare
from app.config import Settings
from app.search.index import SearchIndex
from app.web.application import create_app
from tests.conftest import ARTICLES


@pytest.fixture
def joining(database_server, tmp_path):
    """The settings of a host without data, beside others that have articles."""
    database = database_server.create()
    settings = Settings(
        data_dir=tmp_path / "var", content_dir=tmp_path / "content", database_url=database_server.url(database)
    )
    for path, text in ARTICLES.items():
        file = settings.content_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    settings.prepare_data_dir()
    prepare(settings)
    shutil.rmtree(settings.data_dir)
    settings.prepare_data_dir()
    yield settings
    database_server.drop(database)


def test_a_host_without_an_index_serves_and_is_not_ready(joining):
    prepare(joining)
    index = SearchIndex(joining.index_dir)
    with index.build_lock() as held, TestClient(create_app(joining), follow_redirects=False) as client:
        assert held
        waiting = client.get("/readyz")
        assert waiting.status_code == 503
        assert int(waiting.headers["Retry-After"]) > 0
        assert client.get("/questions/bread").status_code == 200
        refused = client.get("/search?q=salt", headers={"Accept-Language": "zh"})
        assert refused.status_code == 503
        assert "搜索" in refused.text
        client.app.state.omniracle.tend()  # another worker is at it
        assert client.get("/readyz").status_code == 503
    with TestClient(create_app(joining), follow_redirects=False) as client:
        client.app.state.omniracle.tend()
        assert client.get("/readyz").status_code == 200
        assert "salt" in client.get("/search?q=salt").text
    index.close()


def test_an_index_of_other_articles_answers_nothing(joining):
    prepare(joining)
    with TestClient(create_app(joining)) as client:
        client.app.state.omniracle.tend()
    (facts,) = joining.index_dir.glob("*/facts.json")
    facts.write_text(facts.read_text().replace('"identity": "', '"identity": "another '))
    prepare(joining)
    with TestClient(create_app(joining), follow_redirects=False) as client:
        assert client.get("/search?q=salt").status_code == 503
        client.app.state.omniracle.tend()
        assert "salt" in client.get("/search?q=salt").text
