"""Signing up, in and out; sessions and tokens; roles; who may come where."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.routing import APIRoute
from sqlmodel import select
from starlette.testclient import TestClient

from app.errors import OperatorError
from app.models import Account, BrowserSession, OneTimeLink, Role, Scope
from app.models.columns import now
from app.services import accounts, limits, passwords
from app.services.first_admin import ensure_first_admin
from app.services.limits import RateLimits
from app.storage import audit
from app.web.access import SESSION_COOKIE, Rule
from app.web.application import create_app
from app.web.routes import ROUTERS
from tests.web.conftest import PASSWORD
from tests.web.test_turns import from_address


def sign_in(client, email="ann@example.org", password=PASSWORD, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def test_signing_up_signs_in_and_leads_back(client):
    page = client.get("/contribute")
    assert (page.status_code, page.headers["Location"]) == (303, "/sign-in?next=%2Fcontribute")
    assert "/sign-up?next=%2Fcontribute" in client.get(page.headers["Location"]).text
    data = {"name": "Ann", "email": "Ann@Example.org ", "password": PASSWORD, "next": "/contribute"}
    response = client.post("/sign-up", data=data)
    assert (response.status_code, response.headers["Location"]) == (303, "/contribute")
    assert client.get("/account").status_code == 200
    assert ">Ann<" in client.get("/").text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client, people):
    cookie = sign_in(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    behind_tls = TestClient(client.app, base_url="https://testserver", follow_redirects=False)
    assert "Secure" in sign_in(behind_tls).headers["Set-Cookie"]


def test_every_sign_in_has_a_key_of_its_own(client, people):
    client.cookies.set(SESSION_COOKIE, "chosen-by-an-attacker", domain="testserver.local")
    sign_in(client)
    keys = {sign_in(client).headers["Set-Cookie"].split(";")[0] for _ in range(2)}
    assert len(keys) == 2
    assert not any("chosen" in key for key in keys)


@pytest.mark.parametrize("credentials", [("ann@example.org", "wrong password"), ("nobody@example.org", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, people, credentials):
    response = sign_in(client, *credentials)
    assert response.status_code == 400
    assert "Wrong email address or password" in response.text
    assert f'value="{credentials[0]}"' in response.text
    assert PASSWORD not in response.text
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_site(client, people, target):
    assert sign_in(client, next=target).headers["Location"] == "/"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("email", "ann", "full email address"),
        ("email", "ann@example.org", "already an account"),
        ("name", "  ", "Enter a name"),
        ("name", "x" * 81, "Enter a name"),
        ("password", "short", "at least 10"),
        ("password", "x" * 201, "at most 200"),
        ("password", "aaaaaaaaaaaa", "too easy"),
        ("password", "1qaz2wsx3edc", "too easy"),
        ("password", "Basketball", "too easy"),
        ("password", "bella@example.org", "too easy"),
    ],
)
def test_what_cannot_be_used_comes_back_with_the_reason_beside_the_field(client, people, field, value, reason):
    data = {"name": "Bella", "email": "bella@example.org", "password": PASSWORD, field: value}
    response = client.post("/sign-up", data=data)
    assert response.status_code == 400
    error = re.search(rf'id="error-{field}"[^>]*>.*?</svg>([^<]+)<', response.text)
    assert error, response.text
    assert reason in error[1]
    assert f'aria-describedby="hint-{field} error-{field}"' in response.text
    if field != "name":
        assert 'value="Bella"' in response.text


def test_signing_up_may_be_closed(library):
    settings = library.settings.model_copy(update={"registration": "closed"})
    with TestClient(create_app(settings)) as client:
        assert "Ask the site's administrators" in client.get("/sign-up").text
        data = {"name": "Ann", "email": "ann@example.org", "password": PASSWORD}
        assert client.post("/sign-up", data=data).status_code == 404
        assert "/sign-up" not in client.get("/sign-in").text


def test_a_session_is_good_on_every_worker_and_its_end_counts_at_once(client, people, library):
    sign_in(client)
    with TestClient(create_app(library.settings), follow_redirects=False) as other_worker:
        other_worker.cookies = client.cookies
        assert other_worker.get("/account").status_code == 200
        client.post("/sign-out")
        other_worker.cookies.set(SESSION_COOKIE, "gone", domain="testserver.local")
    sign_in(client)
    key = client.cookies[SESSION_COOKIE]
    client.post("/sign-out")
    assert client.get("/account", headers={"Cookie": f"{SESSION_COOKIE}={key}"}).status_code == 303


@pytest.mark.parametrize(
    ("made", "seen", "is_good"), [(89, 29, True), (91, 0, False), (31, 31, False)], ids=["used", "too old", "unused"]
)
def test_a_session_ends_by_itself_and_is_forgotten(signed_in, library, made, seen, is_good):
    browser, moment = signed_in(Role.READER), now()
    with library.database.write() as session:
        known = session.exec(select(BrowserSession)).one()
        known.created_at, known.seen_at = moment - timedelta(days=made), moment - timedelta(days=seen)
    assert browser.get("/account").status_code == (200 if is_good else 303)
    signed_in(Role.ADMIN)
    with library.database.read() as session:
        assert len(session.exec(select(BrowserSession)).all()) == 1 + is_good


def test_another_browser_can_be_signed_out(client, people):
    sign_in(client)
    other = TestClient(client.app, follow_redirects=False)
    sign_in(other)
    page = client.get("/account").text
    assert "this browser" in page
    path = re.search(r'action="(/account/sessions/\d+/revocation)"', page)[1]
    assert client.post(path).status_code == 303
    assert other.get("/account").status_code == 303
    assert client.get("/account").status_code == 200


def test_nobody_ends_the_sessions_of_others(client, people):
    sign_in(client)
    path = "/account/sessions/1/revocation"
    other = TestClient(client.app, follow_redirects=False)
    sign_in(other, "rob@example.org")
    assert other.post(path).status_code == 404
    assert client.get("/account").status_code == 200


def test_changing_the_password_ends_all_other_sessions_and_all_tokens(client, people, library):
    sign_in(client)
    other = TestClient(client.app, follow_redirects=False)
    sign_in(other)
    wrong = client.post("/account/password", data={"old": "wrong", "new": "another long password"})
    assert "not your current password" in wrong.text
    token = accounts.create_token(library.database, people[Role.CONTRIBUTOR], "x", Scope.WRITE, by="test")
    former = client.cookies[SESSION_COOKIE]
    assert client.post("/account/password", data={"old": PASSWORD, "new": "another long password"}).status_code == 303
    assert client.get("/account").status_code == 200
    assert client.cookies[SESSION_COOKIE] != former
    assert TestClient(client.app).get("/account", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    for browser in (other, TestClient(client.app, cookies={SESSION_COOKIE: former}, follow_redirects=False)):
        assert browser.get("/account").status_code == 303
    assert sign_in(other).status_code == 400
    assert sign_in(other, password="another long password").status_code == 303


def test_all_other_browsers_can_be_signed_out_at_once(client, people):
    others = [TestClient(client.app, follow_redirects=False) for _ in range(3)]
    for browser in (client, *others):
        sign_in(browser)
    assert "End all other sessions" in client.get("/account").text
    assert client.post("/account/sessions/revocation").status_code == 303
    page = client.get("/account").text
    assert "All other browsers have been signed out." in page
    assert "End all other sessions" not in page
    assert [other.get("/account").status_code for other in others] == [303] * 3


def test_who_signs_in_once_more_leaves_no_session_behind(client, people):
    sign_in(client)
    former = client.cookies[SESSION_COOKIE]
    sign_in(client)
    assert client.cookies[SESSION_COOKIE] != former
    stale = TestClient(client.app, cookies={SESSION_COOKIE: former}, follow_redirects=False)
    assert stale.get("/account").status_code == 303
    assert client.get("/account").text.count("/revocation") == 0


def test_an_unknown_address_takes_as_long_as_a_wrong_password(client, people, library, monkeypatch):
    """Counted, not timed: whether there is an account, and whether it has a password, the hash is worked out once."""
    worked_out = []

    class Counting:
        def verify(self, known, password):
            worked_out.append(known)
            return hasher.verify(known, password)

        def hash(self, password):
            return hasher.hash(password)

    hasher = passwords._hasher
    accounts.sign_up(library.database, email="oidc@example.org", name="O", password=None)
    passwords.is_right("x", None)  # the first time a worker works out what it compares with
    monkeypatch.setattr(passwords, "_hasher", Counting())
    for email in ("ann@example.org", "nobody@example.org", "oidc@example.org"):
        assert sign_in(client, email, "a wrong password").status_code == 400
    costs = [known.split("$")[1:4] for known in worked_out]
    assert len(costs) == 3
    assert costs[0] == costs[1] == costs[2]


def test_guessing_is_slowed_down_over_all_workers(client, people, library):
    with TestClient(create_app(library.settings), follow_redirects=False) as other_worker:
        answers = [sign_in(each, password=f"guess number {n}") for n in range(6) for each in (client, other_worker)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 900
    assert sign_in(client, "rob@example.org").status_code == 303


def guess(client, address, times):
    browser = from_address(client, address)
    return [sign_in(browser, password="a guess").status_code for _ in range(times)]


def test_who_guesses_does_not_lock_the_owner_out(client, people):
    assert guess(client, "203.0.113.1", 30) == [400] * 10 + [429] * 20
    assert sign_in(from_address(client, "203.0.113.2")).status_code == 303
    assert sign_in(from_address(client, "203.0.113.1"), "rob@example.org").status_code == 303


def test_guessing_from_many_addresses_is_slowed_down_too(client, people):
    own = {limits.SIGN_IN: 2, limits.SIGN_IN_AT: 3}
    client.app.state.omniracle.limits = RateLimits(client.app.state.omniracle.database, b"x", own)
    answers = [guess(client, f"203.0.113.{number}", 3) for number in range(3)]
    assert answers == [[400, 400, 429], [400, 429, 429], [429, 429, 429]]
    assert sign_in(client, "rob@example.org").status_code == 303


def test_a_token_is_shown_once_and_speaks_for_the_account(client, people, library):
    sign_in(client)
    page = client.post("/account/tokens", data={"token_name": "backup script", "scope": "read"}).text
    token = re.search(r"<code>(omni_[\w-]+)</code>", page)[1]
    again = client.get("/account").text
    assert token not in again
    assert "backup script" in again
    program = TestClient(client.app, headers={"Authorization": f"Bearer {token}"}, follow_redirects=False)
    assert program.get("/api/v1/questions").status_code == 200
    assert program.get("/account").status_code == 403  # not with a token
    path = re.search(r'action="(/account/tokens/\d+/revocation)"', again)[1]
    client.post(path)
    for path in ("/account", "/", "/sign-in"):
        assert program.get(path, headers={"Accept": "text/html"}).status_code == 401, path


def test_tokens_are_not_in_the_database(library, people):
    token = accounts.create_token(library.database, people[Role.READER], "x", Scope.READ, by="test")
    content = b"".join(path.read_bytes() for path in library.settings.data_dir.glob("omniracle.db*"))
    assert token.encode() not in content
    assert PASSWORD.encode() not in content


def test_the_first_administrator_comes_by_a_link_that_works_once(client, library):
    newer = ensure_first_admin(library.database, None, None)
    data = {"name": "Eve", "email": "eve@example.org", "password": PASSWORD}
    assert "administrator" in client.get(f"/first-admin/{newer}").text
    assert "has no administrator yet" in client.get("/").text
    made = client.post(f"/first-admin/{newer}", data=data)
    assert (made.status_code, made.headers["Location"]) == (303, "/admin/welcome")
    assert "has no administrator yet" not in client.get("/").text
    assert client.get("/admin/accounts").status_code == 200
    assert client.get(f"/first-admin/{newer}").status_code == 404
    assert client.post(f"/first-admin/{newer}", data=data | {"email": "eve2@example.org"}).status_code == 404
    assert ensure_first_admin(library.database, None, None) is None


def test_of_links_that_several_hosts_have_printed_one_makes_an_administrator(client, library):
    keys = [ensure_first_admin(library.database, None, None) for _ in range(3)]
    assert [client.get(f"/first-admin/{key}").status_code for key in keys] == [200] * 3
    data = {"name": "Eve", "email": "eve@example.org", "password": PASSWORD}
    assert client.post(f"/first-admin/{keys[1]}", data=data).status_code == 303
    assert [client.get(f"/first-admin/{key}").status_code for key in keys] == [404] * 3
    answer = client.post(f"/first-admin/{keys[0]}", data=data | {"email": "eve2@example.org"})
    assert answer.status_code == 404


def test_links_to_the_first_administrator_expire(client, library):
    key = ensure_first_admin(library.database, None, None)
    with library.database.write() as session:
        link = session.exec(select(OneTimeLink)).one()
        link.expires_at = now() - timedelta(seconds=1)
        session.add(link)
    assert client.get(f"/first-admin/{key}").status_code == 404
    ensure_first_admin(library.database, None, None)
    with library.database.read() as session:
        assert session.exec(select(OneTimeLink)).one().expires_at > now()


def test_a_new_administrator_sees_what_is_left_to_do(client, signed_in, library):
    assert signed_in(Role.REVIEWER).get("/admin/welcome").status_code == 403
    admin = signed_in(Role.ADMIN)
    html = admin.get("/admin/welcome").text
    assert html.count('class="step is-done"') == 3  # the account, the answers that are there, the other people
    assert "<code>omniracle sync</code>" in html
    admin.post("/contribute", data={"title": "Why?", "body": "Because.", "lang": "en", "tags": "why"})
    assert admin.get("/admin/welcome").text.count('class="step is-done"') == 4
    assert 'href="/admin/welcome"' in admin.get("/about").text
    assert "/admin/" not in signed_in(Role.REVIEWER).get("/about").text


def test_the_first_administrator_may_come_from_the_environment(library):
    assert ensure_first_admin(library.database, "op@example.org", PASSWORD) is None
    assert accounts.sign_in(library.database, "op@example.org", PASSWORD).role == Role.ADMIN


def test_hosts_that_start_at_once_make_one_administrator(library):
    def start(_):
        return ensure_first_admin(library.database, "op@example.org", PASSWORD)

    with ThreadPoolExecutor(4) as hosts:
        assert list(hosts.map(start, range(4))) == [None] * 4
    with library.database.read() as session:
        assert session.exec(select(Account.role)).all() == [Role.ADMIN]


@pytest.mark.parametrize(("email", "password"), [("op@example.org", "short"), ("op", PASSWORD)])
def test_an_administrator_who_cannot_be_made_is_told_by_which_settings(library, email, password):
    with pytest.raises(OperatorError, match=r"OMNIRACLE_ADMIN_PASSWORD.*(Use at least 10 characters|full email)"):
        ensure_first_admin(library.database, email, password)


def test_roles_change_at_once_and_the_last_administrator_stays(client, people):
    sign_in(client, "ada@example.org")
    page = client.get("/admin/accounts").text
    assert "ann@example.org" in page
    ann, ada = people[Role.CONTRIBUTOR].id, people[Role.ADMIN].id
    assert client.post(f"/admin/accounts/{ann}/role", data={"role": "reviewer"}).status_code == 303
    assert client.post(f"/admin/accounts/{ada}/role", data={"role": "reader"}).status_code == 403
    assert client.post(f"/admin/accounts/{ann}/role", data={"role": "king"}).status_code == 400
    record = client.get("/admin/audit").text
    assert "<td>Contributor → Reviewer</td>" in record


def test_changes_are_recorded(library, people):
    accounts.set_role(library.database, people[Role.READER].id, Role.REVIEWER, by=people[Role.ADMIN])
    with library.database.read() as session:
        newest = audit.list_page(session, number=1, size=1).items[0]
    assert (newest.actor, newest.action, newest.detail) == ("Ada", "role", "reader -> reviewer")


def all_routes():
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def rules_of(route):
    def walk(dependant):
        if isinstance(dependant.call, Rule):
            yield dependant.call
        for inner in dependant.dependencies:
            yield from walk(inner)

    return list(walk(route.dependant))


def test_every_route_names_one_rule():
    for route in all_routes():
        named = [rule for rule in rules_of(route) if rule.least is not None] or rules_of(route)
        assert len({rule.least for rule in named}) == 1, route.path


def test_the_audit_log_tells_each_moment_to_the_second(client, signed_in):
    html = signed_in(Role.ADMIN).get("/account").text
    assert re.search(r'signed in on <time datetime="[\d-]+T[^"]+">', html)
    ada = signed_in(Role.ADMIN)
    ada.post("/account/name", data={"name": "Ada L."})
    log = ada.get("/admin/audit", headers={"Accept-Language": "zh-CN"}).text
    assert re.search(r'<td><time datetime="[^"]+">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC</time></td>', log)
    assert "更改了名字" in log


def test_signing_up_tells_all_that_is_wrong_at_once(client):
    page = client.post("/sign-up", data={"name": " ", "email": "nonsense", "password": "x"})
    assert page.status_code == 400
    assert re.findall('href="#field-([a-z]+)"', page.text) == ["name", "email", "password"]


def test_a_name_that_stays_is_no_change(client, people, library):
    sign_in(client)
    client.post("/account/name", data={"name": "Ann"})
    with library.database.read() as session:
        assert "name" not in {entry.action for entry in audit.list_page(session, number=1, size=50).items}
