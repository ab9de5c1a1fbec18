import re

import pytest

from app.models import Role
from app.web import language


def test_the_choice_of_language_is_kept(client):
    response = client.post("/-/preferences", data={"lang": "zh-Hans", "next": "/about"})
    assert response.status_code == 303
    assert response.headers["Location"] == "/about"
    assert '<html lang="zh-Hans"' in client.get("/", headers={"Accept-Language": "en"}).text


def test_the_choice_of_theme_is_kept(client):
    client.post("/-/preferences", data={"theme": "dark", "next": "/"})
    assert 'data-theme="dark"' in client.get("/").text


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/a\nb"])
def test_it_never_leads_to_another_site(client, path):
    response = client.post("/-/preferences", data={"theme": "dark", "next": path})
    assert response.headers["Location"] == "/"


def test_a_wrong_choice_is_refused(client):
    assert client.post("/-/preferences", data={"theme": "pink"}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
def test_another_site_cannot_choose_for_the_reader(client, headers):
    response = client.post("/-/preferences", data={"theme": "dark"}, headers=headers)
    assert response.status_code == 403
    assert response.headers["X-Served-By"]


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "en"),
        ("zh", "zh-Hans"),
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("de,zh;q=0.5", "zh-Hans"),
        ("zh;q=0,en;q=0.1", "en"),
        ("fr", "en"),
        (";;;q=x,zh;q=oops", "en"),
    ],
)
def test_the_browser_chooses_otherwise(client, header, lang):
    assert f'<html lang="{lang}"' in client.get("/", headers={"Accept-Language": header}).text


def test_a_further_language_is_chosen_like_the_others(client, monkeypatch):
    for code in ("pt-PT", "pt-BR"):
        monkeypatch.setitem(language.LANGUAGES, code, "Português")
        monkeypatch.setitem(language.LOCALES, code, code.replace("-", "_"))
    for header, lang in (("pt-br", "pt-BR"), ("pt", "pt-PT"), ("pt-AO,en", "pt-PT"), ("fr,zh-TW", "zh-Hans")):
        assert language.negotiate(None, header) == lang
    for path in ("/", "/about", "/questions/workers-zh", "/search?q=salt", "/-/workers"):
        assert '<html lang="pt-BR"' in client.get(path, headers={"Accept-Language": "pt-BR"}).text
    assert 'value="pt-BR" lang="pt-BR">Português</button>' in client.get("/").text


def test_chinese_is_shown_in_the_script_that_was_chosen(client):
    as_written = client.get("/questions/workers-zh").text
    assert "没有谁分配任务" in as_written
    assert 'value="written" lang="zh-Hans" translate="no" aria-pressed="true"' in as_written
    client.post("/-/preferences", data={"script": "hant", "next": "/questions/workers-zh"})
    converted = client.get("/questions/workers-zh").text
    assert "沒有誰分配任務" in converted
    assert '<article class="answer" lang="zh-Hant">' in converted
    assert '<span class="nn">asyncio</span>' in converted
    assert 'value="hant" lang="zh-Hant" translate="no" aria-pressed="true"' in converted
    assert "Converted automatically" in converted
    client.post("/-/preferences", data={"script": "written"})
    as_asked = client.get("/questions/workers-zh", headers={"Accept-Language": "zh-TW"}).text
    assert "没有谁分配任务" in as_asked
    client.post("/-/preferences", data={"script": "hans"})
    assert "没有谁分配任务" in client.get("/questions/workers-zh").text
    assert "图书馆员依照主题" in client.get("/").text


def test_who_asks_for_traditional_chinese_gets_the_interface_and_the_answers_in_it(client):
    html = client.get("/questions/workers-zh", headers={"Accept-Language": "zh-TW,zh;q=0.9"}).text
    assert '<html lang="zh-Hant"' in html
    assert "沒有誰分配任務" in html
    assert "關於" in html
    assert (
        "没有谁分配任务" in client.get("/questions/workers-zh", headers={"Accept-Language": "zh-CN,zh-TW;q=0.9"}).text
    )


def test_the_title_of_the_window_is_in_the_script_of_the_page(client):
    client.post("/-/preferences", data={"script": "hant", "lang": "en"})
    html = client.get("/questions/workers-zh").text
    shown = re.search(r"<h1[^>]*>(.+?)</h1>", html)[1]
    assert "設置" in shown
    assert f'<title lang="zh-Hant">{re.sub("<[^>]+>", "", shown)} · ' in html
    assert (
        f'<title lang="zh-Hant">{re.sub("<[^>]+>", "", shown)} · History · '
        in client.get("/questions/workers-zh/history").text
    )


def test_a_preview_is_shown_in_the_readers_script_and_what_is_typed_stays(client, signed_in):
    ann = signed_in(Role.CONTRIBUTOR)
    headers = {"Accept-Language": "zh-TW"}
    shown = ann.post("/contribute/preview", data={"body": "头**发**与`头发`", "lang": ""}, headers=headers)
    assert shown.text.strip() == "<p>頭<strong>髮</strong>與<code>头发</code></p>"
    assert shown.headers["Content-Language"] == "zh-Hant"
    page = ann.post(
        "/contribute", data={"title": "头发？", "body": "头发", "lang": "zh", "action": "preview"}, headers=headers
    )
    assert "頭髮" in page.text
    assert 'value="头发？"' in page.text
    assert re.search(r"<textarea[^>]*>\s*头发</textarea>", page.text)


def test_what_is_written_is_never_converted(client, signed_in):
    headers = {"Accept-Language": "zh-TW"}
    assert "没有谁分配任务" in client.get("/questions/workers-zh.md", headers=headers).text
    assert "没有谁分配任务" in signed_in(Role.CONTRIBUTOR).get("/questions/workers-zh/edit", headers=headers).text


def test_what_is_wrong_with_an_address_is_said_in_the_language_of_the_reader(client):
    wrong = client.get("/questions", params={"tag": "x" * 201}, headers={"Cookie": "lang=zh-Hans"})
    assert wrong.status_code == 422
    assert "请求无效：tag: 最多 200 个字符。" in wrong.text
    told = client.get("/api/v1/questions", params={"tag": "x" * 201}).json()
    assert told["errors"] == [{"field": "query.tag", "reason": "at most 200 characters"}]
