"""What only the real server and a real browser can show."""

import json
import re
import socket

import pytest

from app.headers import SECURITY_HEADERS
from tests.e2e.conftest import start, stop
from tests.hostile import payloads

pytestmark = pytest.mark.e2e

MADE_UP = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "203.0.113.9",
    "Forwarded": "host=evil.example;proto=https",
    "X-Original-URL": "/about",
}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET / HTTP/9.9<script>\r\n\r\n", 400),
        (b"<script>\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: <script>\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"<script>" * 10_000, 431),
    ],
    ids=["TLS", "a version", "a line", "a header", "too long"],
)
def test_what_is_no_http_gets_an_answer_that_no_browser_runs(server, sent, status):
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=10) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first.startswith(f"HTTP/1.1 {status} ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == str(len(body))
    assert b"script" not in body
    page = server.get("/about").headers
    assert page["X-Served-By"]
    assert "Server" not in page
    for name in {*SECURITY_HEADERS} - {"Content-Security-Policy"}:
        assert headers[name.lower()] == page[name], name
    assert headers["x-served-by"] in {str(each["pid"]) for each in server.get("/-/workers.json").json()["workers"]}


def test_who_was_refused_stands_in_the_log_of_the_server(server):
    sent = {"email": "nobody@example.org", "password": "a secret guess"}
    told = server.post("/sign-in", data=sent, headers={"X-Forwarded-For": "203.0.113.9"})
    assert told.status_code == 400
    written = (server.data.parent / f"server-{server.url.rsplit(':', 1)[1]}.log").read_text()
    begin = r"^\d{4}-\d\d-\d\dT[\d:.]+Z (\d+) WARNING app\.web\.security_log: "
    (line,) = re.findall(begin + r"(.*203\.0\.113\.9.*)$", written, re.MULTILINE)
    assert line[0] == told.headers["X-Served-By"]
    assert json.loads(line[1]) == {
        "event": "wrong-password", "client": "203.0.113.9", "route": "/sign-in", "account": None,
    }  # fmt: skip
    assert "secret guess" not in written


def test_what_proxies_say_is_believed_of_those_that_are_named(server, data):
    told = server.get("/feed.atom", headers=MADE_UP)
    assert "Strict-Transport-Security" in told.headers
    assert server.url.replace("http:", "https:") in told.text
    assert "evil.example" not in told.text
    assert "Strict-Transport-Security" not in server.get("/feed.atom").headers
    other = start(data, workers=1, FORWARDED_ALLOW_IPS="203.0.113.1")
    try:
        told = other.get("/feed.atom", headers=MADE_UP)
        assert "Strict-Transport-Security" not in told.headers
        assert f"{other.url}/feed.atom" in told.text
        assert "https://127" not in told.text
    finally:
        assert stop(other) == 0


# Finds in the page, as Chromium has read it, what could run or pose as ours; and what has run.
LOOK = """() => {
  const found = [...window.ran];
  const within = [...document.querySelectorAll('main, main *, title, dialog *')];
  for (const element of within) {
    if (/^(script|iframe|object|embed|base|link|style|math|frame|meta|template|applet)$/i.test(element.tagName))
      if (element.type !== 'application/ld+json') found.push(element.outerHTML);
    for (const {name, value} of element.attributes)
      if (/^on|^style$|^srcdoc$|^formaction$/i.test(name)) found.push(`${name}=${value}`);
    for (const name of ['href', 'src', 'action'])
      if (element.getAttribute(name) && typeof element[name] === 'string')
        if (!/^(https?|mailto|tel):/.test(element[name])) found.push(element[name]);
  }
  return found;
}"""
SPY = """
window.ran = [];
for (const name of ['alert', 'prompt', 'confirm', 'print']) window[name] = () => ran.push(name);
window.addEventListener('error', (event) => event.message && ran.push(event.message));
"""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # with which an answer is refused
TOGETHER = 150  # payloads in one answer


def test_nothing_of_the_collection_runs_in_a_browser_even_without_the_policy(browser, tmp_path):
    """The policy would keep scripts from running: here it is switched off, so that the cleaning stands alone."""
    collection, folder = payloads(), tmp_path / "content"
    (folder / "hostile").mkdir(parents=True)
    for number in range(0, len(collection), TOGETHER):
        part = collection[number : number + TOGETHER]
        title = json.dumps(next((each for each in part if each.isprintable() and len(each) < 90), "x"))
        cards = "".join(
            f"  - url: https://e.example/{place}\n    title: {json.dumps(each)}\n    description: {json.dumps(each)}\n"
            for place, each in enumerate(part[:20])
            if each.isprintable()
        )
        body = "\n\n".join(_CONTROLS.sub("", each) for each in part)
        text = f"---\ntitle: {title}\nlang: en\ntags: [hostile]\nresources:\n{cards}---\n\n{body}\n"
        (folder / "hostile" / f"part-{number}.md").write_text(text, encoding="utf-8")
    server = start(tmp_path / "var", workers=1, OMNIRACLE_CONTENT_DIR=str(folder))
    context = browser.new_context(base_url=server.url, bypass_csp=True)
    context.add_init_script(SPY)
    context.route(
        "**/*", lambda route: route.continue_() if route.request.url.startswith(server.url) else route.abort()
    )
    page = context.new_page()
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    try:
        listed = server.get("/api/v1/questions?tag=hostile").json()
        assert listed["total"] == -(-len(collection) // TOGETHER)
        paths = [item["url"].removeprefix(server.url) for item in listed["items"]]
        paths += [
            "/questions?tag=hostile",
            "/search?q=alert",
            "/search?q=%22%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
        ]
        for path in paths:
            page.goto(path, wait_until="load")
            assert page.evaluate(LOOK) == [], path
            assert page.url.startswith(server.url + path.partition("?")[0])
        assert dialogs == []
    finally:
        context.close()
        assert stop(server) == 0
