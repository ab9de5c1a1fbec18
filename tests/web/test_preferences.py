import pytest


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
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("de,zh;q=0.5", "zh-Hans"),
        ("zh;q=0,en;q=0.1", "en"),
        ("fr", "en"),
        (";;;q=x,zh;q=oops", "en"),
    ],
)
def test_the_browser_chooses_otherwise(client, header, lang):
    assert f'<html lang="{lang}"' in client.get("/", headers={"Accept-Language": header}).text
