"""What axe-core finds on every page, in the states that people bring them into: nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import PROJECT

pytestmark = pytest.mark.e2e

AXE = (Path(__file__).parent.parent / "vendor" / "axe-core" / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SEED = "/questions/how-requests-reach-fastapi-workers"
PASSWORD = "four words make one password"
PUBLIC = ("/", "/questions", SEED, "/questions/fastapi-workers-celue", "/tags", "/tags/fastapi", "/search",
          "/search?q=workers", "/search?q=zzzzqqq", "/wanted", "/about", "/-/workers", "/none", "/sign-in", "/sign-up",
          f"{SEED}/history", f"{SEED}/revisions/1", "/api/v1/docs")  # fmt: skip
SIGNED_IN = ("/contribute", "/account", "/account/contributions", "/review", "/review/links", "/review/feedback",
             "/review/stale", "/admin/accounts", "/admin/audit", "/admin/welcome", "/-/status", f"{SEED}/edit",
             "/images/new")  # fmt: skip
LOOKS = [
    {"viewport": {"width": 1280, "height": 900}, "locale": "en-US", "color_scheme": "light"},
    {"viewport": {"width": 1280, "height": 900}, "locale": "zh-CN", "color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN", "color_scheme": "light"},
    {"viewport": {"width": 320, "height": 700}, "locale": "en-US", "color_scheme": "dark"},
]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look['viewport']['width']} {look['locale']} {look['color_scheme']}")
def page(request, browser: Browser, server):
    context = browser.new_context(base_url=server.url, bypass_csp=True, **request.param)  # axe comes as a script
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


@pytest.fixture(scope="module")
def admin(server):
    command = [sys.executable, "-m", "app", "user", "add", "axe@example.org", "--role", "admin", "--password-stdin"]
    environ = os.environ | {"OMNIRACLE_DATA_DIR": str(server.data)}
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, check=True, cwd=PROJECT, env=environ)
    return "axe@example.org"


def found_on(page: Page) -> list[str]:
    page.evaluate(AXE)
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}}
    result = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{page.url} {violation['id']} {node['target']} {node['html'][:200]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def test_pages_that_everybody_sees(page):
    found = []
    for path in PUBLIC:
        page.goto(path)
        found += found_on(page)
        if page.evaluate("document.documentElement.scrollWidth") > page.viewport_size["width"]:
            found.append(f"{path} scrolls sideways")
    page.goto("/about")
    page.locator(".served-by").click()
    page.locator(".worker-list").wait_for()
    found += found_on(page)
    page.goto(SEED)
    page.locator("[role=combobox]").first.fill("how are")
    page.locator("[role=option]").first.wait_for()
    found += found_on(page)
    assert found == []


def test_pages_for_who_is_signed_in(page, admin):
    page.goto("/sign-in")
    page.get_by_role("main").get_by_role("button").first.click(no_wait_after=True)  # empty: the browser refuses it
    found = found_on(page)
    page.locator("#field-email").fill(admin)
    page.locator("#field-password").fill("wrong")
    page.get_by_role("main").get_by_role("button").first.click()
    page.locator(".form-error").wait_for()
    found += found_on(page)
    page.locator("#field-password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/")
    for path in SIGNED_IN:
        assert page.goto(path).status == 200
        found += found_on(page)
        if page.evaluate("document.documentElement.scrollWidth") > page.viewport_size["width"]:
            found.append(f"{path} scrolls sideways")
    page.goto("/contribute?draft=none")
    page.locator("button[value=save]").last.click()
    page.locator("[aria-invalid]").first.wait_for(state="attached", timeout=3000) if page.locator(
        "[aria-invalid]"
    ).count() else None
    found += found_on(page)
    assert found == []
