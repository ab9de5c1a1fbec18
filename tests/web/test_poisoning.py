"""Hosts, addresses and texts that try to become something else: another site, another header, another file."""

import itertools
import json
import re
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from app.models import Role, Scope
from app.services import accounts
from app.storage import articles, tags
from app.web.application import create_app
from app.web.parameters import local_path
from app.web.routes import ROUTES
from tests.web.conftest import PASSWORD

ELSEWHERE = [
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "https://evil.example", "https:evil.example", "https:/evil.example", "HTTPS://evil.example", "http:\\\\evil",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "//evil.example\\@testserver", "@evil.example",
    "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example", "/\x00/evil",
    "/\u3000/\u2028evil.example", "\u202e/evil.example", "/a\r\nSet-Cookie: a=b", "evil.example", "", "?//evil.example",
    "//evil\u3002example", "/\u200b/evil.example", "//[::1]", "//%65vil.example",
]  # fmt: skip
HERE = [
    "/%2F%2Fevil.example",
    "/%5Cevil.example",
    "/./%2Fevil.example",
    "/tags?next=//evil.example",
    "/a/..//evil.example",
]
LEADING = {"next", "next_path", "back", "url", "return", "return_to", "redirect", "to", "target"}
# Every route that takes a place to lead on to. `url` of the editor is fetched and never led to; the target of drafts
# is a name of theirs.
KNOWN = {
    "GET /sign-in next", "POST /sign-in next", "GET /sign-up next", "POST /sign-up next", "GET /sign-in/openid next",
    "POST /-/preferences next", "POST /drafts/{name}/removal back", "GET /-/experiments/{experiment_id} next",
    "POST /contribute/link url", "POST /drafts/{target} target",
}  # fmt: skip


def leading():
    for route in ROUTES:
        if isinstance(route, APIRoute):
            dependant = route.dependant
            for each in (*dependant.query_params, *dependant.body_params, *dependant.path_params):
                if each.alias in LEADING:
                    yield f"{min(route.methods)} {route.path} {each.alias}"


def test_every_way_to_be_led_on_is_known():
    assert set(leading()) == KNOWN


@pytest.mark.parametrize("target", [*ELSEWHERE, *HERE])
def test_a_path_of_this_site_is_all_that_is_led_to(target):
    taken = local_path(target)
    assert taken == (target if target in HERE else "/")
    assert urlsplit(urljoin("https://testserver/x", taken)).netloc == "testserver"


def test_every_route_that_leads_on_leads_nowhere_else(signed_in, people, library):
    signed_out, ann = signed_in(None), signed_in(Role.CONTRIBUTOR)
    emails = itertools.cycle(account.email for account in people.values())
    answers = []
    for number, bad in enumerate(ELSEWHERE):
        answers += [
            ann.get("/sign-in", params={"next": bad}),
            ann.get("/sign-up", params={"next": bad}),
            ann.post("/-/preferences", data={"theme": "dark", "next": bad}),
            ann.post("/drafts/new/removal", data={"back": bad}),
            signed_out.get("/sign-in", params={"next": bad}),
            signed_out.get("/sign-up", params={"next": bad}),
            signed_out.get("/sign-in/openid", params={"next": bad}),
        ]
        if number < 8:
            form = {"name": "Eve", "email": f"eve{number}@example.org", "password": PASSWORD, "next": bad}
            browsers = [TestClient(ann.app, follow_redirects=False) for _ in range(2)]
            answers.append(browsers[0].post("/sign-up", data=form))
            answers.append(browsers[1].post("/sign-in", data=form | {"email": next(emails)}))
            assert [answer.status_code for answer in answers[-2:]] == [303, 303]
    for answer in answers:
        assert answer.headers.get("Location", "/") in ("/", "/contribute"), answer.request.url
        for address in re.findall(r'\s(?:href|action|formaction)="([^"]*)"', answer.text):
            assert "evil" not in urlsplit(address).netloc + urlsplit(address).scheme, answer.request.url
            assert address.startswith(("/", "#", "http://testserver/")), address
            assert not address.startswith(("//", "/\\")), address


@pytest.mark.parametrize(
    "host",
    [
        'a"><script>alert(1)</script>', "evil.example/x?y#", "user@evil.example", "a b", "evil.example:9999999",
        "[::1", "evil.example\\", "x'y", "", "a,b", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_host_is_not_repeated(client, host):
    for path in ("/", "/questions/bread", "/feed.atom", "/sitemap.xml", "/robots.txt", "/llms.txt", "/opensearch.xml",
                 "/api/v1/questions", "/about/"):  # fmt: skip
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code < 400
        assert "<script>alert" not in answer.text
        assert "evil.example" not in answer.text + answer.headers.get("Location", "")
        assert "javascript:" not in answer.text


def test_no_host_reaches_the_pages_of_another(client):
    """Kept pages and answers made anew: what somebody sends as their host is in their own answers alone."""
    for path in ("/", "/questions/bread", "/feed.atom", "/tags/fastapi", "/search?q=salt", "/robots.txt", "/about"):
        for name in ("Host", "X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"):
            value = "host=evil.example" if name == "Forwarded" else "evil.example"
            client.get(path, headers={name: value})
            assert "evil.example" not in client.get(path).text, (path, name)


def test_with_a_public_address_no_other_host_is_repeated_at_all(library):
    settings = library.settings.model_copy(update={"base_url": "https://answers.example"})
    with TestClient(create_app(settings), follow_redirects=False) as client:
        for path in ("/", "/questions/bread", "/feed.atom", "/sitemap.xml", "/robots.txt", "/api/v1/questions"):
            answer = client.get(path, headers={"Host": "evil.example"})
            assert "evil.example" not in answer.text
            assert "https://answers.example" in answer.text or path == "/"


SPLIT = "Why\r\nX-Injected: 1\u2028 ]]><script>alert(1)</script> & more?"
ONE_LINE = " ".join(SPLIT.split())
QUOTED = SPLIT.replace("\r\n", "\\r\\n")  # as YAML writes it
FILE = f"""---
title: "{QUOTED}"
lang: "zh\\r\\nX-Injected: 1"
slug: "o\\r\\nX-Injected: 1"
aliases: ["b\\r\\nX-Injected: 1"]
tags: ["t\\r\\nX-Injected: 1"]
---

{SPLIT}
"""
PARTS = ("", ".md", ".json", "/history", "/history.atom", "/revisions/1", "/social.png")
ODD = (
    "/questions/old-workers/revisions/1%0d%0aX-Injected:%201",
    "/questions/b%0D%0AX-Injected%3A%201",
    "/tags/FastAPI%0d%0aX-Injected:%201",
    "/tags/FASTAPI?x=%0d%0aX-Injected:1",
    "/search?q=%0d%0aX-Injected:1",
    "/images/x%0d%0aX-Injected:1",
)


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x1b", "\ufffe", "\ud800"])
def test_signs_that_no_feed_can_hold_are_refused_or_left_out(client, library, people, sign):
    token = accounts.create_token(library.database, people[Role.REVIEWER], "x", Scope.WRITE, by="t")
    text = f"Why {sign} so?"
    sent = client.post(
        "/api/v1/questions",
        content=json.dumps({"title": text, "lang": "en", "tags": [text], "message": text, "body_markdown": text}),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    assert sent.status_code in (201, 400, 422)
    for path in ("/feed.atom", "/sitemap.xml", "/questions/why-so/history.atom"):
        answer = client.get(path)
        assert answer.status_code in (200, 404)
        if answer.status_code == 200:
            ET.fromstring(answer.content)


def test_nothing_that_is_written_becomes_a_header_or_breaks_a_feed(client, signed_in, library, people):
    rob = signed_in(Role.REVIEWER)
    token = accounts.create_token(library.database, people[Role.REVIEWER], "x", Scope.WRITE, by="t")
    question = {
        "title": SPLIT, "lang": "en", "tags": ['"><script>alert(1)'], "message": SPLIT,
        "body_markdown": f"# {SPLIT}\n\n{SPLIT}",
        "resources": [{"url": "https://e.example/x", "title": ONE_LINE, "description": ONE_LINE}],
    }  # fmt: skip
    sent = client.post("/api/v1/questions", json=question, headers={"Authorization": f"Bearer {token}"})
    assert sent.status_code == 201, sent.text
    assert re.fullmatch(r"[a-z0-9-]+", sent.json()["slug"])
    bad_card = {"url": "https://e.example/\r\nX-Injected: 1", "title": "x"}
    for bad in ({"lang": "en\r\nX-Injected: 1"}, {"tags": [SPLIT]}, {"resources": [bad_card]}):
        refused = client.post("/api/v1/questions", json=question | bad, headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 400, bad
    library.write("x/odd.md", FILE)
    library.sync()
    rob.post("/account/name", data={"name": f"Rob {SPLIT}"})
    with library.database.read() as session:
        slugs = [found.slug for found in articles.addresses(session, offset=0, limit=50)]
        topics = [tag.url for tag in tags.counted(session)]
    asked = [f"/questions/{slug}{part}" for slug in slugs for part in PARTS]
    asked += [path + part for path in topics for part in ("", "/feed.atom")]
    for path in (*asked, *ODD, "/", "/feed.atom", "/sitemap.xml", "/llms.txt", "/wanted/feed.atom", "/account"):
        answer = rob.get(path)
        assert answer.status_code < 500, path
        for name, value in answer.headers.raw:
            assert not re.search(rb"[\r\n\x00]", name + value), (path, name, value)
        assert "X-Injected" not in answer.headers
        if answer.status_code == 200 and path.endswith((".atom", ".xml")):
            ET.fromstring(answer.content)
        assert "<script>alert" not in answer.text or path.endswith((".md", ".json", "llms.txt"))
