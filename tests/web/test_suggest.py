import pytest

pytestmark = pytest.mark.searches


def titles(client, q):
    body = client.get("/api/v1/suggest", params={"q": q}).json()
    assert list(body) == ["query", "suggestions"]
    assert body["query"] == q
    for each in body["suggestions"]:
        assert list(each) == ["title", "slug", "url"]
        assert each["url"].startswith(f"http://testserver/questions/{each['slug']}")
    return [each["slug"] for each in body["suggestions"]]


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("how are requ", "workers-en"),
        ("requests distrib", "workers-en"),
        ("backg", "background-tasks"),
        ("bakcground tas", "background-tasks"),
        ("任务", "workers-zh"),
        ("任务分", "workers-zh"),
        ("策", "workers-zh"),
        ("renwu", "workers-zh"),
        ("celue", "workers-zh"),
        ("rwas", "workers-zh"),
        ("图书馆", "traditional"),
        ("软件文件", "traditional"),
    ],
)
def test_a_beginning_suggests_the_question(client, typed, slug):
    assert titles(client, typed)[0] == slug


def test_a_section_is_suggested_with_its_place(client):
    suggestions = client.get("/api/v1/suggest", params={"q": "套接字"}).json()["suggestions"]
    assert suggestions[-1]["title"].endswith("› 共享的监听套接字")
    assert suggestions[-1]["url"].endswith("/questions/workers-zh#共享的监听套接字")


@pytest.mark.parametrize("typed", ["", " ", "*", "😀", "x" * 3000, '"', "tag:fastapi", "\u202e\u0000"])
def test_nothing_that_is_typed_fails(client, typed):
    assert client.get("/api/v1/suggest", params={"q": typed}).status_code == 200
