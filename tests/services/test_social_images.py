"""Pictures of links: what is drawn, and how often."""

import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from app.content.social_card import SocialCard, is_readable
from app.services import social_drawing, social_images
from app.services.lettering import MISSING, Face
from app.services.social_drawing import BAND_TOP, FINE, LEFT, SIZES

LARGEST = SIZES[0] // FINE
BAND = BAND_TOP // FINE
TITLES = {
    "nothing": "",
    "one letter": "?",
    "Chinese": "FastAPI 设置 workers 参数后，任务分配到不同的 worker 用的是什么策略？",
    "traditional": "臺灣的圖書館如何整理軟體文件",
    "long": "How can a very long question be asked so that nobody ever reads it to its end? " * 20,
    "long Chinese": "怎样才能把一个问题问得很长很长，以至于谁也不会把它读完呢？" * 20,
    "no spaces": "x" * 300,
    "only punctuation": "，" * 300 + "（" * 300,
    "code": "`asyncio.run()` raises RuntimeError: <b>&amp; 'x'</b> --reload %s %(x)s {}",
    "emoji": "🚀 部署 👩‍💻 👍🏽 🇨🇳 ❤️ 1️⃣ \U0001fae8 \U0001faef",
    "right to left": "ما هو بايثون؟ \u202emah\u202c מה זה שָׁלוֹם?",
    "rare": "𠮷野家 ༄༅ ไทย 한국어 हिन्दी \U00013080 \ue000",
    "controls": "a\x00b\x1bc\u200b\ud800d\u2028e\tf",
    "lines": "a\nb\r\n\tc\n" * 10,
    "marks": "Z" + "\u0301" * 300,
}


def card(title="什么是协程？", **changes):
    shown = {
        "topics": ("python", "并发"),
        "site": "Omniracle",
        "checked": "2026年11月23日核对过事实",
        "sources": "6 个出处",
    }
    return SocialCard(title=(title,), **(shown | changes))


def opened(content):
    return Image.open(BytesIO(content))


def ink(image):
    """Where the title's letters are."""
    return image.convert("L").point(lambda shade: 255 * (shade < 100))


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_any_title_becomes_a_picture(title):
    content = social_drawing.draw(card(title))
    image = opened(content)
    assert (image.format, image.size) == ("PNG", (1200, 630))
    assert len(content) < 60_000


def test_what_is_long_leaves_room():
    changes = {
        "topics": ("x" * 500, "fits", *("topic" for _ in range(50))),
        "site": "知识库" * 20,
        "checked": "checked " * 8,
    }
    image = opened(social_drawing.draw(card(TITLES["long Chinese"], **changes)))
    margin = LEFT // FINE - 2
    letters = ink(image.crop((0, 0, 1200, BAND - 2))).getbbox()
    assert letters[0] >= margin
    assert letters[2] <= 1200 - margin
    assert letters[3] <= BAND - 20


@pytest.mark.parametrize("title", ["Hello", "“引号”", "（括号）", "任务", "🚀"])
def test_the_ink_of_each_title_begins_at_the_margin(title):
    image = opened(social_drawing.draw(card(title, topics=()))).convert("L").crop((0, 0, 600, BAND - 2))
    assert abs(image.point(lambda shade: 255 * (shade < 160)).getbbox()[0] - LEFT // FINE) <= 1


def test_chinese_characters_have_shapes_of_their_own():
    image = ink(opened(social_drawing.draw(card("什么是协程", topics=()))))
    cells = [
        image.crop((LEFT // FINE + LARGEST * place, 200, LEFT // FINE + LARGEST * (place + 1), 420))
        for place in range(5)
    ]
    assert all(cell.getbbox() for cell in cells)
    assert len({cell.tobytes() for cell in cells}) == 5


def test_the_fonts_have_what_chinese_is_written_with():
    face = Face(20)
    rows = [(encoding, first, last) for encoding, first, last in (("gb2312", 0xB0, 0xF8), ("big5", 0xA4, 0xC7))]
    for encoding, first, last in rows:
        for row in range(first, last):
            text = b"".join(bytes([row, cell]) for cell in range(0xA1, 0xFF)).decode(encoding, "ignore")
            assert face.readable(text) == text
    for text in (
        "Dvořák, Łódź; Ελληνικά: κρασί",
        "как настроить",
        "Việt Nam",
        "“‘—…’”·《》「」→✓🚀",
        "ひらがなカタカナー",
    ):
        assert face.readable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👩‍💻 👍🏽 🇨🇳 ❤️", "👩 👍 CN ❤"),
        ("Cafe\u0301", "Café"),
        ("a\u202eb\u200bc", "abc"),
        ("한 x", f"{MISSING} x"),
        ("a\n \u3000b", "a b"),
    ],
)
def test_what_the_fonts_lack_is_shown_as_well_as_can_be(text, shown):
    assert Face(20).readable(text) == shown


def test_punctuation_of_both_scripts_is_as_wide_as_its_neighbours():
    face = Face(100)
    assert face.width("“a”") < face.width("aa") + 110
    assert face.width("“策”") == 300


def test_each_part_of_a_card_is_seen():
    seen = {social_drawing.draw(each) for each in (
        card(), card("什么是进程？"), card(topics=("python",)), card(site="知识库"), card(checked=""), card(sources=""),
    )}  # fmt: skip
    assert len(seen) == 6


@pytest.fixture
def drawings(monkeypatch):
    """What was drawn."""
    found = []
    draw = social_drawing.draw
    monkeypatch.setattr(social_drawing, "draw", lambda card: found.append(card) or draw(card))
    return found


def test_it_is_drawn_once_for_all_who_ask_at_once(tmp_path, drawings):
    with ThreadPoolExecutor(6) as pool:
        pictures = set(pool.map(lambda _: social_images.drawn(tmp_path / "social", card()), range(6)))
    assert len(pictures) == 1
    assert len(drawings) == 1
    assert social_images.kept(tmp_path / "social", card()) in pictures


def test_what_looks_different_is_another_picture(tmp_path, drawings):
    social_images.drawn(tmp_path, card())
    assert social_images.kept(tmp_path, card(sources="7 个出处")) is None
    assert len({card().digest, card("什么").digest, card(topics=()).digest, card(site="x").digest}) == 4


def test_the_oldest_are_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(social_images, "MOST_KEPT", 20)
    for number in range(20):
        old = tmp_path / f"{number}.png"
        old.touch()
        os.utime(old, (number, number))
    social_images.drawn(tmp_path, card())
    names = {path.name for path in tmp_path.glob("*.png")}
    assert names == {f"{card().digest}.png", *(f"{number}.png" for number in range(2, 20))}


def test_a_folder_that_cannot_be_written_to_only_costs_time(tmp_path, caplog):
    folder = Path(tmp_path / "file")
    folder.write_text("no folder")
    assert opened(social_images.drawn(folder, card())).size == (1200, 630)
    assert social_images.kept(folder, card()) is None
    assert "could not be kept" in caplog.text


@pytest.mark.parametrize(
    "title", ["ما هو بايثون؟", "מה זה?", "ไพทอน", "파이썬이란?", "पाइथन क्या है", "Ի՞նչ է Python-ը", "რა არის"]
)
def test_titles_in_scripts_without_a_font_are_known(title):
    assert MISSING in Face(40).readable(title)
    assert not is_readable(title)


@pytest.mark.parametrize(
    "title", ["Что такое Python?", "Τι είναι;", "Đâu là \u1ea1?", "协程 コルーチン", "𠮷野家", "🚀 2×3 ≤ 7 → ½"]
)
def test_titles_in_scripts_with_a_font_are_known(title):
    readable = Face(40).readable(title)
    assert readable.count(MISSING) <= title.count("𠮷")
    assert is_readable(title)
