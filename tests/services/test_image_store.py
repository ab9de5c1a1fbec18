"""Images in a folder and in a bucket: the same site either way."""

import pytest
from fastapi.testclient import TestClient

from app.errors import ImagesUnavailable
from app.models import Role
from app.services import accounts, checking
from app.services.health import State
from app.services.image_store import image_store
from app.services.restoring import restore
from app.web.application import create_app
from tests.buckets import s3_server
from tests.conftest import opened
from tests.services.backups import made
from tests.web.test_images import picture

NAME = f"{'ab' * 16}-40x20.png"


@pytest.fixture(scope="module")
def server():
    with s3_server() as running:
        yield running


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path):
    """What OMNIRACLE_IMAGES says."""
    if request.param == "folder":
        return str(tmp_path / "pictures")
    server, monkeypatch = (request.getfixturevalue(name) for name in ("server", "monkeypatch"))
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return server.create()


@pytest.fixture
def settings(library, place):
    return library.settings.model_copy(update={"images": place})


def upload(settings, database):
    account = accounts.sign_up(database, email="ann@example.org", name="Ann", password=None, role=Role.ADMIN)
    token = accounts.open_session(database, account, "tests")
    with TestClient(create_app(settings), follow_redirects=False, cookies={"omniracle_session": token}) as client:
        answer = client.post("/images/new", files={"image": picture()}, headers={"Accept": "application/json"})
        assert answer.status_code == 201, answer.text
        return answer.json()["url"]


def test_what_is_written_is_read(settings, tmp_path):
    store = image_store(settings)
    assert store.sizes() == {}
    assert store.read(NAME) is store.file(NAME, tmp_path) is None
    store.write(NAME, b"pretended")
    store.write(NAME, b"pretended")
    assert image_store(settings).read(NAME) == b"pretended"
    assert store.sizes() == {NAME: len("pretended")}
    assert store.file(NAME, tmp_path).read_bytes() == b"pretended"


def test_an_image_is_sent_by_whoever_is_asked(library, settings):
    url = upload(settings, library.database)
    assert not (library.settings.data_dir / "images").exists()
    with TestClient(create_app(settings)) as another:
        assert another.get(url).headers["Content-Type"] == "image/png"
        assert another.get(f"/images/{NAME}").status_code == 404


@pytest.mark.sqlite
def test_a_backup_holds_them_and_brings_them_back(library, settings, tmp_path, server, monkeypatch):
    library.settings = settings
    name = upload(settings, library.database).rpartition("/")[2]
    done, file = made(library, tmp_path)
    assert (done.images, done.missing, done.damaged) == (1, (), ())
    with opened(tmp_path / "other") as other:
        for variable, value in server.environ.items():
            monkeypatch.setenv(variable, value)
        elsewhere = other.settings.model_copy(update={"images": server.create()})
        restore(elsewhere, file)
        assert image_store(elsewhere).read(name) == image_store(settings).read(name)


@pytest.mark.sqlite
def test_a_backup_sees_a_damaged_one_wherever_it_is(library, settings, tmp_path):
    library.settings = settings
    name = upload(settings, library.database).rpartition("/")[2]
    store = image_store(settings)
    store.write(name, bytes(store.sizes()[name]))
    assert made(library, tmp_path)[0].damaged == (name,)


def test_a_missing_image_is_told(library, settings):
    upload(settings, library.database)
    elsewhere = settings.model_copy(update={"images": f"{settings.images}/elsewhere"})
    for chosen, expected in ((settings, False), (elsewhere, True)):
        messages = [check.message for check in checking.check_all(chosen, library.database, library.index)]
        assert any("Images missing" in message for message in messages) == expected


def test_a_bucket_that_does_not_answer_is_told_of(library, server, monkeypatch):
    for name, value in (server.environ | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).items():
        monkeypatch.setenv(name, value)
    settings = library.settings.model_copy(update={"images": "s3://nowhere"})
    with pytest.raises(ImagesUnavailable):
        image_store(settings).sizes()
    with TestClient(create_app(settings)) as client:
        answer = client.get(f"/images/{NAME}", headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "图片" in answer.text
    assert "127.0.0.1:1" not in answer.text
    (found,) = [
        check
        for check in checking.check_all(settings, library.database, library.index)
        if check.params.get("name") == "images"
    ]
    assert found.state == State.PROBLEM
