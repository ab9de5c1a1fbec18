"""No page of another site makes a browser change anything here: no route that changes something lets it."""

import pytest

from app.models import Role
from tests.web.surface import SAFE, address, surface

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": "anything"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://evil.example/testserver"},
    {"Origin": "http://testserver:8000"},
    {"Origin": "http://testserver@evil.example"},
    {"Origin": "http://[::1"},
    {"Origin": "null"},
    {"Origin": ""},
]
OUR_OWN = [
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://testserver"},
]


def changing(client):
    return [(method, path) for method, path in surface(client.app) if method not in SAFE]


@pytest.mark.parametrize("headers", FOREIGN)
def test_nothing_is_changed_for_another_site(signed_in, headers):
    admin = signed_in(Role.ADMIN)
    for method, path in changing(admin):
        answer = admin.request(method, address(path), headers=headers)
        assert answer.status_code == 403, (method, path)
        assert "This request came from another site" in answer.text, (method, path)
        assert "Set-Cookie" not in answer.headers
    assert admin.get("/account").status_code == 200


@pytest.mark.parametrize("headers", OUR_OWN)
def test_our_own_pages_may(signed_in, headers):
    admin = signed_in(Role.ADMIN)
    for method, path in changing(admin):
        answer = admin.request(method, address(path, slug="999999"), headers=headers)
        assert "This request came from another site" not in answer.text, (method, path)


def test_reading_is_for_everybody_and_other_sites_cannot_look_at_it(signed_in):
    admin = signed_in(Role.ADMIN)
    for method, path in surface(admin.app):
        if method in SAFE:
            answer = admin.request(method, address(path), headers=FOREIGN[0] | {"Origin": "https://evil.example"})
            assert answer.status_code != 403, path
            assert not any(name.startswith("access-control-") for name in answer.headers), path


@pytest.mark.parametrize("headers", [FOREIGN[0], FOREIGN[4]])
def test_what_another_site_sends_to_a_page_that_is_not_there_is_not_repeated(client, headers):
    sent = {"body": "Send your password to the address below."}
    assert sent["body"] in client.post("/nothing", data=sent).text
    assert sent["body"] not in client.post("/nothing", data=sent, headers=headers).text
