"""What a session that was stolen or left open is not enough for: its owner proves once more who they are."""

import re
import time
from datetime import timedelta

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from app.models import Account, ApiToken, BrowserSession, LinkedIdentity, Role
from app.models.columns import now
from app.services import identities
from app.services.openid import Identity
from app.services.proving import PROOF_LIFETIME
from app.web.application import create_app
from tests.web.conftest import PASSWORD
from tests.web.providers import CLIENT_ID, cheating_provider
from tests.web.test_openid import QUESTION, come_back

LONG_AGO = PROOF_LIFETIME + timedelta(seconds=1)
TOKEN = {"token_name": "nightly <copy>", "scope": "write"}


def let_pass(library, time=LONG_AGO):
    """Let all sessions be older by so much."""
    with library.database.write() as session:
        for each in session.exec(select(BrowserSession)):
            each.created_at -= time


def tokens(library):
    with library.database.read() as session:
        return [(token.name, token.scope) for token in session.exec(select(ApiToken))]


@pytest.fixture
def linked(library, people):
    """Ann's identity at a provider."""
    identities.link(
        library.database,
        people[Role.CONTRIBUTOR],
        Identity("https://id.example", "1", "", is_email_verified=True, name=""),
    )
    with library.database.read() as session:
        return session.exec(select(LinkedIdentity)).one()


def test_a_token_is_made_with_the_password_and_what_was_typed(signed_in, library):
    ann = signed_in(Role.CONTRIBUTOR)
    let_pass(library)
    asked = ann.post("/account/tokens", data=TOKEN)
    assert (asked.status_code, asked.headers["Cache-Control"]) == (403, "no-store")
    assert "Confirm that it is you" in asked.text
    assert 'name="password"' in asked.text
    assert "on a new tab" not in asked.text
    typed = dict(re.findall('<input type="hidden" name="([^"]+)" value="([^"]*)">', asked.text.partition("<main")[2]))
    assert typed == {"token_name": "nightly &lt;copy&gt;", "scope": "write"}
    wrong = ann.post("/account/tokens", data={**TOKEN, "password": "not the password"})
    assert wrong.status_code == 403
    assert "This is not your current password" in wrong.text
    assert 'value="nightly &lt;copy&gt;"' in wrong.text
    assert "not the password" not in wrong.text
    assert tokens(library) == []
    made = ann.post("/account/tokens", data={**TOKEN, "password": PASSWORD})
    assert made.status_code == 200
    assert "<code>omni_" in made.text
    ann.post("/account/tokens", data={"token_name": "another"})  # for a while nothing is asked again
    assert tokens(library) == [("nightly <copy>", "write"), ("another", "read")]


def test_everything_sensitive_asks_and_nothing_else(signed_in, library, people, linked):
    ada, ann = signed_in(Role.ADMIN), signed_in(Role.CONTRIBUTOR)
    let_pass(library)
    role = f"/admin/accounts/{people[Role.READER].id}/role"
    removal = f"/account/identities/{linked.id}/removal"
    assert ada.post(role, data={"role": "admin"}).status_code == 403
    assert ann.post(removal).status_code == 403
    with library.database.read() as session:
        assert session.get_one(Account, people[Role.READER].id).role == Role.READER
        assert session.get(LinkedIdentity, linked.id) is not None
    assert ann.post("/account/name", data={"name": "Anne"}).status_code == 303
    assert ann.post("/account/sessions/revocation").status_code == 303
    assert ada.post(role, data={"role": "admin", "password": PASSWORD}).status_code == 303
    assert ann.post(removal, data={"password": PASSWORD}).status_code == 303
    with library.database.read() as session:
        assert session.get_one(Account, people[Role.READER].id).role == Role.ADMIN
        assert session.get(LinkedIdentity, linked.id) is None


def test_the_proof_of_one_browser_is_none_of_another(signed_in, library):
    mine, stolen = signed_in(Role.ADMIN), signed_in(Role.ADMIN)
    let_pass(library)
    mine.post("/account/tokens", data={**TOKEN, "password": PASSWORD})
    assert stolen.post("/account/tokens", data=TOKEN).status_code == 403
    assert len(tokens(library)) == 1


def test_a_clock_that_was_set_back_proves_nothing(signed_in, library):
    ann = signed_in(Role.CONTRIBUTOR)
    let_pass(library, -2 * LONG_AGO)
    assert ann.post("/account/tokens", data=TOKEN).status_code == 403
    assert ann.post("/account/tokens", data={**TOKEN, "password": PASSWORD}).status_code == 200


def test_guessing_is_slowed_down_here_too(signed_in, library):
    ann = signed_in(Role.CONTRIBUTOR)
    let_pass(library)
    answers = [ann.post("/account/tokens", data={**TOKEN, "password": f"guess {n}"}) for n in range(12)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429] * 2
    assert ann.post("/account/tokens", data={**TOKEN, "password": PASSWORD}).status_code == 429


def test_it_asks_in_chinese_and_tells_scripts_in_their_way(signed_in, library):
    ann = signed_in(Role.CONTRIBUTOR)
    let_pass(library)
    page = ann.post("/account/tokens", data=TOKEN, headers={"Accept-Language": "zh-CN"})
    assert "<h1>确认是您本人</h1>" in page.text
    told = ann.post("/account/tokens", data=TOKEN, headers={"Accept": "application/json"})
    assert (told.status_code, told.headers["Content-Type"]) == (403, "application/problem+json")


@pytest.fixture
def provider():
    with cheating_provider() as provider:
        yield provider


@pytest.fixture
def with_provider(library, provider):
    values = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_name": "Example ID"}
    with TestClient(create_app(library.settings.model_copy(update=values)), follow_redirects=False) as client:
        yield client


def test_without_a_password_the_provider_proves_it(with_provider, provider, library):
    client = with_provider
    provider.claims |= {"auth_time": int(time.time())}
    come_back(client, provider)
    assert 'name="new"' in client.get("/account").text
    let_pass(library)
    account = client.get("/account").text
    assert 'name="new"' not in account
    assert "To set a password, confirm with Example ID" in account
    assert client.post("/account/password", data={"new": PASSWORD}).status_code == 403
    page = client.post("/account/tokens", data=TOKEN)
    assert page.status_code == 403
    assert 'name="password"' not in page.text
    assert re.search(
        '<a href="/sign-in/openid[^"]*" target="_blank">Confirm with Example ID on a new tab</a>', page.text
    )
    assert tokens(library) == []
    provider.claims |= {"sub": "43", "email": "other@example.org"}  # somebody else there
    come_back(client, provider, "/account")
    assert client.post("/account/tokens", data=TOKEN).status_code == 403
    provider.claims |= {"sub": "42"}
    assert come_back(client, provider, "/account").headers["Location"] == "/account"
    assert "You have confirmed that it is you" in client.get("/account").text
    assert client.post("/account/tokens", data=TOKEN).status_code == 200
    assert client.post("/account/password", data={"new": PASSWORD}).status_code == 303
    with library.database.read() as session:
        assert now() - session.exec(select(BrowserSession)).one().created_at < PROOF_LIFETIME


def test_another_identity_is_connected_with_the_password(with_provider, provider, library, people):
    client = with_provider
    client.post("/sign-in", data={"email": "ann@example.org", "password": PASSWORD})
    let_pass(library)
    assert "From now on" in come_back(client, provider, "/account").text
    assert client.post(QUESTION).status_code == 403
    with library.database.read() as session:
        assert session.exec(select(LinkedIdentity)).all() == []
    assert client.post(QUESTION, data={"password": PASSWORD}).headers["Location"] == "/account"
    assert "eve@example.org" in client.get("/account").text


def test_the_provider_has_to_let_them_sign_in_again(with_provider, provider, library):
    client = with_provider
    sent = client.get("/sign-in/openid")
    assert "prompt=" not in sent.headers["Location"]  # nobody is signed in yet
    back, _ = provider.authorize(sent.headers["Location"])
    assert client.get(back).status_code == 303
    let_pass(library)
    _, asked = provider.authorize(client.get("/sign-in/openid").headers["Location"])
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    provider.claims |= {"auth_time": int(time.time()) - 3600}  # it knew them still, and said so
    answer = come_back(client, provider, "/account")
    assert answer.status_code == 400
    assert "did not confirm who you are" in answer.text
    assert client.post("/account/tokens", data=TOKEN).status_code == 403
    provider.userinfo = {"sub": "42", "auth_time": "yesterday"}
    provider.claims |= {"auth_time": int(time.time()), "email": None}
    assert come_back(client, provider, "/account").headers["Location"] == "/account"
    assert client.post("/account/tokens", data=TOKEN).status_code == 200


@pytest.mark.parametrize("auth_time", [None, 1_000_000_000, 1e300])
def test_who_is_known_at_the_provider_still_has_proved_nothing_by_signing_in(with_provider, provider, auth_time):
    client = with_provider
    provider.claims |= {"auth_time": auth_time} if auth_time else {}
    assert come_back(client, provider).status_code == 303
    assert client.post("/account/tokens", data=TOKEN).status_code == 403
    client.cookies.clear()
    provider.claims |= {"auth_time": int(time.time())}
    assert come_back(client, provider).status_code == 303
    assert client.post("/account/tokens", data=TOKEN).status_code == 200


def test_a_sign_in_that_was_begun_by_nobody_proves_nothing(with_provider, provider, library):
    client = with_provider
    back, _ = provider.authorize(client.get("/sign-in/openid").headers["Location"])
    provider.claims |= {"auth_time": int(time.time())}
    assert come_back(client, provider).status_code == 303
    let_pass(library)
    assert client.get(back).status_code == 303
    assert client.post("/account/tokens", data=TOKEN).status_code == 403
