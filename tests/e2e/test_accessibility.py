"""What axe-core finds on every page, in the states that people bring them into: nothing."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests import servers
from tests.e2e.conftest import PATIENCE_MS, start, stop, told

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
LOOKS = [  # both of each; pages are made the same way whatever they are combined with
    {"viewport": {"width": 1280, "height": 900}, "locale": "en-US", "color_scheme": "light"},
    {"viewport": {"width": 320, "height": 700}, "locale": "zh-CN", "color_scheme": "dark"},
]
RICH = """#### A body may begin with any level

First a note[^1] and a task list.

- [x] done
- [ ] not done

> [!WARNING]
> A warning with `code`.

###### And go on with any other

| a | b | c | d | e | f | g | h |
|---|---|---|---|---|---|---|---|
| https://example.org/a/very/long/address | `--flag` | 3 | 4 | 5 | 6 | 7 | a cell with many words |

```math
\\sum_{i=0}^{n} x_i = \\frac{a}{b} + a_very_long_name_of_a_function_that_does_not_fit_on_any_phone(one, two, three)
```

![](https://example.org/x.png)

[^1]: A footnote.
"""


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look['viewport']['width']} {look['locale']} {look['color_scheme']}")
def page(request, browser: Browser, server):
    context = browser.new_context(base_url=server.url, bypass_csp=True, **request.param)  # axe comes as a script
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


@pytest.fixture(scope="module")
def server(prepared, tmp_path_factory):
    """One of its own: what is written here must not wait for the reviewers of other tests."""
    server = start(shutil.copytree(prepared, tmp_path_factory.mktemp("axe") / "var"))
    yield server
    assert stop(server) == 0


def omniracle(server, *arguments) -> str:
    """Return what a command of ours says; a password that it asks for is PASSWORD."""
    return told(*arguments, data=server.data, typed=f"{PASSWORD}\n")


@pytest.fixture(scope="module")
def admin(server):
    omniracle(server, "user", "add", "axe@example.org", "--role", "admin", "--password-stdin")
    return "axe@example.org"


@pytest.fixture(scope="module")
def api(admin, server):
    """A function that sends something to the API as a person of a role."""
    omniracle(server, "user", "add", "con@example.org", "--role", "contributor", "--password-stdin")
    tokens = {
        "admin": omniracle(server, "token", "create", admin),
        "contributor": omniracle(server, "token", "create", "con@example.org"),
    }

    def send(role, method, path, revision=None, **question):
        headers = {"Authorization": f"Bearer {tokens[role]}"} | ({"If-Match": f'"{revision}"'} if revision else {})
        answer = servers.request(method, f"{server.url}/api/v1{path}", headers=headers, json=question)
        assert answer.is_success, answer.text
        return answer.json()

    return send


def found_on(page: Page) -> list[str]:
    page.evaluate(AXE)
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}}
    result = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{page.url} {violation['id']} {node['target']} {node['html'][:200]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def sign_in(page: Page, email: str) -> None:
    page.goto("/sign-in")
    page.locator("#field-email").fill(email)
    page.locator("#field-password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url("**/")


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


def test_states_that_answers_and_searches_come_into(page, api):
    slug = api("admin", "POST", "/questions", title="What can an answer hold?", lang="en", tags=["axe"],
               body_markdown=RICH)["slug"]  # fmt: skip
    api("admin", "PUT", f"/questions/{slug}", 1, body_markdown=RICH.replace("First", "Second"), message="why")
    address = f"/questions/{slug}"
    found = []
    for path in (address, f"{address}/compare?older=1&newer=2", f"{address}/revisions/1",
                 "/search?q=fastapi&tag=python", "/search?q=workers&tag=money", "/search?q=%22zzq%20yyq%22",
                 "/questions?tag=python&lang=zh&sort=popular", "/questions?tag=none-such",
                 "/questions?page=900"):  # fmt: skip
        page.goto(path)
        found += found_on(page)
        if page.evaluate("document.documentElement.scrollWidth") > page.viewport_size["width"]:
            found.append(f"{path} scrolls sideways")
    page.goto(address)
    page.locator(".feedback summary").click()
    for folded in page.locator("details:not([open]) > summary").all():
        if folded.is_visible():
            folded.click()
    found += found_on(page)
    page.goto("/-/workers")
    page.locator("[name=choice]").first.click()
    page.locator(".experiment-result .bars").wait_for()
    found += found_on(page)
    page.goto("/-/workers")
    page.locator("a[href^='/-/experiments/']").first.click()
    page.wait_for_url("**/-/experiments/*")
    found += found_on(page)
    assert found == []


def test_states_that_writing_comes_into(page, api, admin):
    slug = api("admin", "POST", "/questions", title="Who is first?", lang="en", body_markdown="One.\n\nTwo.")["slug"]
    proposed = [
        api("contributor", "POST", "/questions", title="May I?", lang="en", body_markdown=RICH)["url"],
        api("contributor", "PUT", f"/questions/{slug}", 1, body_markdown="One.\n\nThree.", message="why")["url"],
    ]
    sign_in(page, admin)
    found = []
    for path in (*proposed, "/review"):
        page.goto(path)
        found += found_on(page)
    page.goto(f"/questions/{slug}/edit")
    page.locator("#field-body").fill("One.\n\nMine.")
    api("admin", "PUT", f"/questions/{slug}", 1, body_markdown="One.\n\nTheirs.")
    page.locator("button[value=save]").last.click()
    page.locator(".clash").first.wait_for()
    found += found_on(page)
    page.goto("/contribute?draft=none")
    page.locator("#field-title").fill("How are requests distributed")
    page.locator("[data-similar-list] a").first.wait_for()
    with page.expect_response("**/drafts/new"):
        page.locator("#field-body").fill(RICH)
    page.locator("[data-preview-html] h2").wait_for()
    found += found_on(page)
    page.goto("/contribute")
    page.locator(".draft-notice").wait_for()
    found += found_on(page)
    page.goto("/account/contributions")
    page.locator("main a[href*='/drafts/'], main a[href*='draft=']").first.click()
    found += found_on(page)
    page.goto(f"/questions/{slug}/history")
    page.locator(".removal summary").click()
    found += found_on(page)
    page.locator("#field-reason").fill("enough")
    page.locator(".removal .button").click()
    page.goto(f"/questions/{slug}")
    page.locator(".tombstone").wait_for()
    found += found_on(page)
    assert found == []


def test_error_pages(browser, server, api):
    context = browser.new_context(base_url=server.url, bypass_csp=True, **LOOKS[1])
    page = context.new_page()
    sign_in(page, "con@example.org")
    found = []
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    cookie = {"Cookie": "; ".join(f"{each['name']}={each['value']}" for each in context.cookies())}
    for status, method, path, content in (
        (403, "GET", "/review", b""),
        (404, "GET", "/questions/none-such", b""),
        (405, "POST", "/about", b""),
        (413, "POST", "/contribute", b"body=" + b"x" * 40_000_000),
        (400, "POST", "/contribute", b"title=&body=&card_url=nowhere"),
        (400, "POST", "/wanted", b"q="),
    ):
        answer = servers.request(method, server.url + path, headers=form | cookie, content=content, timeout=30)
        assert answer.status_code == status, path
        page.goto("/about")
        page.set_content(answer.text)
        found += found_on(page)
    context.close()
    assert found == []
