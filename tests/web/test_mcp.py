"""The MCP server, by the SDK's own client where that shows more than a bare request."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import httpx2 as httpx
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from starlette.testclient import TestClient

from app.models import Role
from app.web.application import create_app
from tests.loops import run

SITE = "http://testserver"
HEADERS = {"Accept": "application/json, text/event-stream"}


@asynccontextmanager
async def serving(settings):
    """A client of the real application, in the same event loop."""
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=SITE, headers=HEADERS) as http,
    ):
        yield app, http


def ask_sdk(library, conversation, mode="auto"):
    """Return what `conversation` returns with the SDK's client."""

    async def talk():
        async with (
            serving(library.settings) as (_app, http),
            Client(streamable_http_client(f"{SITE}/mcp", http_client=http), mode=mode) as client,
        ):
            return await conversation(client)

    return run(talk())


def call(library, tool, **arguments):
    """Return what a tool answers; fail if that is an error."""
    result = ask_sdk(library, lambda client: client.call_tool(tool, arguments))
    assert not result.is_error, result.content
    return result.structured_content


def refused(library, tool, **arguments):
    """Return what a tool says about arguments that it cannot use."""
    result = ask_sdk(library, lambda client: client.call_tool(tool, arguments))
    assert result.is_error
    (content,) = result.content
    assert "Traceback" not in content.text
    assert "/app/" not in content.text
    return content.text


def request(tool="list_tags", **arguments):
    return {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    }


def post(client, **headers):
    return client.post("/mcp", json=request(), headers=HEADERS | headers)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_server_says_what_it_is(library, mode):
    async def conversation(client):
        return client.server_info, client.instructions, await client.list_tools()

    info, instructions, listed = ask_sdk(library, conversation, mode)
    assert (info.name, info.title) == ("omniracle", "Omniracle")
    assert "`url` and the `revision`" in instructions
    assert {tool.name for tool in listed.tools} == {"ask", "search", "read_question", "list_tags"}
    for tool in listed.tools:
        assert tool.annotations.read_only_hint
        assert tool.title
        assert tool.description
        assert all(each["description"] for each in tool.input_schema["properties"].values())
        assert tool.output_schema


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_search(library, mode):
    result = ask_sdk(library, lambda client: client.call_tool("search", {"query": "任務分配", "limit": 1}), mode)
    found = result.structured_content
    assert found["total"] >= 1
    (hit,) = found["hits"]
    assert set(hit) == {"slug", "url", "title", "lang", "tags", "excerpt", "section", "updated_at"}
    assert (hit["slug"], hit["url"]) == ("workers-zh", f"{SITE}/questions/workers-zh")
    assert "没有谁分配任务" in hit["excerpt"]
    assert "<mark>" not in hit["excerpt"]


def test_search_narrows(library):
    narrowed = call(library, "search", query="fastapi", lang="EN", tag="Deployment")
    assert [hit["slug"] for hit in narrowed["hits"]] == ["workers-en"]
    assert call(library, "search", query="fastapi", lang="fr") == {"total": 0, "hits": []}


def test_read_question(library):
    answer = call(library, "read_question", slug="workers-zh")
    assert answer["markdown"].startswith("没有谁分配任务")
    assert (answer["revision"], answer["verified"], answer["lang"]) == (1, None, "zh")
    assert answer["tags"] == ["fastapi", "deployment"]
    assert [(source["section"], source["url"]) for source in answer["resources"]] == [
        ("resources", "https://uvicorn.dev/deployment/"),
        ("more", "https://docs.python.org/3/library/asyncio.html"),
    ]
    related = call(library, "read_question", slug="workers-en")["related"]
    assert related[0] == {
        "slug": "background-tasks",
        "url": f"{SITE}/questions/background-tasks",
        "title": "How do background tasks run in FastAPI?",
        "lang": "en",
    }


def test_a_former_slug_leads_to_the_question(library):
    assert call(library, "read_question", slug="old-workers")["slug"] == "workers-zh"


def test_an_unknown_slug_is_told(library):
    assert "There is no question" in refused(library, "read_question", slug="none")


def test_list_tags(library):
    assert call(library, "list_tags")["tags"][0] == {"name": "fastapi", "count": 3, "url": f"{SITE}/tags/fastapi"}
    assert [tag["count"] for tag in call(library, "list_tags", lang="en")["tags"]] == [2, 1, 1]


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        ("workers 的任务分配是什么策略？", "workers-zh"),
        ("How are requests distributed to workers?", "workers-en"),
        ("圖書館怎麼整理軟體文件", "traditional"),
    ],
)
def test_ask_quotes_word_for_word(library, question, slug):
    reply = call(library, "ask", question=question)
    assert (reply["answer"], reply["reason"], reply["nearest"]) == ("passages", None, [])
    passage = reply["passages"][0]
    assert passage["slug"] == slug
    article = call(library, "read_question", slug=slug)
    assert passage["text"] in article["markdown"]
    for name in ("title", "revision", "lang", "verified"):
        assert passage[name] == article[name]
    assert passage["resources"] == [each for each in article["resources"] if each["section"] == "resources"]


def test_ask_leads_to_the_section(library):
    passage = call(library, "ask", question="共享的监听套接字")["passages"][0]
    assert passage["section"] == "共享的监听套接字"
    assert passage["text"] == "父进程绑定端口，子进程在同一个套接字上接受连接。"
    assert passage["url"] == f"{SITE}/questions/workers-zh#{passage['anchor']}"
    assert passage["coverage"] == 1
    assert passage["missing"] == []
    assert passage["whole_section"]


def test_ask_says_when_there_is_no_answer(library):
    reply = call(library, "ask", question="Who invented bread slicing machines?")
    assert (reply["answer"], reply["passages"]) == ("no_answer", [])
    assert reply["reason"]
    assert "machines" in reply["missing"]
    assert [near["title"] for near in reply["nearest"]] == ["Why does bread need salt?"]


@pytest.mark.parametrize(("tool", "argument"), [("ask", "question"), ("search", "query")])
def test_a_text_that_is_too_long_is_refused_clearly(library, tool, argument):
    assert "the limit is 4000" in refused(library, tool, **{argument: "x" * 5000})


def test_wrong_arguments_are_told(library):
    assert "less than or equal to 20" in refused(library, "search", query="x", limit=21)
    assert "question" in refused(library, "ask")
    assert "Unknown tool" in refused(library, "forget")


def test_without_an_index_the_tools_say_so(library):
    async def talk():
        async with serving(library.settings) as (app, http):
            await http.post("/mcp", json=request())
            app.state.omniracle.index.close()
            shutil.rmtree(library.settings.index_dir)
            answers = [await http.post("/mcp", json=request("ask", question="bread"))]
            answers.append(await http.post("/mcp", json=request("read_question", slug="bread")))
            return [answer.json()["result"] for answer in answers]

    asked, read = run(talk())
    assert asked["isError"]
    assert "try again" in asked["content"][0]["text"]
    assert "reindex" not in asked["content"][0]["text"]
    assert read["structuredContent"]["slug"] == "bread"


def test_several_first_requests_at_once(library):
    async def talk():
        async with serving(library.settings) as (_app, http):
            return await asyncio.gather(*(http.post("/mcp", json=request()) for _ in range(12)))

    answers = run(talk())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_what_has_ended_is_started_anew(library):
    async def talk():
        async with serving(library.settings) as (app, http):
            before = await http.post("/mcp", json=request())
            await app.state.omniracle.mcp.close()
            return before, await http.post("/mcp", json=request())

    before, after = run(talk())
    assert (before.status_code, before.content) == (after.status_code, after.content)
    assert after.status_code == 200


def test_each_answer_names_its_worker_and_is_counted(client):
    answer = post(client)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Served-By"]
    assert 'route="/mcp"' in client.get("/metrics").text


@pytest.mark.parametrize("accept", ["text/html", "text/event-stream", "*/*"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_there_are_no_streams_and_no_sessions(client, method, accept):
    answer = client.request(method, "/mcp", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    if method == "GET":
        assert "MCP client" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
    ],
)
def test_pages_of_other_sites_are_refused(client, headers):
    answer = post(client, **headers)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Served-By"]


def test_without_a_public_address_the_site_has_any_name(client):
    for host in ("testserver", "127.0.0.1:8000", "library.lan"):
        answer = post(client, Host=host)
        tag = answer.json()["result"]["structuredContent"]["tags"][0]
        assert tag["url"] == f"http://{host}/tags/fastapi"
    assert post(client, Origin="http://testserver").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "library.example"}, 200),
        ({"Host": "library.example", "Origin": "https://library.example", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "library.example:8443"}, 200),
        ({"Host": "127.0.0.1:8000"}, 200),
        ({"Host": "localhost"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example", "Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 421),
        ({"Host": "127.0.0.1.evil.example"}, 421),
        ({"Host": "library.example", "Origin": "https://evil.example"}, 403),
    ],
)
def test_with_a_public_address_no_other_name_leads_here(library, headers, status):
    settings = library.settings.model_copy(update={"base_url": "https://library.example"})
    with TestClient(create_app(settings)) as client:
        answer = post(client, **headers)
        assert answer.status_code == status
        if status == 200:
            tag = answer.json()["result"]["structuredContent"]["tags"][0]
            assert tag["url"] == "https://library.example/tags/fastapi"


def test_reading_is_limited_as_through_the_api(library):
    with TestClient(create_app(library.settings.model_copy(update={"api_reads": 3}))) as client:
        answers = [post(client) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].headers["Content-Type"] == "application/problem+json"
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
        assert client.get("/api/v1/search?q=bread").status_code == 429


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"nonsense", 400),
        (b"[" * 10_000, 400),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', 400),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "none"}', 200),
        (b" " * 2**19, 413),
    ],
)
def test_what_is_no_request_is_refused(client, content, status):
    answer = client.post("/mcp", content=content, headers=HEADERS | {"Content-Type": "application/json"})
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert answer.headers["X-Served-By"]
    assert post(client).status_code == 200


def test_what_is_deleted_is_gone_here_too(client, signed_in):
    assert signed_in(Role.REVIEWER).post("/questions/bread/deletion", data={"reason": "test"}).status_code == 303
    asked = client.post("/mcp", json=request("ask", question="Why does bread need salt?"), headers=HEADERS)
    assert asked.json()["result"]["structuredContent"]["answer"] == "no_answer"
    read = client.post("/mcp", json=request("read_question", slug="bread"), headers=HEADERS)
    assert "has been deleted" in read.json()["result"]["content"][0]["text"]
