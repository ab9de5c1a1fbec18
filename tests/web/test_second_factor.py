"""A code beside the password: who has lost the one, or found out the other, does not get in."""

import html
import re

import pyotp
import pytest
from sqlmodel import select
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli import app as command
from app.models import AuditEntry, BrowserSession, RecoveryCode, Role, SecondFactor
from app.services import second_factor
from app.web.access import SESSION_COOKIE
from tests.web.conftest import PASSWORD
from tests.web.test_proving import let_pass

PATH = "/account/second-factor"
ANN = {"email": "ann@example.org", "password": PASSWORD}


@pytest.fixture
def clock(monkeypatch):
    """What time it is for codes; `clock[0] += 30` is the next one."""
    moment = [1_800_000_000.0]
    monkeypatch.setattr(second_factor.time, "time", lambda: moment[0])
    return moment


def code_of(secret, clock, steps=0):
    return pyotp.TOTP(secret).at(int(clock[0]) + 30 * steps)


@pytest.fixture
def ann(signed_in, clock):
    """Ann, signed in, with a second factor: her browser, its secret and her recovery codes."""
    browser = signed_in(Role.CONTRIBUTOR)
    page = browser.get(PATH).text
    (secret,) = re.findall('name="secret" value="([A-Z2-7]{32})"', page)
    made = browser.post(PATH, data={"secret": secret, "code": code_of(secret, clock)})
    assert made.status_code == 200, made.text
    recovery = re.findall("<li><code>([0-9a-f-]+)</code>", made.text)
    return browser, secret, recovery


def half_of(page):
    return re.findall('name="half" value="([^"]+)"', page.text)[0]


def begin(client, email="ann@example.org", following="/tags"):
    client.cookies.clear()
    page = client.post("/sign-in", data={"email": email, "password": PASSWORD, "next": following})
    assert page.status_code == 200
    assert SESSION_COOKIE not in client.cookies
    return half_of(page)


def test_the_password_alone_is_not_enough_any_more(client, ann, clock):
    _, secret, recovery = ann
    assert len(set(recovery)) == 10
    half = begin(client)
    wrong = client.post("/sign-in/code", data={"half": half, "code": "000000"})
    assert wrong.status_code == 400
    assert "This code is wrong or has been used" in wrong.text
    assert SESSION_COOKIE not in client.cookies
    clock[0] += 30
    code = code_of(secret, clock)
    answer = client.post("/sign-in/code", data={"half": half_of(wrong), "code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/tags")
    assert "Ann" in client.get("/account").text


def test_a_code_is_good_once_and_for_a_short_time(client, ann, clock):
    _, secret, _ = ann
    half = begin(client)
    taken = code_of(secret, clock)  # by which it was turned on
    clock[0] += 30
    too_late = code_of(secret, clock)
    clock[0] += 60
    for code in (taken, too_late, code_of(secret, clock, 2), "", "１２３４５６", "x" * 5000):
        assert client.post("/sign-in/code", data={"half": half, "code": code}).status_code == 400, code
    newest = code_of(secret, clock, 1)  # of a phone that is half a minute ahead
    assert client.post("/sign-in/code", data={"half": half, "code": newest}).status_code == 303
    half = begin(client)
    assert client.post("/sign-in/code", data={"half": half, "code": newest}).status_code == 400
    assert client.post("/sign-in/code", data={"half": half, "code": code_of(secret, clock)}).status_code == 400  # older


def test_each_recovery_code_lets_in_once(client, ann, library):
    _, _, recovery = ann
    for given in (recovery[0], recovery[1].upper().replace("-", " ")):
        half = begin(client)
        assert client.post("/sign-in/code", data={"half": half, "code": given}).status_code == 303
    assert client.post("/sign-in/code", data={"half": begin(client), "code": recovery[0]}).status_code == 400
    with library.database.read() as session:
        digests = [each.digest for each in session.exec(select(RecoveryCode))]
        said = [entry.detail for entry in session.exec(select(AuditEntry)) if entry.action == "second-factor"]
    assert len(digests) == 8
    assert not set(digests) & set(recovery)
    assert said == ["on", "recovery code", "recovery code"]


def test_guessing_codes_is_slowed_down(client, ann, clock):
    _, secret, _ = ann
    half = begin(client)
    answers = [client.post("/sign-in/code", data={"half": half, "code": f"{n:06}"}).status_code for n in range(11)]
    assert answers[-1] == 429
    clock[0] += 30
    assert client.post("/sign-in/code", data={"half": half, "code": code_of(secret, clock)}).status_code == 429


@pytest.mark.parametrize("half", ["", "x", "é", "a.b.c"])
def test_a_code_without_the_password_opens_nothing(client, ann, clock, half):
    _, secret, _ = ann
    clock[0] += 30
    answer = client.post("/sign-in/code", data={"half": half, "code": code_of(secret, clock)})
    assert answer.status_code == 400
    assert "Start again" in answer.text


def test_another_password_ends_a_sign_in_that_was_begun(client, ann, clock):
    browser, secret, _ = ann
    half = begin(client)
    assert (
        browser.post("/account/password", data={"old": PASSWORD, "new": "another long passphrase"}).status_code == 303
    )
    clock[0] += 30
    assert client.post("/sign-in/code", data={"half": half, "code": code_of(secret, clock)}).status_code == 400


def test_setting_it_up_needs_proof_and_a_right_code_and_ends_other_sessions(signed_in, library, clock):
    browser, other = signed_in(Role.CONTRIBUTOR), signed_in(Role.CONTRIBUTOR)
    page = browser.get(PATH)
    assert page.headers["Cache-Control"] == "no-store"
    assert "<svg" in page.text
    (secret,) = re.findall('name="secret" value="([A-Z2-7]{32})"', page.text)
    wrong = browser.post(PATH, data={"secret": secret, "code": "000000"})
    assert wrong.status_code == 400
    assert f'value="{secret}"' in wrong.text
    assert browser.post(PATH, data={"secret": "A" * 8, "code": "000000"}).status_code == 400
    let_pass(library)
    asked = browser.post(PATH, data={"secret": secret, "code": code_of(secret, clock)})
    assert asked.status_code == 403
    typed = dict(re.findall('<input type="hidden" name="([^"]+)" value="([^"]*)">', asked.text.partition("<main")[2]))
    made = browser.post(
        PATH, data={**{name: html.unescape(value) for name, value in typed.items()}, "password": PASSWORD}
    )
    assert made.status_code == 200
    assert other.get("/account").status_code == 303
    assert browser.get(PATH).status_code == 303
    assert "Turn off" in browser.get("/account").text


@pytest.mark.parametrize(("lang", "said"), [("en", "Turn it off before"), ("zh-CN", "请先停用")])
def test_one_that_is_on_is_not_replaced(ann, signed_in, client, clock, lang, said):
    _, secret, recovery = ann
    browser, another = signed_in(Role.CONTRIBUTOR), second_factor.new_secret()
    data = {"secret": another, "code": code_of(another, clock)}
    refused = browser.post(PATH, data=data, headers={"Accept-Language": lang, "Accept": "text/html"})
    assert refused.status_code == 400
    assert said in refused.text
    clock[0] += 30
    for code in (code_of(secret, clock), recovery[0]):
        assert client.post("/sign-in/code", data={"half": begin(client), "code": code}).status_code == 303


def test_the_secret_is_of_no_use_to_who_has_the_database(ann, library, clock, client):
    _, secret, recovery = ann
    with library.database.read() as session:
        known = session.exec(select(SecondFactor)).one()
        assert secret not in known.sealed
    # Restored where the site has another key: the codes on paper still let in.
    with library.database.write() as session:
        session.get_one(SecondFactor, known.account_id).sealed = second_factor._box(b"another").encrypt(b"x").decode()
    half = begin(client)
    clock[0] += 30
    assert client.post("/sign-in/code", data={"half": half, "code": code_of(secret, clock)}).status_code == 400
    assert client.post("/sign-in/code", data={"half": half, "code": recovery[0]}).status_code == 303


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "this site has another secret than before"), ("zh-CN", "密钥已更改")]
)
def test_a_site_with_another_secret_says_so_and_takes_recovery_codes(ann, client, library, clock, caplog, lang, said):
    browser, secret, recovery = ann
    state, headers = client.app.state.omniracle, {"Accept-Language": lang}
    former, state.secret = state.secret, b"another" * 7
    clock[0] += 30
    assert "Ann" in browser.get("/account").text  # sessions do not depend on it
    refused = [
        browser.post(f"{PATH}/removal", data={"code": code_of(secret, clock)}, headers=headers),
        client.post("/sign-in/code", data={"half": begin(client), "code": code_of(secret, clock)}, headers=headers),
    ]
    for page in refused:
        assert page.status_code == 400
        assert re.search(f'id="error-code">.*{said}', page.text)
    assert "its second factor does not open with the site's secret" in caplog.text
    assert client.post("/sign-in/code", data={"half": begin(client), "code": recovery[0]}).status_code == 303
    state.secret = former
    again = client.post("/sign-in/code", data={"half": begin(client), "code": code_of(secret, clock)})
    assert again.status_code == 303


def test_it_can_be_turned_off_by_its_owner_and_by_the_operator(ann, client, library, monkeypatch, signed_in, clock):
    browser, _, recovery = ann
    let_pass(library)
    asked = browser.post(f"{PATH}/removal", data={"code": recovery[0]})
    assert asked.status_code == 403
    assert f'name="code" value="{recovery[0]}"' in asked.text  # is sent again with the password
    done = browser.post(f"{PATH}/removal", data={"password": PASSWORD, "code": recovery[0]})
    assert done.headers["Location"] == "/account"
    client.cookies.clear()
    assert client.post("/sign-in", data=ANN).status_code == 303
    secret = second_factor.new_secret()
    assert client.post(PATH, data={"secret": secret, "code": code_of(secret, clock)}).status_code == 200
    assert "second factor" in signed_in(Role.ADMIN).get("/admin/accounts").text
    monkeypatch.setenv("OMNIRACLE_DATA_DIR", str(library.settings.data_dir))
    monkeypatch.setenv("OMNIRACLE_CONTENT_DIR", str(library.settings.content_dir))
    monkeypatch.setenv("DATABASE_URL", library.settings.resolved_database_url)
    for said in ("by password alone", "has no second factor"):
        done = CliRunner().invoke(command, ["user", "second-factor-off", "ann@example.org"])
        assert (done.exit_code, said in done.output) == (0, True), done.output
    client.cookies.clear()
    assert client.post("/sign-in", data=ANN).status_code == 303


@pytest.mark.parametrize(("lang", "said"), [("en", "This code is wrong or has been used"), ("zh-CN", "验证码")])
def test_a_browser_that_is_open_is_not_enough_to_turn_it_off(ann, library, clock, lang, said):
    browser, secret, _ = ann
    browser.headers["Accept-Language"] = lang
    for code in (code_of(secret, clock), "12345", ""):  # by which it was turned on, and none
        wrong = browser.post(f"{PATH}/removal", data={"code": code, "password": PASSWORD})
        assert (wrong.status_code, wrong.headers["Cache-Control"]) == (400, "no-store")
        assert re.search(f'id="error-code">.*{said}', wrong.text)
        assert re.search(f'name="code" type="text" value="{code}"', wrong.text)
        assert 'value="Ann"' in wrong.text
    with library.database.read() as session:
        assert session.exec(select(SecondFactor)).one()
    clock[0] += 30
    done = browser.post(f"{PATH}/removal", data={"code": code_of(secret, clock)})
    assert (done.status_code, done.headers["Location"]) == (303, "/account")
    with library.database.read() as session:
        assert session.exec(select(SecondFactor)).all() == []


def test_guessing_the_code_to_turn_it_off_is_slowed_down(ann):
    browser, _, _ = ann
    answers = [browser.post(f"{PATH}/removal", data={"code": f"{n:06}"}).status_code for n in range(10)]
    assert answers == [400] * 9 + [429]  # one was for turning it on


def test_who_has_no_password_needs_none(signed_in, library, people):
    browser = signed_in(Role.READER)
    with library.database.write() as session:
        session.merge(people[Role.READER]).password_hash = None
    assert "Second factor" not in browser.get("/account").text
    assert browser.get(PATH).headers["Location"] == "/account"


def test_two_browsers_with_one_code_make_one_session(ann, client, library, clock):
    _, secret, _ = ann
    half = begin(client)
    clock[0] += 30
    code = code_of(secret, clock)
    with TestClient(client.app, follow_redirects=False) as other:
        answers = [
            each.post("/sign-in/code", data={"half": half, "code": code}).status_code for each in (client, other)
        ]
    assert answers == [303, 400]
    with library.database.read() as session:
        assert len(session.exec(select(BrowserSession)).all()) == 2


def test_it_speaks_chinese(client, ann):
    page = client.post("/sign-in", data=ANN, headers={"Accept-Language": "zh-CN"})
    assert "<h1>输入验证码</h1>" in page.text
