"""Contributing by the API."""

import json

import pytest
from starlette.testclient import TestClient

from app.models import Role, Scope
from app.services import accounts


@pytest.fixture
def program(client, library, people):
    """A client with a token, by role."""

    def make(role, scope=Scope.WRITE):
        token = accounts.create_token(library.database, people[role], "tests", scope, by="test")
        return TestClient(client.app, headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)

    return make


QUESTION = {
    "title": "How does a kettle work?",
    "tags": ["Home Things"],
    "body_markdown": "It heats water.\n\nThen it stops by itself.\n",
    "resources": [{"url": "https://example.org/kettle", "title": "Kettles"}],
    "message": "new",
}


def test_a_reviewer_publishes(client, program):
    answer = program(Role.REVIEWER).post("/api/v1/questions", json=QUESTION)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["slug"], body["lang"], body["tags"], body["revision"]) == (
        "how-does-a-kettle-work", "en", ["home-things"], 1,
    )  # fmt: skip
    assert answer.headers["Location"].endswith("/api/v1/questions/how-does-a-kettle-work")
    assert answer.headers["ETag"] == client.get(answer.headers["Location"]).headers["ETag"]
    assert client.get("/api/v1/search?q=kettle").json()["total"] == 1


def test_anybody_else_proposes(client, program):
    answer = program(Role.CONTRIBUTOR).post("/api/v1/questions", json=QUESTION)
    assert answer.status_code == 202
    assert answer.json()["state"] == "pending"
    assert client.get("/api/v1/search?q=kettle").json()["total"] == 0


def test_who_may_not_gets_a_problem(client, program):
    assert client.post("/api/v1/questions", json=QUESTION).status_code == 401
    assert "Bearer" in client.post("/api/v1/questions", json=QUESTION).headers["WWW-Authenticate"]
    assert program(Role.READER).post("/api/v1/questions", json=QUESTION).status_code == 403
    refused = program(Role.ADMIN, Scope.READ).post("/api/v1/questions", json=QUESTION)
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/problem+json")
    unknown = client.get("/api/v1/questions/bread", headers={"Authorization": "Bearer omni_unknown"})
    assert unknown.status_code in (200, 401)


def test_a_change_names_where_it_started_from(program, client):
    editor = program(Role.REVIEWER)
    etag = client.get("/api/v1/questions/bread").headers["ETag"]
    assert editor.put("/api/v1/questions/bread", json={"title": "x"}).status_code == 428
    body = client.get("/api/v1/questions/bread").json()["body_markdown"]
    done = editor.put("/api/v1/questions/bread", json={"title": "Why salt bread?"}, headers={"If-Match": etag})
    assert done.status_code == 200
    assert (done.json()["title"], done.json()["revision"], done.json()["body_markdown"]) == ("Why salt bread?", 2, body)
    assert done.json()["tags"] == ["cooking"]


@pytest.mark.parametrize(
    "named", ['"1"', 'W/"1"', '"1-any"', '"1-gzip"', '"0", "1"', '"nothing", "1-any", "99"', " * "]
)
def test_a_revision_can_be_named_in_several_ways(program, named):
    answer = program(Role.REVIEWER).put("/api/v1/questions/bread", json={}, headers={"If-Match": named})
    assert answer.status_code == 200


@pytest.mark.parametrize("named", ['"99"', '"0"', '"x"', '"x-1"', "1", "", '"1', '"99999999999999999999"'])
def test_a_revision_that_does_not_exist_is_a_412_that_names_the_newest(program, named):
    answer = program(Role.REVIEWER).put("/api/v1/questions/bread", json={}, headers={"If-Match": named})
    assert (answer.status_code, answer.headers["Content-Type"]) == (412, "application/problem+json")
    assert answer.json()["revision"] == 1
    assert '"1"' in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/questions", "/api/v1/questions/bread"])
@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_only_json_is_taken(program, path, media_type):
    headers = {"If-Match": "*"} | ({"Content-Type": media_type} if media_type else {})
    method = "PUT" if path.endswith("bread") else "POST"
    answer = program(Role.REVIEWER).request(method, path, content=json.dumps(QUESTION), headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (415, "application/problem+json")
    assert answer.headers["Accept"] == "application/json"
    nobody = program(Role.READER).request(method, path, content="x", headers=headers)
    assert nobody.status_code == 403  # before anything is said of what was sent


def test_other_places_merge_and_the_same_place_is_a_412_with_both_texts(program, client):
    editor = program(Role.REVIEWER)
    headers = {"If-Match": '"1"'}
    body = client.get("/api/v1/questions/workers-zh").json()["body_markdown"]
    editor.put("/api/v1/questions/workers-zh", json={"body_markdown": body.replace("不是", "绝不是")}, headers=headers)
    merged = editor.put("/api/v1/questions/workers-zh", json={"tags": ["fastapi", "new"]}, headers=headers)
    assert merged.status_code == 200
    assert merged.json()["revision"] == 3
    assert "绝不是" in merged.json()["body_markdown"]
    clash = editor.put(
        "/api/v1/questions/workers-zh", json={"body_markdown": body.replace("不是", "从不是")}, headers=headers
    )
    assert clash.status_code == 412
    problem = clash.json()
    assert "绝不是" in problem["theirs"]
    assert "从不是" in problem["yours"]
    assert problem["revision"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"body_markdown": ""},
        {"lang": "klingonese"},
        {"resources": [{"url": "javascript:x", "title": "x"}]},
        {"resources": [{"url": "http://[::1", "title": "x"}]},
        {"resources": [{"url": "https://x.example", "title": ""}]},
        {"tags": ["a/b"]},
        {"message": "x" * 501},
        {"body_markdown": "a\x00b"},
    ],
)
def test_what_cannot_be_used_is_a_400(program, change):
    answer = program(Role.REVIEWER).post("/api/v1/questions", json=QUESTION | change)
    assert answer.status_code == 400, answer.text
    assert answer.json()["detail"]


def test_sending_back_what_was_got_changes_nothing(client, program, library):
    source = (
        "---\ntitle: Kettle\nlang: en\ntags: [home]\nresources:\n  - url: https://www.example.org/a\n    title: A\n"
        "    archive: https://web.archive.org/a\n  - url: https://example.net/b\n    title: B\n    site: The B\n"
        "more:\n  - url: https://example.com/c\n    title: C\n    site: example.com\n---\n\nIt heats.\n"
    )
    library.write("kettle.md", source)
    library.sync()
    got = client.get("/api/v1/questions/kettle")
    sent = {name: got.json()[name] for name in ("title", "lang", "tags", "body_markdown", "resources")}
    headers = {"If-Match": got.headers["ETag"]}
    assert program(Role.REVIEWER).put("/api/v1/questions/kettle", json=sent, headers=headers).status_code == 200
    assert client.get("/questions/kettle.md").text == source
