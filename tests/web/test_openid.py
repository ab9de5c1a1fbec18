"""Signing in through an OpenID Connect provider: every way in, and every way that must be none."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
from joserfc.jwk import RSAKey
from sqlmodel import select
from starlette.testclient import TestClient

from app.config import Settings
from app.models import Account, AuditEntry, LinkedIdentity, Role, Scope
from app.services import accounts
from app.services.limits import SIGN_IN, RateLimits
from app.web.access import SESSION_COOKIE
from app.web.application import create_app
from app.web.routes.openid import PROOF_COOKIE
from tests.servers import post, put
from tests.web.conftest import PASSWORD
from tests.web.providers import (
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    cheating_provider,
    forging_key,
    real_provider,
    register,
)

QUESTION = "/sign-in/openid/connection"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with cheating_provider() as provider:
        yield provider


@pytest.fixture
def settings(library, provider) -> Settings:
    values = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
    return library.settings.model_copy(update={**values, "oidc_name": "Example ID"})


@pytest.fixture
def client(settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def come_back(client: TestClient, provider: Provider, following: str = "/tags"):
    """Go to the provider and return with its code; follow to the question whose account it is, if there is one."""
    sent = client.get("/sign-in/openid", params={"next": following})
    assert sent.status_code == 303, sent.text
    back, _ = provider.authorize(sent.headers["Location"])
    answer = client.get(back)
    return client.get(QUESTION) if answer.headers.get("Location") == QUESTION else answer


def everybody(library) -> dict[str, Account]:
    with library.database.read() as session:
        return {account.email: account for account in session.exec(select(Account))}


def test_who_comes_for_the_first_time_gets_an_account(client, provider, library):
    provider.claims |= {"name": "Eve\u202e <script>alert(1)</script>"}
    answer = come_back(client, provider)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tags")
    account = everybody(library)["eve@example.org"]
    assert (account.role, account.password_hash) == (Role.CONTRIBUTOR, None)
    page = client.get("/account")
    assert "Eve &lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text
    with library.database.read() as session:
        assert [entry.action for entry in session.exec(select(AuditEntry))][-2:] == ["sign-up", "link"]


def test_who_comes_again_gets_the_same_account_whatever_their_address_is_now(client, provider, library):
    come_back(client, provider)
    client.cookies.clear()
    provider.claims |= {"email": "eve.new@example.org"}
    assert come_back(client, provider).status_code == 303
    assert "eve@example.org" in client.get("/account").text
    assert len(everybody(library)) == 1


def test_the_browser_is_sent_with_state_nonce_and_a_challenge(client, provider):
    sent = client.get("/sign-in/openid")
    _, query = provider.authorize(sent.headers["Location"])
    assert query["code_challenge_method"] == "S256"
    assert query["scope"] == "openid email profile"
    assert min(len(query[name]) for name in ("state", "nonce", "code_challenge")) > 40
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    assert "httponly" in sent.headers["Set-Cookie"].lower()
    assert "samesite=lax" in sent.headers["Set-Cookie"].lower()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another site"},
        {"aud": ["another site"], "azp": CLIENT_ID},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
    ],
)
def test_a_token_that_is_not_for_this_sign_in_proves_nobody(client, provider, library, claims):
    provider.claims |= claims
    answer = come_back(client, provider)
    assert answer.status_code == 400
    assert "did not confirm who you are" in answer.text
    assert SESSION_COOKIE not in client.cookies
    assert everybody(library) == {}


def test_a_token_with_a_forged_signature_proves_nobody(client, provider, caplog):
    provider.signing_key = RSAKey.generate_key(2048, {"kid": "one"})
    assert come_back(client, provider).status_code == 400
    assert '"event": "not-proved-by-provider"' in caplog.text


def test_the_clients_secret_signs_no_tokens(client, provider):
    provider.header, provider.signing_key = {"alg": "HS256"}, forging_key()
    provider.metadata["id_token_signing_alg_values_supported"] = ["RS256", "HS256", "none"]
    assert come_back(client, provider).status_code == 400


def test_new_keys_of_the_provider_are_fetched(client, provider):
    assert come_back(client, provider).status_code == 303
    client.cookies.clear()
    client.app.state.omniracle.provider._keys_until -= 120  # two minutes later
    provider.key = provider.signing_key = RSAKey.generate_key(2048, {"kid": "two"})
    provider.header = {"alg": "RS256", "kid": "two"}
    assert come_back(client, provider).status_code == 303


@pytest.mark.parametrize("state", ["", "x" * 64, "\udcff", "é"])
def test_another_state_is_refused(client, provider, state):
    provider.authorize(client.get("/sign-in/openid").headers["Location"])
    answer = client.get(f"/sign-in/openid/callback?code=one-code&state={quote(state, errors='surrogatepass')}")
    assert answer.status_code == 400
    assert "/token" not in provider.asked


def test_a_code_is_taken_once_and_only_by_the_browser_that_began(client, provider, settings):
    back, _ = provider.authorize(client.get("/sign-in/openid").headers["Location"])
    assert TestClient(client.app, follow_redirects=False).get(back).status_code == 400
    assert client.get(back).status_code == 303
    assert client.get(back).status_code == 400


def test_two_windows_may_be_on_their_way_at_once(client, provider):
    first, _ = provider.authorize(client.get("/sign-in/openid").headers["Location"])
    second, _ = provider.authorize(client.get("/sign-in/openid").headers["Location"])
    assert client.get(second).status_code == 303
    client.cookies.delete(SESSION_COOKIE)
    assert client.get(first).status_code == 303


@pytest.mark.parametrize("answer", ["error=access_denied", "code=", "code=one-code&iss=https://other.example"])
def test_who_turns_back_may_sign_in_in_another_way(client, provider, answer):
    _, query = provider.authorize(client.get("/sign-in/openid", params={"next": "/tags"}).headers["Location"])
    page = client.get(f"/sign-in/openid/callback?state={query['state']}&{answer}")
    assert page.status_code == 400
    assert "Example ID did not confirm who you are" in page.text
    assert 'name="next" value="/tags"' in page.text


def test_nobody_is_led_to_another_site(client, provider):
    assert come_back(client, provider, "//evil.example/").headers["Location"] == "/"


def test_a_provider_that_does_not_answer_is_said_to(client, provider):
    provider.is_down = True
    page = client.get("/sign-in/openid")
    assert page.status_code == 503
    assert "Example ID is not responding" in page.text
    assert 'name="password"' in page.text
    asked = len(provider.asked)
    assert client.get("/sign-in/openid").status_code == 503
    assert len(provider.asked) == asked  # for a while nobody waits for it again


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:x"},
        {"jwks_uri": "http://["},
        {"userinfo_endpoint": 5},
        {"token_endpoint_auth_methods_supported": None},
        {"id_token_signing_alg_values_supported": "RS256"},
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(client, provider, metadata):
    provider.metadata = metadata
    assert client.get("/sign-in/openid").status_code == 503


def test_a_slow_provider_takes_no_threads_from_the_site(client, provider):
    provider.delay_s = 3.0
    answers = []
    asking = [threading.Thread(target=lambda: answers.append(client.get("/sign-in/openid"))) for _ in range(14)]
    for each in asking:
        each.start()
    time.sleep(1.5)  # who did not get a turn has given up
    assert client.get("/about").status_code == 200
    assert len(answers) < 14  # somebody still waits for the provider
    for each in asking:
        each.join()
    assert [answer.status_code for answer in answers].count(503) >= 13


def test_a_provider_that_says_too_much_is_not_listened_to(client, provider):
    provider.metadata = {"more": "x" * 2_000_000}
    assert client.get("/sign-in/openid").status_code == 503


def test_keys_of_no_use_are_passed_over(client, provider):
    provider.more_keys = [{"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"}, {"kid": "x"}, 5]
    assert come_back(client, provider).status_code == 303


@pytest.mark.parametrize("claims", [{"email": ["eve@example.org"]}, {"email": 5}, {"email": "e\0ve@example.org"}])
def test_an_address_that_is_none_makes_no_account(client, provider, library, claims):
    provider.claims |= claims
    assert come_back(client, provider).status_code == 400
    assert everybody(library) == {}


def test_a_name_that_is_no_text_or_shows_nothing_is_not_taken(client, provider, library):
    provider.claims |= {"name": {"a": 1}, "preferred_username": "\u3164"}
    come_back(client, provider)
    assert everybody(library)["eve@example.org"].name == "eve"


def test_two_windows_at_once_make_one_account(client, provider, library):
    backs = [provider.authorize(client.get("/sign-in/openid").headers["Location"])[0] for _ in range(2)]
    identities_at = threading.Barrier(2)
    issuer = client.app.state.omniracle.provider
    finish = issuer.finish

    def together(*args, **kwargs):
        identity = finish(*args, **kwargs)
        identities_at.wait(5)
        return identity

    issuer.finish = together
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(client.get, backs))
    assert [answer.headers["Location"] for answer in answers] == ["/", "/"]
    assert len(everybody(library)) == 1


def test_a_long_way_back_is_left_out_rather_than_the_cookie(client, provider):
    sent = client.get("/sign-in/openid", params={"next": "/search?q=" + "问" * 1000})
    assert len(sent.headers["Set-Cookie"]) < 4096
    back, _ = provider.authorize(sent.headers["Location"])
    assert client.get(back).headers["Location"] == "/"


def test_an_account_with_a_password_is_connected_only_with_it(client, provider, people, library):
    provider.claims |= {"email": "ROB@example.org"}
    page = come_back(client, provider)
    assert page.status_code == 200
    assert "with a password" in page.text
    assert SESSION_COOKIE not in client.cookies
    wrong = client.post(QUESTION, data={"password": "not the password"})
    assert (wrong.status_code, SESSION_COOKIE in client.cookies) == (400, False)
    assert "This is not the password for that account" in wrong.text
    assert client.get(QUESTION, headers={"Accept-Language": "zh-CN"}).status_code == 200  # asked again, in Chinese
    right = client.post(QUESTION, data={"password": PASSWORD})
    assert (right.status_code, right.headers["Location"]) == (303, "/tags")
    client.cookies.clear()
    assert come_back(client, provider).status_code == 303
    assert "Rob" in client.get("/account").text


def test_connecting_counts_as_an_attempt_to_sign_in(client, provider, people):
    client.app.state.omniracle.limits = RateLimits(client.app.state.omniracle.database, b"x", {SIGN_IN: 1})
    provider.claims |= {"email": "rob@example.org"}
    come_back(client, provider)
    assert client.post("/sign-in", data={"email": "rob@example.org", "password": "a guess"}).status_code == 400
    assert client.post(QUESTION, data={"password": PASSWORD}).status_code == 429


def test_a_signed_in_account_is_connected_when_its_owner_says_so(client, provider, people, library):
    sign_in(client, people, library, Role.REVIEWER)
    page = come_back(client, provider, "/account")
    assert "can sign in to the account of Rob here" in page.text
    with library.database.read() as session:
        assert session.exec(select(LinkedIdentity)).all() == []
    answer = client.post(QUESTION)
    assert answer.headers["Location"] == "/account"
    account_page = client.get("/account").text
    assert "eve@example.org" in account_page
    removal = re.search(r"/account/identities/\d+/removal", account_page)[0]
    assert client.post(removal).status_code == 303
    assert "eve@example.org" not in client.get("/account").text


def test_another_site_cannot_connect_its_own_identity(client, provider, people, library):
    sign_in(client, people, library, Role.REVIEWER)
    come_back(client, provider)
    headers = {"Sec-Fetch-Site": "cross-site"}
    refused = client.post(QUESTION, headers=headers)
    assert refused.status_code == 403


def test_a_token_connects_nobody(client, provider, people, library):
    provider.claims |= {"email": "rob@example.org"}
    come_back(client, provider)
    token = accounts.create_token(library.database, people[Role.REVIEWER], "stolen", Scope.READ, by="test")
    refused = client.post(QUESTION, headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 400
    with library.database.read() as session:
        assert session.exec(select(LinkedIdentity)).all() == []


def test_an_identity_opens_one_account(client, provider, people, library):
    come_back(client, provider)
    client.cookies.clear()
    sign_in(client, people, library, Role.REVIEWER)
    come_back(client, provider)
    answer = client.post(QUESTION)
    assert answer.status_code == 400
    assert "belongs to another account" in answer.text


@pytest.mark.parametrize("proof", ["", "x", "a.b.c", "eyJhbGciOiJIUzI1NiIsImNyaXQiOjV9.e30.eA"])
def test_a_proof_cannot_be_made_up(client, people, library, proof):
    sign_in(client, people, library, Role.READER)
    client.cookies.set(PROOF_COOKIE, proof)
    assert client.post(QUESTION).status_code == 400
    client.cookies.set("omniracle_openid_abcdefgh", proof)
    assert client.get("/sign-in/openid/callback?code=one-code&state=abcdefgh").status_code == 400


def test_what_was_sealed_for_the_way_there_proves_nobody(client, provider, people, library):
    sign_in(client, people, library, Role.READER)
    sent = client.get("/sign-in/openid")
    sealed = sent.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    client.cookies.set(PROOF_COOKIE, sealed)
    assert client.post(QUESTION).status_code == 400


def test_an_account_made_without_a_password_waits_for_a_verified_address(client, provider, library, settings):
    accounts.sign_up(library.database, email="eve@example.org", name="Eve", password=None, role=Role.REVIEWER)
    provider.claims |= {"email_verified": False}
    assert come_back(client, provider).status_code == 403
    provider.claims |= {"email_verified": True}
    assert come_back(client, provider).status_code == 303
    assert "Reviewer" in client.get("/account").text


def test_an_address_that_was_given_to_somebody_else_opens_nothing(client, provider):
    come_back(client, provider)
    client.cookies.clear()
    provider.claims |= {"sub": "43"}
    assert come_back(client, provider).status_code == 403


def test_the_last_way_in_stays(client, provider, library):
    provider.claims |= {"auth_time": int(time.time())}
    come_back(client, provider)
    with library.database.read() as session:
        linked = session.exec(select(LinkedIdentity)).one()
    assert client.post(f"/account/identities/{linked.id}/removal").status_code == 400
    client.post("/account/password", data={"new": PASSWORD})
    assert client.post(f"/account/identities/{linked.id}/removal").status_code == 303


def test_nobody_disconnects_others(client, provider, people, library):
    come_back(client, provider)
    with library.database.read() as session:
        linked = session.exec(select(LinkedIdentity)).one()
    client.cookies.clear()
    sign_in(client, people, library, Role.ADMIN)
    assert client.post(f"/account/identities/{linked.id}/removal").status_code == 404


def test_the_address_may_come_from_the_userinfo_endpoint(client, provider, library):
    provider.claims = {"sub": "42"}
    provider.userinfo = {"sub": "42", "email": "eve@example.org", "email_verified": True, "name": "Eve"}
    assert come_back(client, provider).status_code == 303
    assert everybody(library)["eve@example.org"].name == "Eve"


def test_what_userinfo_says_of_somebody_else_is_not_believed(client, provider, library):
    provider.claims = {"sub": "42"}
    provider.userinfo = {"sub": "1", "email": "root@example.org", "email_verified": True}
    page = come_back(client, provider)
    assert page.status_code == 400
    assert "did not share your email address" in page.text


def test_where_sign_up_is_closed_the_provider_opens_known_accounts_alone(settings, provider, library):
    closed = settings.model_copy(update={"registration": "closed"})
    with TestClient(create_app(closed), follow_redirects=False) as client:
        assert come_back(client, provider).status_code == 403
        accounts.sign_up(library.database, email="eve@example.org", name="Eve", password=None)
        assert come_back(client, provider).status_code == 303


def test_the_way_in_is_offered_where_there_is_one(client, library):
    assert "Continue with Example ID" in client.get("/sign-in").text
    assert "Continue with Example ID" in client.get("/sign-up").text
    with TestClient(create_app(library.settings), follow_redirects=False) as other:
        assert "Continue with" not in other.get("/sign-in").text
        assert other.get("/sign-in/openid").status_code == 404
        assert other.get("/sign-in/openid/callback").status_code == 404


def test_signing_in_through_a_real_provider(library):
    """The client is registered there, so that its secret and its address are checked."""
    with real_provider() as issuer:
        client_id, client_secret = register(issuer, "http://testserver")
        claims = {"email": "zoe@example.org", "email_verified": True, "name": "佐伊"}
        put(f"{issuer}/users/zoe", json=claims).raise_for_status()
        for secret, status in (("wrong", 400), (client_secret, 303)):
            values = {"oidc_issuer": issuer, "oidc_client_id": client_id, "oidc_client_secret": secret}
            app = create_app(library.settings.model_copy(update=values))
            with TestClient(app, follow_redirects=False) as client:
                sent = client.get("/sign-in/openid").headers["Location"]
                back = post(sent, data={"sub": "zoe"}).headers["Location"]
                assert client.get(back).status_code == status
                assert ("佐伊" in client.get("/account").text) == (status == 303)


def sign_in(client: TestClient, people: dict[Role, Account], library, role: Role) -> None:
    key = accounts.open_session(library.database, people[role], "tests")
    client.cookies.set(SESSION_COOKIE, key)
