"""What an action has done is told once, on the page that follows."""

import re

import pytest

from app.models import Role
from app.web.notices import COOKIE, NOTICES
from tests.web.conftest import PASSWORD
from tests.web.test_accounts import sign_in


def told(page: str) -> str | None:
    _, found, rest = page.partition('<p class="told" role="status" tabindex="-1" autofocus>')
    return rest.partition("</svg>")[2].partition("</p>")[0] if found else None


def followed(client, response):
    assert response.status_code == 303
    return client.get(response.headers["Location"])


def test_what_was_done_is_told_once(client, people):
    sign_in(client)
    page = followed(client, client.post("/account/name", data={"name": "Anne"}))
    assert told(page.text) == "Your name has been changed."
    assert told(client.get("/account").text) is None


def test_it_is_told_in_the_readers_language_also_after_signing_out(client, people):
    sign_in(client)
    client.cookies.set("lang", "zh-Hans", domain="testserver.local")
    assert told(followed(client, client.post("/sign-out")).text) == "您已退出登录。"


def test_a_new_password_says_what_it_ended(client, people):
    sign_in(client)
    response = client.post("/account/password", data={"old": PASSWORD, "new": "another long password"})
    assert "All other browsers have been signed out" in (told(followed(client, response).text) or "")


def test_each_decision_says_what_became_of_the_proposal(signed_in):
    ann, rob = signed_in(Role.CONTRIBUTOR), signed_in(Role.REVIEWER)
    sent = {"title": "Why is the sky blue?", "body": "Because of scattering.", "lang": "en", "action": "send"}
    for decision, data, expected in (
        ("rejection", {"reason": "No source."}, "rejected"),
        ("withdrawal", {}, "withdrawn"),
    ):
        proposed = ann.post("/contribute", data=sent)
        assert f"{COOKIE}=proposed" in proposed.headers["Set-Cookie"]
        person = rob if decision == "rejection" else ann
        decided = person.post(f"{proposed.headers['Location']}/{decision}", data=data)
        assert f"{COOKIE}={expected}" in decided.headers["Set-Cookie"]


def test_a_decision_that_leads_to_the_next_proposal_says_so(signed_in):
    ann, rob = signed_in(Role.CONTRIBUTOR), signed_in(Role.REVIEWER)
    titles = ("Why is the sky blue?", "Why is grass green?", "Why is snow white?")
    sent = [{"title": title, "body": "Because of light.", "lang": "en", "action": "send"} for title in titles]
    first, second, third = (ann.post("/contribute", data=each).headers["Location"] for each in sent)
    decided = rob.post(f"{first}/rejection", data={"reason": "No source."})
    assert f"{COOKIE}=rejected-next;" in decided.headers["Set-Cookie"]
    page = followed(rob, decided).text
    assert titles[1] in page
    seen = re.search('name="seen" value="([^"]+)"', page)[1]
    decided = rob.post(f"{second}/approval", data={"seen": seen})
    assert f"{COOKIE}=published-next;" in decided.headers["Set-Cookie"]
    assert titles[2] in followed(rob, decided).text
    decided = rob.post(f"{third}/rejection", data={"reason": "No source."})
    assert f"{COOKIE}=rejected;" in decided.headers["Set-Cookie"]


def test_nobody_else_puts_words_on_the_page(client):
    client.cookies.set(COOKIE, "Your account is locked", domain="testserver.local")
    page = client.get("/")
    assert told(page.text) is None
    assert "locked" not in page.text
    assert COOKIE not in client.cookies  # and what nobody understands goes


@pytest.mark.parametrize("notice", NOTICES)
def test_every_notice_is_shown(client, notice):
    assert told(client.get("/", headers={"Cookie": f"{COOKIE}={notice}; lang=en"}).text) == NOTICES[notice]


def test_a_part_that_a_script_asks_for_takes_no_notice_away(client):
    client.cookies.set(COOKIE, "published", domain="testserver.local")
    client.get("/-/workers/badge")
    assert told(client.get("/").text) == NOTICES["published"]
