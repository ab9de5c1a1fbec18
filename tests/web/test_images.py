"""Images: what is taken, what is taken out of them, and how they come back."""

import random
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event

import pytest
from PIL import Image

from app.models import Role
from app.services import images
from app.storage.engines import POOL_SIZE
from tests.waiting import eventually


def picture(kind="PNG", size=(40, 20), **options):
    written = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(written, kind, **options)
    return written.getvalue()


def send(client, content, name="shot.png"):
    return client.post("/images/new", files={"image": (name, content)}, headers={"Accept": "application/json"})


@pytest.fixture
def ann(signed_in):
    return signed_in(Role.CONTRIBUTOR)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_an_image_is_stored_once_and_comes_back_as_it_is(ann, client, kind):
    answer = send(ann, picture(kind), "whatever.exe")
    assert answer.status_code == 201
    url = answer.json()["url"]
    assert "-40x20." in url
    assert send(ann, picture(kind)).json()["url"] == url
    image = client.get(url)
    assert image.headers["Content-Type"] == f"image/{kind.lower()}"
    assert "immutable" in image.headers["Cache-Control"]
    assert image.headers["X-Content-Type-Options"] == "nosniff"
    assert Image.open(BytesIO(image.content)).size == (40, 20)


def test_what_the_camera_wrote_is_gone_and_the_image_stands_upright(ann, client):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    content = picture("JPEG", exif=exif, comment=b"secret comment")
    url = send(ann, content).json()["url"]
    assert "-20x40." in url
    stored = client.get(url).content
    assert b"SecretCamera" not in stored
    assert b"secret comment" not in stored
    assert not Image.open(BytesIO(stored)).getexif()


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_animation_goes_on_moving_at_its_own_pace(ann, client, kind):
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 120, 250)]
    written = BytesIO()
    frames[0].save(written, kind, save_all=True, append_images=frames[1:], duration=[100, 400, 250], loop=3)
    url = send(ann, written.getvalue()).json()["url"]
    with Image.open(BytesIO(client.get(url).content)) as stored:
        assert stored.n_frames == 3
        durations = []
        for frame in range(3):
            stored.seek(frame)
            stored.load()
            durations.append(stored.info["duration"])
        assert durations == [100, 400, 250]
        assert stored.info["loop"] == 3


def bomb():
    """A PNG of 30,000 by 30,000 pixels in a few kilobytes."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10**6))
        + chunk(b"IEND", b"")
    )


def test_photographs_with_several_pictures_are_taken(ann, client):
    written = BytesIO()
    first, second = (Image.new("RGB", (40, 20), (shade, 0, 0)) for shade in (10, 200))
    first.save(written, "MPO", save_all=True, append_images=[second])
    url = send(ann, written.getvalue()).json()["url"]
    assert Image.open(BytesIO(client.get(url).content)).format == "JPEG"


def test_what_the_decoders_stumble_over_is_no_error_of_ours(ann):
    rng = random.Random(4)
    for kind in ("PNG", "GIF", "WEBP", "JPEG"):
        for _ in range(20):
            content = bytearray(picture(kind))
            for _ in range(3):
                content[rng.randrange(len(content))] = rng.randrange(256)
            images_status = send(ann, bytes(content)).status_code
            assert images_status in (201, 400, 429)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Choose an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not an image"),
        (b"GIF89a<script>alert(1)</script>", "not an image"),
        (picture()[:60], "not an image"),
        (b"%PDF-1.4", "not an image"),
        (bomb(), "40 million pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * (8 * 2**20), "larger than 8 MB"),
    ],
    ids=["nothing", "svg", "gif with a script", "cut short", "pdf", "bomb", "too large"],
)
def test_anything_else_is_refused_with_the_reason(ann, content, reason):
    answer = send(ann, content)
    assert answer.status_code == 400
    assert reason in answer.text


def test_without_a_script_a_page_tells_what_to_write(ann):
    answer = ann.post("/images/new", files={"image": ("a.png", picture())})
    assert answer.status_code == 201
    assert "![description](/images/" in answer.text
    refused = ann.post("/images/new", files={"image": ("a.png", b"text")})
    assert "not an image" in refused.text


@pytest.mark.parametrize(
    "name", ["../secret.key", "%2e%2e%2fsecret.key", "x.png", "a" * 32 + "-1x1.svg", "a" * 32 + "-1x1.png"]
)
def test_no_other_file_is_sent(client, name):
    assert client.get(f"/images/{name}").status_code == 404


def test_an_image_keeps_its_place_on_the_page(ann):
    url = send(ann, picture()).json()["url"]
    html = ann.post("/contribute/preview", data={"body": f"![A red field]({url})"}).text
    assert 'width="40"' in html
    assert 'height="20"' in html


def test_images_are_decoded_one_at_a_time_and_wait_without_a_thread(ann, client, signed_in, monkeypatch):
    decode, may_go_on = images._without_metadata, Event()
    begun, ended = [], []

    def watched(content):
        begun.append(content)
        assert len(begun) == len(ended) + 1
        assert may_go_on.wait(20)
        ended.append(content)
        return decode(content)

    monkeypatch.setattr(images, "_without_metadata", watched)
    turns, many = client.app.state.omniracle.decodings, POOL_SIZE * 2
    with ThreadPoolExecutor(many + 1) as people:
        asked = [people.submit(send, ann, picture()) for _ in range(many)]
        assert eventually(lambda: turns.waiting >= many - 1)
        own = people.submit(send, signed_in(Role.REVIEWER), picture("GIF"))
        assert eventually(lambda: turns.waiting >= many)
        assert client.get("/about").status_code == 200
        assert len(begun) == 1
        may_go_on.set()
        assert {each.result().status_code for each in [*asked, own]} == {201}
    assert picture("GIF") in begun[:3]  # who sends one does not wait for who has sent many
    assert turns.is_free
