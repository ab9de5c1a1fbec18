"""Whatever is too much is refused with a status that fits, and a sentence with the figure, in the reader's language."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import pytest
from httpx import Response
from PIL import Image
from starlette.testclient import TestClient

from app.models import Role, Scope
from app.services import accounts, limits, passwords
from app.services.limits import Limit, RateLimits
from app.web.access import SESSION_COOKIE
from app.web.application import create_app
from app.web.editor import CARD_PARTS
from app.web.state import own_limits
from tests.web.conftest import PASSWORD, PEOPLE

HAN = re.compile(r"[\u4e00-\u9fff]")
MB = 2**20
API = "/api/v1/questions"
BY_SCRIPT = {"Accept": "application/json"}
PAPER = {"title": "Why?", "body": "Because."}
ANSWER = {"title": "Why?", "body_markdown": "Because."}


@dataclass
class People:
    """Who asks, all in one language."""

    anybody: TestClient
    contributor: TestClient
    reviewer: TestClient
    program: TestClient


Ask = Callable[[People], Response]


@pytest.fixture(scope="module")
def everybody(common_library):
    """One application for all of them: nothing that is refused is kept."""
    library = common_library
    hashed = passwords.hashed(PASSWORD)
    keys = {}
    for role in (Role.CONTRIBUTOR, Role.REVIEWER):
        with library.database.write() as session:
            email, name = PEOPLE[role]
            account = accounts.add(session, email=email, name=name, password_hash=hashed, role=role)
        keys[role] = accounts.open_session(library.database, account, "tests")
        token = accounts.create_token(library.database, account, "tests", Scope.WRITE, "tests")
    with TestClient(create_app(library.settings), follow_redirects=False) as client:

        def asking(**headers: str) -> TestClient:
            made = TestClient(client.app, headers=headers, follow_redirects=False)
            made.portal = client.portal
            return made

        yield People(
            asking(),
            *(asking(Cookie=f"{SESSION_COOKIE}={key}") for key in keys.values()),
            asking(Authorization=f"Bearer {token}"),
        )


@pytest.fixture(params=["en", "zh-CN"])
def people_asking(request, everybody):
    for each in vars(everybody).values():
        each.headers["Accept-Language"] = request.param
    return everybody


@pytest.fixture
def counting(everybody, monkeypatch):
    """Count from nothing, with these limits."""
    state = everybody.anybody.app.state.omniracle

    def count(own: dict[Limit, int]) -> RateLimits:
        monkeypatch.setattr(state, "limits", RateLimits(state.database, secrets.token_bytes(), own))
        return state.limits

    return count


def write(**changes: object) -> Ask:
    return lambda people: people.contributor.post("/contribute", data=PAPER | changes)


def send(**changes: object) -> Ask:
    return lambda people: people.program.post(API, json=ANSWER | changes)


def get(address: str) -> Ask:
    return lambda people: people.anybody.get(address)


def post(address: str, **fields: str) -> Ask:
    return lambda people: people.anybody.post(address, data=fields)


def put_in(content: bytes, kind: str = "application/json") -> Ask:
    return lambda people: people.contributor.post(
        "/images/new", files={"image": ("a.png", content)}, headers={"Accept": kind}
    )


def picture(*size: int) -> bytes:
    written = BytesIO()
    Image.new("1", size).save(written, "PNG")
    return written.getvalue()


def cards(number: int = 1, **changes: str) -> Ask:
    given = dict.fromkeys(CARD_PARTS, "") | {"url": "https://example.org/", "title": "A page"} | changes
    return write(**{f"card_{part}": [value] * number for part, value in given.items()})


def keep_drafts(people: People) -> Response:
    """Keep one too many; others may keep some again afterwards."""
    names = [f"w{number}" for number in range(51)]
    drafts = [PAPER | {"window": name, "draft": f"new~{name}"} for name in names]
    answers = [people.contributor.post("/drafts/new", data=draft) for draft in drafts]
    for name in names:
        people.contributor.post(f"/drafts/new~{name}/removal")
    return answers[-1]


def in_pieces(_: object = None):
    yield from (b"x" * MB for _ in range(17))


def experiment(people: People) -> Response:
    return people.anybody.post("/-/experiments", json={"mode": "new", "requests": 401})


LONG_QUERY = "q=" + "x" * 4001
LONG_TAG = "tag=" + "x" * 201
RESOURCE = {"url": "https://example.org/", "title": "A page"}
TOO_MUCH: dict[str, tuple[Ask, int, tuple[str, ...]]] = {
    "a body that says its size": (
        lambda people: people.anybody.post("/sign-in", content=b"x", headers={"Content-Length": "16777217"}),
        413, ("16 MB",)),
    "a body that does not": (lambda people: people.contributor.post("/contribute", content=in_pieces(), headers={
        "Content-Type": "application/x-www-form-urlencoded"}), 413, ("16 MB",)),
    "a body for the API": (lambda people: people.program.post(API, content=in_pieces(), headers={
        "Content-Type": "application/json"}), 413, ("16 MB",)),
    "fields of the editor": (write(**{f"f{n}": "" for n in range(2001)}), 400, ("2000",)),
    "fields of another form": (post("/sign-in", **{f"f{n}": "" for n in range(2001)}), 400, ("2000",)),
    "files": (lambda people: people.contributor.post("/images/new", files=[("image", b"x")] * 1001), 400, ("1000",)),
    "a title": (write(title="x" * 301), 400, ("300",)),
    "an answer": (write(body="x" * 1_000_001), 400, ("1,000,000",)),
    "a draft": (write(body="x" * 1_000_001, action="draft"), 400, ("1,000,000",)),
    "a draft, by a script": (
        lambda people: people.contributor.post("/drafts/new", data={"body": "x" * 1_000_001}, headers=BY_SCRIPT),
        400, ("1,000,000",)),
    "what stands beside a draft's text": (write(message="x" * 1_000_001, action="draft"), 400, ("1,000,000",)),
    "a draft's title": (write(title="x" * 301, action="draft"), 400, ("300",)),
    "drafts": (keep_drafts, 400, ("50",)),
    "a message": (write(message="x" * 501), 400, ("500",)),
    "topics": (write(tags=",".join(f"t{n}" for n in range(101))), 400, ("100", "60")),
    "a topic": (write(tags="x" * 61), 400, ("100", "60")),
    "resources": (cards(201), 400, ("200",)),
    "a resource's title": (cards(title="x" * 501), 400, ("500",)),
    "a resource's address": (cards(url="https://example.org/" + "x" * 2000), 400, ("2000",)),
    "a title, by the API": (send(title="x" * 301), 422, ("title", "300")),
    "an answer, by the API": (send(body_markdown="x" * 1_000_001), 400, ("1,000,000",)),
    "a message, by the API": (send(message="x" * 501), 400, ("500",)),
    "topics, by the API": (send(tags=["x"] * 101), 422, ("tags", "100")),
    "a topic, by the API": (send(tags=["x" * 61]), 422, ("tags.0", "60")),
    "resources, by the API": (send(resources=[RESOURCE] * 201), 422, ("resources", "200")),
    "a resource's title, by the API": (
        send(resources=[RESOURCE | {"title": "x" * 501}]), 422, ("resources.0.title", "500")),
    "a resource's address, by the API": (
        send(resources=[RESOURCE | {"url": "https://example.org/" + "x" * 2000}]), 422, ("resources.0.url", "2000")),
    "a name": (post("/sign-up", name="x" * 81), 400, ("80",)),
    "an address": (post("/sign-up", email="x" * 250 + "@a.org"), 400, ("254",)),
    "a short password": (post("/sign-up", password="x" * 9), 400, ("10",)),
    "a long password": (post("/sign-up", password="x" * 201), 400, ("200",)),
    "another name": (lambda people: people.contributor.post("/account/name", data={"name": "x" * 81}), 400, ("80",)),
    "a token's name": (
        lambda people: people.contributor.post("/account/tokens", data={"token_name": "x" * 81}), 400, ("80",)),
    "words to search for": (get(f"/search?{LONG_QUERY}"), 400, ("4001", "4000")),
    "words to search for, by the API": (get(f"/api/v1/search?{LONG_QUERY}"), 400, ("4001", "4000")),
    "a topic to narrow by": (get(f"/questions?{LONG_TAG}"), 422, ("tag", "200")),
    "a topic to narrow by, by the API": (get(f"{API}?{LONG_TAG}"), 422, ("tag", "200")),
    "hits": (get("/api/v1/search?limit=101"), 422, ("limit", "100")),
    "no hits": (get("/api/v1/search?limit=0"), 422, ("limit", "1")),
    "hits to skip": (get("/api/v1/search?offset=10001"), 422, ("offset", "10000")),
    "a page behind the last": (get("/questions?page=99"), 404, ("99", "1")),
    "a page behind the last, of a search": (get("/search?q=bread&page=99"), 404, ("99", "1")),
    "a page behind the last, by the API": (get(f"{API}?page=99"), 404, ("99", "1")),
    "a number of a page": (get("/questions?page=1234567890"), 404, ("1234567890",)),
    "a wish": (lambda people: people.anybody.post(  # another one each time: who asks twice counts once
        "/wanted", data={"q": secrets.token_hex(101)}), 400, ("200",)),
    "a doubt": (post("/questions/bread/feedback", kind="wrong", reason="x" * 1001), 400, ("1000",)),
    "a reason to delete": (lambda people: people.reviewer.post(
        "/questions/bread/deletion", data={"reason": "x" * 501}), 400, ("500",)),
    "an image": (put_in(b"x" * (8 * MB + 1)), 400, ("8 MB",)),
    "an image, by the form": (put_in(b"x" * (8 * MB + 1), "text/html"), 400, ("8 MB",)),
    "an image's side": (put_in(picture(30_001, 1)), 400, ("40", "30000", "200")),
    "an image's pixels": (put_in(picture(6400, 6400)), 400, ("40", "30000", "200")),
    "an experiment": (experiment, 400, ("400", "16")),
    "a question of a language model": (lambda people: people.anybody.post("/mcp", content=b" " * 262_145, headers={
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream"}), 413, ("256 kB",)),
}  # fmt: skip


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_too_much_is_refused_with_the_figure(people_asking, name):
    ask, status, figures = TOO_MUCH[name]
    answer = ask(people_asking)
    assert answer.status_code == status
    check_told(answer, people_asking, figures)


OFTEN: dict[str, tuple[Ask, str]] = {  # with the minutes in which they count
    "API_READ": (get(API), "1"),
    "SIGN_IN": (post("/sign-in", email="ann@example.org", password="x"), "15"),
    "SIGN_IN_AT": (post("/sign-in", email="ann@example.org", password="x"), "15"),
    "SIGN_IN_FROM": (post("/sign-in", email="ann@example.org", password="x"), "15"),
    "PASSWORD": (
        lambda people: people.contributor.post("/account/password", data={"old": "x", "new": PASSWORD}), "15"),
    "PREVIEW": (lambda people: people.contributor.post("/contribute/preview", data=PAPER), "60"),
    "SIGN_UP": (post("/sign-up"), "60"),
    "CONTRIBUTION": (write(), "60"),
    "LINK": (lambda people: people.contributor.post("/contribute/link", data={"url": ""}), "60"),
    "FEEDBACK": (post("/questions/bread/feedback", kind="helpful"), "60"),
    "EXPERIMENT": (experiment, "60"),
    "IMAGE": (put_in(b""), "60"),
    "WISH": (post("/wanted", q="Why?"), "60"),
}  # fmt: skip


@pytest.mark.parametrize("name", OFTEN)
def test_what_is_done_too_often_is_refused_with_the_figure(people_asking, counting, name):
    ask, minutes = OFTEN[name]
    limit = getattr(limits, name)
    counting({limit: 1})
    assert ask(people_asking).status_code < 429
    answer = ask(people_asking)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= limit.period_s
    check_told(answer, people_asking, ("1", minutes))


@pytest.mark.parametrize("action", ["preview", "draft"])
@pytest.mark.parametrize("path", ["/contribute", "/questions/bread/edit", "the proposal"])
def test_previews_and_drafts_count_wherever_they_are_asked_for(people_asking, counting, path, action):
    counting({})
    if path == "the proposal":
        path = people_asking.contributor.post("/contribute", data=PAPER).headers["Location"] + "/edit"
    counting({limits.PREVIEW: 1})
    typed = PAPER | {"action": action, "body": "Nobody wants to type this again."}
    assert people_asking.contributor.post(path, data=typed).status_code == 200
    answer = people_asking.contributor.post(path, data=typed)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= limits.PREVIEW.period_s
    assert typed["body"] in answer.text
    check_told(answer, people_asking, ("1", "60"))


def test_every_limit_by_time_is_among_them():
    known = {name for name, value in vars(limits).items() if isinstance(value, Limit)}
    own_work = {"LINK_CHECK", "WANTED_CHECK", "UNANSWERED"}  # nobody is refused by these
    assert known - own_work == set(OFTEN)


@pytest.mark.parametrize("name", ["api_reads", "contributions", "sign_ups"])
def test_an_operator_may_allow_any_number(everybody, counting, name):
    settings = everybody.anybody.app.state.omniracle.settings
    own = own_limits(settings.model_copy(update={name: 0}))
    counted = counting(own)
    (limit,) = (each for each, most in own.items() if not most)
    for _ in range(2 * limits.SIGN_UP.most):
        counted.count(limit, "somebody")
        counted.count_often(limit, "somebody")


def check_told(answer: Response, people: People, figures: tuple[str, ...]) -> None:
    """Check that the answer has a sentence with these figures in the language that was asked for, and in no other."""
    wants_chinese = people.anybody.headers["Accept-Language"] != "en"
    if answer.headers["Content-Type"].startswith("application/problem+json"):
        pieces = [answer.json()["detail"]]
    else:
        assert f'lang="{"zh" if wants_chinese else "en"}' in answer.text
        main = answer.text.partition("<main")[2].partition("</main>")[0]
        pieces = re.split(r"<[^>]*>", main)
    told = [piece.strip() for piece in pieces if all(figure in piece for figure in figures)]
    assert told, pieces
    assert any(bool(HAN.search(piece)) == wants_chinese for piece in told), told
