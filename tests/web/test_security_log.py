"""Who was let in and who was not stands in the log, and nothing of what they typed."""

import json
import logging
import re

import pytest
from typer.testing import CliRunner

from app import logs
from app.cli import app as command
from app.models import Role
from app.web.access import SESSION_COOKIE
from tests.web.conftest import PASSWORD, PEOPLE
from tests.web.test_proving import let_pass
from tests.web.test_second_factor import ann, begin, clock  # noqa: F401  fixtures

EMAIL, _ = PEOPLE[Role.CONTRIBUTOR]


@pytest.fixture
def noted(caplog):
    """What gives the lines since it was last asked, with their levels."""
    caplog.set_level(logging.INFO, "app.web.security_log")

    def lines():
        found = [
            (each.levelname, json.loads(each.getMessage()))
            for each in caplog.records
            if each.name == "app.web.security_log"
        ]
        caplog.clear()
        return found

    return lines


def line(event, route, account=None, client="testclient"):
    level = "INFO" if event == "sign-in" else "WARNING"
    return level, {"event": event, "client": client, "route": route, "account": account}


def test_who_signs_in_and_who_fails_to(client, people, noted, caplog):
    number = people[Role.CONTRIBUTOR].id
    for email, password in ((EMAIL, "a secret guess"), (" ANN@example.org", "x"), ("my password by mistake", "y")):
        assert client.post("/sign-in", data={"email": email, "password": password}).status_code == 400
    assert client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD}).status_code == 303
    written, key = caplog.text, client.cookies[SESSION_COOKIE]
    assert noted() == [
        line("wrong-password", "/sign-in", number),
        line("wrong-password", "/sign-in", number),
        line("wrong-password", "/sign-in"),
        line("sign-in", "/sign-in", number),
    ]
    for secret in ("secret guess", "mistake", PASSWORD, EMAIL, key):
        assert secret not in written


def test_codes_that_are_wrong_and_right(client, ann, noted, caplog, people):  # noqa: F811
    _, secret, recovery = ann
    number, half = people[Role.CONTRIBUTOR].id, begin(client)
    assert noted() == []  # the password alone lets nobody in
    client.post("/sign-in/code", data={"half": half, "code": "000000"})
    client.post("/sign-in/code", data={"half": half, "code": recovery[0]})
    written = caplog.text
    assert noted() == [line("wrong-code", "/sign-in/code", number), line("sign-in", "/sign-in/code", number)]
    for told in (half, "000000", recovery[0], secret):
        assert told not in written


def test_proofs_that_fail(signed_in, library, people, noted):
    browser = signed_in(Role.ADMIN)
    browser.post("/account/password", data={"old": "wrong", "new": "another long passphrase"})
    browser.post("/account/password", data={"old": PASSWORD, "new": "short"})
    assert noted() == [line("wrong-password", "/account/password", people[Role.ADMIN].id)]
    let_pass(library)
    assert browser.post("/account/tokens", data={"token_name": "x", "password": "wrong"}).status_code == 403
    assert (
        browser.post("/account/tokens", data={"token_name": "x"}).status_code == 403
    )  # is asked, and has tried nothing
    assert noted() == [line("wrong-password", "/account/tokens", people[Role.ADMIN].id)]


def test_too_many_and_what_is_not_for_them_once_a_minute(client, signed_in, people, noted):
    for _ in range(13):
        client.post("/sign-in", data={"email": "nobody@example.org", "password": "x"})
    assert noted() == [line("wrong-password", "/sign-in")] * 10 + [line("too-many", "/sign-in")]
    rea = signed_in(Role.READER)
    for _ in range(2):
        assert rea.get("/admin/accounts").status_code == 403
        assert rea.get("/review").status_code == 403
    number = people[Role.READER].id
    assert noted() == [line("forbidden", "/admin/accounts", number), line("forbidden", "/review", number)]
    for _ in range(2):
        headers = {"Authorization": "Bearer omni_unknown"}
        assert client.post("/api/v1/questions", headers=headers, json={}).status_code == 401
    client.post("/sign-in", headers={"Origin": "https://evil.example"})
    assert noted() == [line("unknown-token", "/api/v1/questions"), line("cross-origin", "/sign-in")]


def test_the_number_leads_to_the_account(library, people):
    settings = library.settings
    run = CliRunner(
        env={
            "OMNIRACLE_DATA_DIR": str(settings.data_dir),
            "OMNIRACLE_CONTENT_DIR": str(settings.content_dir),
            "DATABASE_URL": settings.resolved_database_url,
        }
    )
    listed = run.invoke(command, ["user", "list"], catch_exceptions=False).output.splitlines()
    assert f"{EMAIL}\tcontributor\tAnn\t{people[Role.CONTRIBUTOR].id}" in listed


def test_who_is_not_signed_in_is_nothing_to_note(client, noted):
    assert client.get("/contribute").status_code == 303
    assert client.get("/none").status_code == 404
    assert noted() == []


def test_a_line_is_one_line_and_tells_the_time_of_everywhere():
    written = logs.OneLine(logs.FORMAT)
    record = logging.LogRecord(
        "app.web", logging.WARNING, "", 1, "GET %s failed", ("/\r\n2026 FALSE\u2028\x1b[2J",), None
    )
    record.created = 1_800_000_000.0
    assert re.fullmatch(
        r"2027-01-15T08:00:00\.\d{3}Z \d+ WARNING app\.web: GET /\\r\\n2026 FALSE\\u2028\\x1b\[2J failed",
        written.format(record),
    )
    record.exc_info = (ValueError, ValueError("a\n2026 FALSE\r\x1b[2J\0\u2028"), None)
    record.stack_info = "Stack:\n2026 FALSE\r\x1b[2J"
    _, *below = written.format(record).split("\n")
    assert below == [
        "  ValueError: a", r"  2026 FALSE\r\x1b[2J\x00\u2028",
        "  Stack:", r"  2026 FALSE\r\x1b[2J",
    ]  # fmt: skip
