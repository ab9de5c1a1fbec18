"""What is sent counts where it belongs, once, and sets nothing that the form or the API does not have."""

import pytest
from sqlmodel import select

from app.models import Account, Article, Proposal, ProposalState, Role, Scope
from app.services import accounts
from app.web.access import SESSION_COOKIE
from tests.web.conftest import PASSWORD, PEOPLE

EMAIL, _ = PEOPLE[Role.CONTRIBUTOR]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
INSIDE = {  # what only the site may set
    "id": "999", "role": "admin", "password_hash": "x", "created_at": "2001-01-01", "account_id": "1", "author_id": "1",
    "reviewer": "Me", "state": "approved", "revision": "77", "slug": "mine", "is_admin": "true", "views": "1000000",
}  # fmt: skip


def test_of_a_parameter_that_comes_twice_the_last_counts(client, people):
    page = client.get("/search?q=salt&q=workers").text
    assert 'value="workers"' in page
    assert "Why does bread need salt?" not in page
    assert client.get("/api/v1/search?q=salt&q=workers").json()["query"] == "workers"
    for targets, led_to in (
        (("/tags", "https://evil.example"), "/"),
        (("/tags", "//evil.example"), "/"),
        (("https://evil.example", "/tags"), "/tags"),
    ):
        following = "&".join(f"next={target}" for target in targets)
        content = f"email={EMAIL}&password={PASSWORD}&{following}"
        answer = client.post("/sign-in", content=content, headers=FORM)
        assert (answer.status_code, answer.headers["Location"]) == (303, led_to)


def test_fields_count_where_they_belong(client, people):
    """What a form asks for is not taken from an address or a cookie, nor the other way round."""
    query = f"email={EMAIL}&password={PASSWORD}"
    client.cookies.set("email", EMAIL)
    client.cookies.set("password", PASSWORD)
    assert client.post(f"/sign-in?{query}").status_code == 400
    assert client.post(f"/sign-in?{query}", data={"email": "nobody@example.org"}).status_code == 400
    assert SESSION_COOKIE not in client.cookies
    found = client.request("GET", "/api/v1/search?q=workers", content="q=salt", headers=FORM).json()
    assert found["query"] == "workers"


def test_forms_set_nothing_that_they_do_not_have(client, signed_in, library, people):
    new = {"email": "new@example.org", "name": "New", "password": "a long enough passphrase"}
    assert client.post("/sign-up", data=INSIDE | new).status_code == 303
    ann = signed_in(Role.CONTRIBUTOR)
    assert ann.post("/account/name", data=INSIDE | {"name": "Anne", "email": "x@example.org"}).status_code == 303
    paper = INSIDE | {"title": "Why?", "body": "Because.", "action": "publish", "base": "1"}
    assert ann.post("/contribute", data=paper).status_code == 303
    assert ann.post("/questions/bread/edit", data=paper).status_code == 303
    with library.database.read() as session:
        made = session.exec(select(Account).where(Account.email == "new@example.org")).one()
        renamed = session.get_one(Account, people[Role.CONTRIBUTOR].id)
        proposals = session.exec(select(Proposal)).all()
        bread = session.exec(select(Article).where(Article.slug == "bread")).one()
    assert (made.role, made.id == 999, made.password_hash == "x") == (Role.CONTRIBUTOR, False, False)
    assert (renamed.name, renamed.email, renamed.role) == ("Anne", EMAIL, Role.CONTRIBUTOR)
    assert [(each.state, each.author_id) for each in proposals] == [(ProposalState.PENDING, renamed.id)] * 2
    assert (bread.revision, bread.title) == (1, "Why does bread need salt?")


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/v1/questions"), ("PUT", "/api/v1/questions/bread")])
def test_the_api_sets_nothing_that_it_does_not_have(client, library, people, method, path):
    ann = people[Role.CONTRIBUTOR]
    token = accounts.create_token(library.database, ann, "tests", Scope.WRITE, by=ann)
    headers = {"Authorization": f"Bearer {token}", "If-Match": '"1"'}
    sent = INSIDE | {"title": "Why?", "body_markdown": "Because."}
    assert client.request(method, path, json=sent, headers=headers).status_code == 202
    with library.database.read() as session:
        (proposal,) = session.exec(select(Proposal)).all()
        assert session.exec(select(Article).where(Article.slug == "mine")).first() is None
    assert (proposal.state, proposal.author_id, proposal.reviewer) == (ProposalState.PENDING, ann.id, "")
