"""The pictures by which other sites show links: where they are, and that they are those of today."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from PIL import Image

from app.models import Role
from app.services import social_drawing
from app.web.social import locales

ARTICLE = """---
title: {title}
lang: zh
tags: [fastapi]
verified: 2026-11-23
resources:
  - url: https://uvicorn.dev/
    title: Uvicorn
---

没有谁分配任务。
"""


def tags_of(client, path):
    """What a page says to other sites."""
    page = client.get(path).text
    return dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[\w:]+)" content="([^"]*)">', page))


def picture_of(client, path):
    address = tags_of(client, path)["og:image"]
    assert address.startswith("http://testserver/")
    return address.removeprefix("http://testserver")


@pytest.fixture
def drawings(monkeypatch):
    """What was drawn."""
    found = []
    draw = social_drawing.draw
    monkeypatch.setattr(social_drawing, "draw", lambda card: found.append(card) or draw(card))
    return found


@pytest.mark.parametrize("path", ["/", "/questions/workers-zh", "/questions/workers-en", "/questions/traditional"])
def test_pages_name_their_picture(client, path):
    found = tags_of(client, path)
    assert found["og:title"]
    assert found["og:url"] == f"http://testserver{path}"
    assert (found["og:image:width"], found["og:image:height"]) == ("1200", "630")
    assert found["og:image:type"] == "image/png"
    assert found["og:image:alt"].endswith("Omniracle")
    assert found["twitter:card"] == "summary_large_image"
    answer = client.get(picture_of(client, path))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/png"
    image = Image.open(BytesIO(answer.content))
    assert (image.format, image.size) == ("PNG", (1200, 630))


def test_the_public_address_is_the_one_that_is_named(library, client):
    client.app.state.omniracle.settings = library.settings.model_copy(update={"base_url": "https://example.org"})
    assert tags_of(client, "/questions/bread")["og:image"].startswith(
        "https://example.org/questions/bread/social.png?v="
    )
    assert tags_of(client, "/")["og:image"].startswith("https://example.org/social.png?v=")


def test_the_words_are_in_the_language_of_the_answer(library, client, drawings):
    library.write("fastapi/checked.md", ARTICLE.format(title="什么是事件循环？"))
    library.sync()
    found = client.get("/questions/checked", headers={"Accept-Language": "en"}).text
    assert 'content="什么是事件循环？ · 内容核对于 2026年11月23日 · 1 个出处 · Omniracle"' in found
    client.get("/questions/checked/social.png", headers={"Accept-Language": "en"})
    client.get("/questions/workers-en/social.png", headers={"Accept-Language": "zh"})
    client.get("/social.png", headers={"Accept-Language": "zh"})
    checked, english, site = drawings
    assert (checked.checked, checked.sources, checked.topics) == ("内容核对于 2026年11月23日", "1 个出处", ("fastapi",))
    assert (english.checked, english.sources) == ("", "")
    assert site.title == ("Answers you can check", "有出处的答案")
    assert site.topics[0] == "fastapi"


@pytest.mark.parametrize(
    ("lang", "locale"),
    [
        ("zh", "zh_CN"), ("zh-Hans", "zh_CN"), ("zh-Hant", "zh_TW"), ("zh-HK", "zh_HK"), ("en", "en_US"),
        ("en-GB", "en_GB"), ("sr-Latn", "sr_RS"), ("eo", None), ("tlh", None),
    ],
)  # fmt: skip
def test_a_language_has_its_country(lang, locale):
    assert locales(lang) == ([locale] if locale else [])


def test_a_page_names_its_locale_and_those_of_its_translations(client):
    def told(path):
        return re.findall(r'<meta property="og:(locale[:a-z]*)" content="(\w+)">', client.get(path).text)

    assert told("/questions/workers-zh") == [("locale", "zh_CN"), ("locale:alternate", "en_US")]
    assert told("/questions/workers-en") == [("locale", "en_US"), ("locale:alternate", "zh_CN")]
    assert told("/questions/bread") == [("locale", "en_US")]


def test_the_address_changes_with_the_title(client, signed_in):
    address = picture_of(client, "/questions/bread")
    before = client.get(address)
    form = {"title": "Why does dough need salt?", "body": "Salt.", "action": "save", "base": "1"}
    assert signed_in(Role.REVIEWER).post("/questions/bread/edit", data=form).status_code == 303
    assert picture_of(client, "/questions/bread") != address
    after = client.get(address)  # who still has the old address gets what is true now
    assert after.content != before.content
    assert after.headers["ETag"] != before.headers["ETag"]


def test_who_has_it_is_told_so(client, drawings):
    answer = client.get("/questions/bread/social.png")
    etag = answer.headers["ETag"]
    for known in (etag, f'"other", W/{etag}'):
        again = client.get("/questions/bread/social.png", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
        assert "public" in again.headers["Cache-Control"]
    other = client.get("/questions/bread/social.png", headers={"If-None-Match": '"other"'})
    assert other.content == answer.content
    assert len(drawings) == 1
    assert client.head("/questions/bread/social.png").headers["ETag"] == etag


def test_other_addresses_answer_as_those_of_pages_do(client, signed_in):
    moved = client.get("/questions/old-workers/social.png")
    assert (moved.status_code, moved.headers["Location"]) == (301, "/questions/workers-zh/social.png")
    assert client.get("/questions/none/social.png").status_code == 404
    signed_in(Role.REVIEWER).post("/questions/bread/deletion", data={"reason": "Off topic."})
    assert client.get("/questions/bread/social.png").status_code == 410


def test_a_deleted_folder_comes_back(library, client, drawings):
    first = client.get("/questions/bread/social.png")
    assert len(list(library.settings.social_dir.glob("*.png"))) == 1
    shutil.rmtree(library.settings.social_dir)
    assert client.get("/questions/bread/social.png").content == first.content
    assert len(list(library.settings.social_dir.glob("*.png"))) == 1
    assert len(drawings) == 2


def test_it_is_drawn_once_when_many_ask_at_once(client, drawings):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get("/questions/bread/social.png"), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(drawings) == 1


@pytest.mark.parametrize(
    "title",
    [
        "怎样把一个问题问得很长很长？" * 20,
        "🚀 部署 👩‍💻",
        "'ما هو بايثون؟ מה זה?'",
        "한국어 \U0002a6d6",
        "'<b>&quot; %s {}'",
    ],
    ids=["long", "emoji", "right to left", "rare", "signs"],
)
def test_any_title_has_a_picture(library, client, title):
    library.write("fastapi/strange.md", ARTICLE.format(title=title))
    assert library.sync().created == 1
    answer = client.get(picture_of(client, "/questions/strange"))
    assert answer.status_code == 200
    assert Image.open(BytesIO(answer.content)).size == (1200, 630)


def test_a_title_in_a_script_without_a_font_leaves_its_place_to_the_site(client, library, drawings):
    library.write(
        "python/arabic.md", "---\ntitle: ما هو بايثون؟\nlang: ar\nslug: arabic\ntags: [python]\n---\n\nلغة برمجة.\n"
    )
    library.sync()
    assert tags_of(client, "/questions/arabic")["og:image:alt"] == tags_of(client, "/")["og:image:alt"]
    assert client.get(picture_of(client, "/questions/arabic")).status_code == 200
    assert drawings[-1].title[0] == "Answers you can check"
