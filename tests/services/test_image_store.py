"""Images in a folder and in a bucket: the same site either way."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from obstore.exceptions import GenericError, PermissionDeniedError
from sqlmodel import select

from app.errors import ImagesUnavailable
from app.models import Image, Role
from app.services import accounts, checking
from app.services import image_store as stores
from app.services.health import State
from app.services.image_store import image_store
from app.services.restoring import restore
from app.storage.engines import POOL_SIZE
from app.web.application import create_app
from app.web.state import IMAGE_READS
from tests.buckets import line_to, s3_server
from tests.conftest import opened
from tests.services.backups import made
from tests.waiting import eventually
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


@pytest.fixture
def line(server, monkeypatch):
    """The way to the bucket; it is where the settings and the environment say."""
    with line_to(server) as line:
        for name, value in (server.environ | {"AWS_ENDPOINT_URL": line.url}).items():
            monkeypatch.setenv(name, value)
        yield line


@pytest.fixture
def site(library, server, line):
    """A site with a bucket, for an administrator who is signed in."""
    settings = library.settings.model_copy(update={"images": server.create()})
    with client_of(settings, library.database) as client:
        yield client


@pytest.fixture
def clock(monkeypatch):
    """The clock by which a bucket that has failed is left alone; it goes on when it is told to."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(stores, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def client_of(settings, database):
    account = accounts.sign_up(database, email="ann@example.org", name="Ann", password=None, role=Role.ADMIN)
    token = accounts.open_session(database, account, "tests")
    return TestClient(create_app(settings), follow_redirects=False, cookies={"omniracle_session": token})


def upload(settings, database):
    with client_of(settings, database) as client:
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


def test_a_silent_bucket_takes_no_threads_from_the_site(site, line, monkeypatch):
    monkeypatch.setattr(stores, "SILENCE_S", 60)
    monkeypatch.setattr(stores, "PATIENCE_S", 60)
    line.cut()
    addresses = [f"/images/{number:032x}-40x20.png" for number in range(POOL_SIZE * 2)] + ["/-/status"] * POOL_SIZE
    with ThreadPoolExecutor(len(addresses)) as readers:
        asked = [readers.submit(site.get, address) for address in addresses]
        turns = site.app.state.omniracle.image_reads
        assert eventually(lambda: turns.waiting == len(addresses) - IMAGE_READS)
        assert site.get("/questions?tag=python&x=0").status_code == 200
        assert not any(each.done() for each in asked)
        assert eventually(lambda: line.asked)
        assert line.asked <= IMAGE_READS
        line.mend()
        assert {each.result().status_code for each in asked} == {200, 404}
    assert turns.is_free


def test_nobody_waits_for_a_bucket_that_has_just_failed(site, line, monkeypatch, clock):
    monkeypatch.setattr(stores, "SILENCE_S", 2)
    line.cut()
    with ThreadPoolExecutor(20) as readers:
        answers = list(readers.map(site.get, [f"/images/{NAME}"] * 20))
    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["Retry-After"]) >= stores.PAUSE_S for answer in answers)
    asked = line.asked
    assert 1 <= asked <= IMAGE_READS
    line.mend()
    clock.now += stores.PAUSE_S - 0.1
    assert site.get(f"/images/{NAME}").status_code == 503
    status = site.get("/-/status", headers={"Accept-Language": "en"})
    assert "“images” could not be checked" in status.text
    assert line.asked == asked
    clock.now += 0.2
    assert [site.get(f"/images/{NAME}").status_code for _ in range(3)] == [404, 404, 404]


def test_who_puts_an_image_in_is_told_that_the_bucket_is_silent(site, line, library, monkeypatch, clock):
    monkeypatch.setattr(stores, "PATIENCE_S", 2)
    line.cut()
    sent = {"image": ("a.png", picture())}
    by_script = site.post("/images/new", files=sent, headers={"Accept": "application/json"})
    by_form = site.post("/images/new", files=sent, headers={"Accept": "text/html"})
    assert (by_script.status_code, by_form.status_code) == (503, 503)
    assert by_script.headers["Retry-After"] == by_form.headers["Retry-After"]
    assert "images cannot be reached" in by_script.json()["detail"]
    assert "images cannot be reached" in by_form.text
    with library.database.read() as session:
        assert session.exec(select(Image)).all() == []
    line.mend()
    clock.now += stores.PAUSE_S
    url = site.post("/images/new", files=sent, headers={"Accept": "application/json"}).json()["url"]
    assert site.get(url).status_code == 200


@pytest.mark.sqlite
def test_a_large_image_may_go_slowly_and_one_that_goes_too_slowly_keeps_no_other_from_being_sent(
    library, server, line, monkeypatch
):
    settings = library.settings.model_copy(update={"images": server.create()})
    line.pause_s = 0.3
    with monkeypatch.context() as patch:
        patch.setattr(stores, "SILENCE_S", 1)
        image_store(settings, retry_for_s=0).write(NAME, bytes(600_000))
        patch.setattr(stores, "PATIENCE_S", 1)
        store = image_store(settings, retry_for_s=0)
        with pytest.raises(ImagesUnavailable):
            store.write(f"{'cd' * 16}-40x20.png", bytes(600_000))
    line.pause_s = 0
    assert store.read(NAME) == bytes(600_000)


def test_one_at_a_time_sees_whether_the_bucket_is_back(clock):
    breaker = stores.Breaker()
    with pytest.raises(ImagesUnavailable), breaker.asking():
        raise GenericError
    clock.now += stores.PAUSE_S
    with breaker.asking():
        with pytest.raises(ImagesUnavailable), breaker.asking():
            pytest.fail("this one had to wait for the bucket too")
        clock.now += stores.PAUSE_S
        with breaker.asking():  # the one before is on its way for long
            pass
    with breaker.asking():
        pass


def test_an_image_that_is_refused_keeps_no_other_from_being_sent(clock):
    breaker = stores.Breaker()
    for refused in (PermissionDeniedError, GenericError, PermissionDeniedError):
        with pytest.raises(ImagesUnavailable), breaker.asking():
            raise refused
        clock.now += stores.PAUSE_S * (refused is GenericError)
    with breaker.asking():
        pass
