"""What readers say without an account, and what reviewers see of it."""

import pytest
from starlette.testclient import TestClient

from app.models import Role
from tests.web.test_turns import from_address


def say(client, kind, reason="", slug="bread", agent="one"):
    data = {"kind": kind, "reason": reason}
    return client.post(f"/questions/{slug}/feedback", data=data, headers={"User-Agent": agent})


def test_each_reader_counts_once_for_each_revision(client):
    one, two = (from_address(client, address) for address in ("203.0.113.1", "203.0.113.2"))
    for reader in (one, two, two):
        answer = say(reader, "helped")
    assert answer.headers["Location"] == "/questions/bread?said=helped#page-feedback"
    page = client.get(answer.headers["Location"]).text
    assert "Thank you" in page
    assert "Helped 2 readers" in page
    say(two, "outdated")
    assert "Helped 1 reader<" in client.get("/questions/bread").text


def test_other_names_of_the_browser_make_no_more_readers(client):
    for number in range(20):
        assert say(client, "helped", agent=f"Browser/{number}").status_code == 303
    assert "Helped 1 reader<" in client.get("/questions/bread").text
    network = [from_address(client, f"2001:db8:0:1::{number}") for number in range(5)]
    for reader in network:
        say(reader, "helped")
    assert "Helped 2 readers" in client.get("/questions/bread").text
    say(client, "wrong", "Not quite.", agent="Browser/7")
    assert "Helped 1 reader<" in client.get("/questions/bread").text


def test_nobody_takes_back_what_somebody_else_behind_the_address_has_reported(client, signed_in):
    for _ in range(2):
        say(client, "wrong", "Not quite.")
    say(client, "wrong", "Not at all.")
    say(client, "wrong", "Not at all.", agent="two")
    say(client, "outdated")
    say(client, "helped")
    doubts = signed_in(Role.REVIEWER).get("/review/feedback").text
    assert (doubts.count("Not quite."), doubts.count("Not at all.")) == (1, 2)
    assert doubts.count("/handling") == 4
    assert "Helped 1 reader<" in client.get("/questions/bread").text


def test_reviewers_see_doubts_until_they_are_dealt_with(client, signed_in):
    say(client, "wrong", "Salt does <not> slow it.")
    rob = signed_in(Role.REVIEWER)
    page = rob.get("/review/feedback").text
    assert "Salt does &lt;not&gt; slow it." in page
    assert 'href="/questions/bread"' in page
    assert signed_in(Role.CONTRIBUTOR).get("/review/feedback").status_code == 403
    assert rob.post("/review/feedback/1/handling").status_code == 303
    assert "Salt does" not in rob.get("/review/feedback").text
    assert rob.post("/review/feedback/99/handling").status_code == 404


@pytest.mark.parametrize(("kind", "reason"), [("", ""), ("bad", ""), ("wrong", " "), ("wrong", "x" * 1001)])
def test_what_cannot_be_used_is_told_and_kept(client, kind, reason):
    answer = say(client, kind, reason)
    assert answer.status_code == 400
    assert reason.strip() in answer.text


def test_nothing_is_kept_of_who_said_it(client, library):
    say(client, "wrong", "It is.", agent="Secret Browser 7")
    content = b"".join(path.read_bytes() for path in library.settings.data_dir.glob("omniracle.db*"))
    assert b"Secret Browser" not in content
    assert b"testclient" not in content


def test_it_cannot_be_said_too_often(client):
    answers = [say(client, "helped", agent=str(number)) for number in range(31)]
    assert [answer.status_code for answer in answers[-2:]] == [303, 429]
    assert "Too many requests" in answers[-1].text
    assert "What you typed" not in answers[-1].text  # nothing was


def test_answers_that_are_due_are_listed(library, client, signed_in):
    library.write("x/due.md", "---\ntitle: Due\nlang: en\nverified: 2024-01-01\nreview_after: 2025-01-01\n---\nText\n")
    library.sync()
    rob = signed_in(Role.REVIEWER)
    assert "due since January 1, 2025" in rob.get("/review/stale").text
    assert "/review/stale" in rob.get("/review").text
    assert TestClient(client.app, follow_redirects=False).get("/review/stale").status_code == 303
