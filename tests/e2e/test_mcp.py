"""The MCP server with several workers: nothing is kept between requests, so that any of them may answer each."""

import pytest
from mcp import Client

from tests.loops import run

pytestmark = pytest.mark.e2e


def test_any_worker_answers_each_request(server):
    request = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "ask", "arguments": {"question": "任務分配策略"}},
    }
    answers = set()
    workers = set()
    for _ in range(100):
        answer = server.post("/mcp", json=request, headers={"Accept": "application/json"})
        answers.add(answer.text)
        workers.add(answer.headers["X-Served-By"])
        if len(workers) > 1:
            break
    assert len(workers) > 1
    assert len(answers) == 1


def test_the_sdks_client_is_answered(server):
    async def talk():
        async with Client(f"{server.url}/mcp") as client:
            asked = await client.call_tool("ask", {"question": "How are requests distributed to workers?"})
            passage = asked.structured_content["passages"][0]
            read = await client.call_tool("read_question", {"slug": passage["slug"]})
            return passage, read.structured_content

    passage, article = run(talk())
    assert passage["text"] in article["markdown"]
    assert server.get(passage["url"].removeprefix(server.url)).status_code == 200
