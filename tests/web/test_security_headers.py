"""What every answer says to browsers: pages, errors, redirects, 304, files, feeds, the API, MCP; and cookies."""

import io
import re

import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError
from starlette.testclient import TestClient

from app.models import Role
from app.services import accounts
from app.web.application import create_app
from app.web.routes import tags
from tests.web.conftest import PASSWORD
from tests.web.surface import SAFE, address, surface

TYPES = {
    r".*\.json|/api/v1/(?!docs).*": r"application/([\w.-]+\+)?json",
    r".*\.atom": r"application/atom\+xml",
    r".*\.xml": r"application/([\w.-]+\+)?xml",
    r".*\.md": "text/markdown; charset=utf-8",
    r".*\.css": "text/css; charset=utf-8",
    r".*\.(svg|ico)": r"image/svg\+xml",
    r".*\.png": "image/png",
    "/robots.txt": "text/plain; charset=utf-8",
}
OTHER_TYPES = r"(text/html|text/plain|text/markdown); charset=utf-8|application/([\w.-]+\+)?json|text/plain; version=.*"


def check(answer):
    """See to it that an answer has all that protects who gets it."""
    about = (answer.request.method, str(answer.request.url), answer.status_code)
    headers = answer.headers
    policy = dict(
        part.split(" ", 1) if " " in part else (part, "") for part in headers["Content-Security-Policy"].split("; ")
    )
    assert "unsafe" not in headers["Content-Security-Policy"], about
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'", about
    assert policy.get("script-src", "'self'") == policy.get("style-src", "'self'") == "'self'", about
    assert policy["form-action"] in ("'self'", "'none'"), about
    assert headers["X-Content-Type-Options"] == "nosniff", about
    assert headers["Referrer-Policy"] == "strict-origin-when-cross-origin", about
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin", about
    assert headers["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin"), about
    assert not any(name.startswith("access-control-") for name in headers), about
    assert ("Strict-Transport-Security" in headers) == (answer.request.url.scheme == "https"), about
    assert "server" not in headers, about
    if answer.content:
        kinds = [kind for path, kind in TYPES.items() if re.fullmatch(path, answer.request.url.path)]
        expected = kinds[0] if kinds and answer.status_code == 200 else OTHER_TYPES
        assert re.fullmatch(expected, headers["Content-Type"]) or headers["Content-Type"] == expected, about


def no_script(answer):
    """See to it that a page needs nothing that its policy forbids."""
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        for script in re.findall(r"<script\b[^>]*>", answer.text):
            assert "src=" in script or 'type="application/ld+json"' in script, (answer.request.url, script)
        for tag in re.findall(r"<[a-z][^>]*>", answer.text):
            bare = re.sub(r'"[^"]*"', '""', tag)
            assert not re.search(r"\s(on[a-z]+|style|srcdoc)=", bare), (answer.request.url, tag)
            assert not re.search(r'="\s*javascript:', tag, re.IGNORECASE), (answer.request.url, tag)
        assert "<style" not in answer.text, answer.request.url


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("who", [None, Role.ADMIN])
def test_every_answer_protects_who_gets_it(signed_in, who, scheme):
    client = signed_in(who)
    client.base_url = f"{scheme}://testserver"
    for method, path in surface(client.app):
        asked = address(path) if method in SAFE else address(path, slug="999999")
        answer = client.request(method, asked)
        check(answer)
        no_script(answer)
        if method == "GET":
            again = client.get(asked)  # what is kept is sent by other code
            check(again)
            check(client.head(asked))
            if etag := again.headers.get("ETag"):
                known = client.get(asked, headers={"If-None-Match": etag})
                check(known)
                assert known.status_code in (200, 304) if path in ("/", "/search") else known.status_code == 304, path
        if path == "/sign-out" and who is not None:
            client.headers = signed_in(who).headers


def test_errors_of_all_kinds_do_too(client, signed_in, monkeypatch):
    admin = signed_in(Role.ADMIN)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = {
        400: admin.post("/-/preferences", data={"theme": "pink"}),
        401: client.post("/account/name"),
        403: client.post("/-/preferences", headers={"Sec-Fetch-Site": "cross-site"}),
        404: client.get("/nothing%3Cscript%3Ealert(1)%3C/script%3E"),
        405: client.put("/about"),
        413: client.post("/contribute", content=b"x", headers={"Content-Length": "99999999"}),
        415: admin.post("/api/v1/questions", content=b"x"),
        422: client.get("/api/v1/search?limit=x"),
        429: [client.post("/wanted", data={"q": f"why {number}"}) for number in range(25)][-1],
        301: client.get("/questions/old-workers"),
        303: client.get("/account"),
    }
    admin.post("/questions/bread/deletion", data={"reason": "wrong"})
    answers[410] = client.get("/questions/bread")

    def fail(*_, **__):
        raise RuntimeError

    def be_busy(*_, **__):
        raise OperationalError("", {}, Exception("database is locked"))

    monkeypatch.setattr(tags.tags, "counted", fail)
    answers[500] = client.get("/tags", headers=form)
    monkeypatch.setattr(tags.tags, "counted", be_busy)
    answers[503] = client.get("/tags", headers=form)
    for status, answer in answers.items():
        assert answer.status_code == status
        check(answer)
        no_script(answer)


def test_what_was_put_in_is_sent_as_what_it_is_and_runs_nothing(signed_in):
    written = io.BytesIO()
    Image.new("RGB", (2, 2)).save(written, "PNG")
    ann = signed_in(Role.CONTRIBUTOR)
    polyglot = written.getvalue() + b"<script>alert(1)</script>"
    files = {"image": ("../../x.html", polyglot, "text/html")}
    sent = ann.post("/images/new", files=files, headers={"Accept": "application/json"})
    image = ann.get(sent.json()["url"])
    check(image)
    assert image.headers["Content-Type"] == "image/png"
    assert image.headers["Content-Security-Policy"].endswith("; sandbox")
    assert image.headers["Cross-Origin-Resource-Policy"] == "cross-origin"  # feeds are read elsewhere
    assert b"script" not in image.content


def test_what_only_some_may_see_is_kept_by_nobody(signed_in):
    admin = signed_in(Role.ADMIN)
    for path in ("/account", "/admin/accounts", "/admin/audit", "/-/status"):
        assert admin.get(path).headers["Cache-Control"] == "no-store"
    for method, path in surface(admin.app):
        if method == "GET" and path.startswith(
            ("/account", "/admin", "/review", "/proposals", "/drafts", "/contribute")
        ):
            kept = admin.get(address(path)).headers["Cache-Control"]
            assert "no-store" in kept or "private" in kept, path


def cookies_of(client, library):
    """Do everything by which the site sets a cookie, and return what it has said."""
    accounts.sign_up(library.database, email="eve@example.org", name="Eve", password=PASSWORD)
    answers = [
        client.post("/sign-in", data={"email": "eve@example.org", "password": PASSWORD}),
        client.post("/account/name", data={"name": "Eve B."}),
        client.post("/sign-out"),
        client.get("/"),
        client.post("/sign-up", data={"email": "f@example.org", "name": "Fay", "password": PASSWORD}),
        client.post("/-/preferences", data={"theme": "dark", "lang": "en", "script": "hans"}),
    ]
    return [cookie for answer in answers for cookie in answer.headers.get_list("Set-Cookie")]


@pytest.mark.parametrize(("scheme", "base_url"), [("http", None), ("https", None), ("http", "https://answers.example")])
def test_every_cookie_is_out_of_reach_of_scripts_other_sites_and_eavesdroppers(library, scheme, base_url):
    settings = library.settings.model_copy(update={"base_url": base_url})
    with TestClient(create_app(settings), base_url=f"{scheme}://testserver", follow_redirects=False) as client:
        said = cookies_of(client, library)
    is_secure = "https" in (scheme, (base_url or "").partition(":")[0])
    session = "__Host-omniracle_session" if is_secure else "omniracle_session"
    assert {cookie.partition("=")[0] for cookie in said} == {session, "notice", "theme", "lang", "script"}
    for cookie in said:
        attributes = cookie.lower().split("; ")[1:]
        assert {"httponly", "samesite=lax", "path=/"} <= set(attributes), cookie
        assert attributes.count("secure") == is_secure, cookie
        assert not any(each.startswith("domain") for each in attributes), cookie


def test_by_https_a_session_that_another_host_may_have_planted_is_none(library, people):
    """A host beside the site's, or whoever sits on the line, can set a cookie for it, but none with the prefix."""
    key = accounts.open_session(library.database, people[Role.CONTRIBUTOR], "tests")
    with TestClient(create_app(library.settings), base_url="https://testserver", follow_redirects=False) as client:
        planted = {"Cookie": f"omniracle_session={key}"}
        assert client.get("/account", headers=planted).status_code == 303
        assert "Ann" not in client.get("/", headers=planted).text
        own = {"Cookie": f"__Host-omniracle_session={key}"}
        assert client.get("/account", headers=own).status_code == 200
        for _ in range(2):  # and the pages of who is signed in are kept for nobody
            assert ">Ann<" in client.get("/", headers=own).text
        assert ">Ann<" not in client.get("/").text
