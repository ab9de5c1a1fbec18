"""The real application over the small library, called in-process."""

import functools
from collections.abc import Iterator

import pytest
from fastapi import routing
from starlette.testclient import TestClient

from app.models import Account, Role
from app.services import accounts, passwords
from app.storage import articles, similar, version_follower
from app.web.access import SESSION_COOKIE
from app.web.application import Site, create_app
from app.web.routes import questions
from tests.waiting import eventually

PASSWORD = "correct horse battery staple"
PEOPLE = {
    Role.READER: ("rea@example.org", "Rea"),
    Role.CONTRIBUTOR: ("ann@example.org", "Ann"),
    Role.REVIEWER: ("rob@example.org", "Rob"),
    Role.ADMIN: ("ada@example.org", "Ada"),
}


@pytest.fixture(scope="session", autouse=True)
def routes_are_read_once():
    """FastAPI reads the parameters of all routes for each application: a sixth of what a test of one page takes."""
    read = routing._build_dependant_with_parameterless_dependencies

    @functools.cache
    def read_once(path, call, dependencies):
        return read(path=path, call=call, dependencies=dependencies)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            routing,
            read.__name__,
            lambda *, dependencies, **route: read_once(dependencies=tuple(dependencies), **route),
        )
        yield


@pytest.fixture
def client(library) -> Iterator[TestClient]:
    with TestClient(create_app(library.settings), follow_redirects=False) as client:
        wait_for_version(client.app)
        yield client


def wait_for_version(app: Site) -> None:
    """Wait until a worker knows the version of the content, as on PostgreSQL it does a moment after its start."""
    assert app.pages.state is not None
    watch = app.pages.state.watch
    assert watch is not None
    assert eventually(lambda: watch.current() is not None, pause=0.01)


def known(client: TestClient) -> None:
    """Wait until it is known what all articles are like; nothing is done while another's regular work is at it."""
    state = client.app.state.omniracle

    def is_known() -> bool:
        state.related.tend()
        with state.database.read() as session:
            return not similar.unknown(session, 1) and not similar.marked(session, 1)

    assert eventually(is_known, pause=0.01)


@pytest.fixture
def empty_client(empty_library) -> Iterator[TestClient]:
    with TestClient(create_app(empty_library.settings), follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Made once: it takes its time on purpose."""
    return passwords.hashed(PASSWORD)


@pytest.fixture
def people(library, password_hash) -> dict[Role, Account]:
    """One account of each role."""
    with library.database.write() as session:
        return {
            role: accounts.add(session, email=email, name=name, password_hash=password_hash, role=role)
            for role, (email, name) in PEOPLE.items()
        }


@pytest.fixture
def signed_in(client, people, library):
    """A client of each role, by role."""

    def make(role: Role | None) -> TestClient:
        made = TestClient(client.app, follow_redirects=False)
        made.portal = client.portal  # what a request begins may go on after it: all live in one event loop
        if role is not None:
            key = accounts.open_session(library.database, people[role], "tests")
            made.headers["Cookie"] = f"{SESSION_COOKIE}={key}"
        return made

    return make


@pytest.fixture
def made(monkeypatch):
    """The slugs of the questions whose pages were made, in order."""
    slugs: list[str] = []
    find = articles.find

    def spied(session, slug):
        slugs.append(slug)
        return find(session, slug)

    monkeypatch.setattr(questions.articles, "find", spied)
    # A busy machine lets the thread wait that the database tells of changes: no page would be kept meanwhile.
    monkeypatch.setattr(version_follower, "GOOD_FOR_S", 10)
    return slugs
