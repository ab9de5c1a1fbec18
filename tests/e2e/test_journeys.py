"""The main journeys, at both sizes, in both languages, with and without JavaScript.

On the way no page may write an error to the console, ask another host, move what is already shown, or scroll sideways.
"""

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PATIENCE_MS, told

pytestmark = pytest.mark.e2e

MOST_SHIFT = 0.02
SETTLED_MS = 150  # what scripts add is there by then, and the browser has told how it moved the page
PASSWORD = "four words make one password"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass
class Journey:
    """A person on the way; `look` is called on each page that they come to."""

    page: Page
    url: str
    lang: str
    has_scripts: bool
    troubles: list[str] = field(default_factory=list)
    shifts: list[float] = field(default_factory=list)

    def note_shift(self, told: dict) -> None:
        """Note how far the page moved without having been touched; the browser tells it, scripts or not."""
        details = told["event"].get("layoutShiftDetails", {})
        if details and not details["hadRecentInput"]:
            self.shifts.append(details["value"])

    def go(self, path: str) -> None:
        self.page.goto(path)
        self.look()

    def follow(self, selector: str) -> None:
        """Click what leads to another page."""
        before = self.page.url
        self.page.locator(selector).first.click()
        self.page.wait_for_url(lambda url: url != before)
        self.look()

    def send(self, selector: str) -> None:
        """Press a form's button."""
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()
        self.look()

    def settle(self) -> None:
        self.page.wait_for_load_state("load")
        self.page.wait_for_timeout(SETTLED_MS)

    def look(self) -> None:
        self.settle()
        if sum(self.shifts) > MOST_SHIFT:
            self.troubles.append(f"{self.page.url} moves by {sum(self.shifts):.3f}")
        self.shifts.clear()
        if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            self.troubles.append(f"{self.page.url} scrolls sideways")

    def sign_in(self, email: str) -> None:
        self.go("/sign-in")
        self.page.locator("#field-email").fill(email)
        self.page.locator("#field-password").fill(PASSWORD)
        self.send("main form .button")
        expect(self.page.locator(".person")).to_have_attribute("href", "/account")

    def sign_out(self) -> None:
        self.go("/account")
        self.send("form[action='/sign-out'] button")


@pytest.fixture(scope="module")
def reviewer(server):
    email = "journeys@example.org"
    added = ("user", "add", email, "--role", "reviewer", "--password-stdin")
    told(*added, data=server.data, typed=f"{PASSWORD}\n")
    return email


@pytest.fixture(
    # Every two of size, language and scripts meet.
    params=[
        ("desktop", "en-US", True),
        ("desktop", "zh-CN", False),
        ("phone", "en-US", False),
        ("phone", "zh-CN", True),
    ],
    ids=lambda way: f"{way[0]} {way[1]} {'with' if way[2] else 'without'} scripts",
)
def journey(request, browser: Browser, server):
    size, locale, has_scripts = request.param
    context = browser.new_context(
        base_url=server.url, viewport=SIZES[size], locale=locale, java_script_enabled=has_scripts,
        color_scheme="dark" if size == "phone" else "light", has_touch=size == "phone",
        extra_http_headers={"X-Forwarded-For": f"203.0.113.{request.param_index}"},  # so many may not sign up from one
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    made = Journey(page, server.url, locale[:2], has_scripts)
    page.on("console", lambda message: message.type == "error" and made.troubles.append(message.text))
    page.on("pageerror", lambda error: made.troubles.append(str(error)))
    page.on("request", lambda asked: asked.url.startswith(server.url) or made.troubles.append(asked.url))
    browser_tells = context.new_cdp_session(page)
    browser_tells.on("PerformanceTimeline.timelineEventAdded", made.note_shift)
    browser_tells.send("PerformanceTimeline.enable", {"eventTypes": ["layout-shift"]})
    yield made
    context.close()
    assert made.troubles == []


def test_the_watch_on_moving_pages_sees_one(journey):
    journey.go("/about")
    journey.page.evaluate("document.querySelector('main').style.paddingTop = '300px'")
    journey.look()
    assert any("moves by" in told for told in journey.troubles)
    journey.troubles.clear()


def test_a_reader_searches_reads_and_reads_on(journey):
    page = journey.page
    journey.go("/")
    page.locator("#home-q").fill("workers 策略")
    page.locator("#home-q").press("Enter")
    page.wait_for_url("**/search?**")
    journey.look()
    expect(page.locator(".hit mark").first).to_be_visible()
    journey.follow(".hit .card-title a")
    expect(page.locator("h1")).to_contain_text("FastAPI")
    expect(page.locator(".resource")).not_to_have_count(0)
    heading = page.locator(".prose h2").nth(2)
    if page.viewport_size["width"] > 1000:
        page.locator(f".contents a[href='#{heading.get_attribute('id')}']").click()
    else:
        page.locator(".contents-folded summary").click()
        page.locator(f".contents-folded a[href='#{heading.get_attribute('id')}']").click()
    expect(heading).to_be_in_viewport()
    journey.send(".scripts button[value=hant]")
    expect(page.locator(".prose").first).to_have_attribute("data-copy", re.compile("."))
    expect(page.locator("article.answer")).to_have_attribute("lang", "zh-Hant")
    journey.follow("a.fact[hreflang=en]")
    expect(page.locator("article.answer")).to_have_attribute("lang", "en")
    journey.follow(".neighbour")
    journey.follow(".related .card-title a")
    journey.follow(".answer-foot a[href$='/history']")
    journey.follow(".revision-number")
    journey.follow(".site-nav a[href='/tags']")
    journey.follow(".topic-card h2 a")
    journey.follow(".choices a[href*='sort=popular']")
    journey.follow(".list .card-title a")
    journey.go("/about")
    journey.follow("main a[href='/-/workers']")


def test_who_finds_nothing_asks_for_the_answer(journey):
    words = (
        f"quinoa {journey.lang} {'with' if journey.has_scripts else 'without'} {journey.page.viewport_size['width']}"
    )
    journey.go("/search")
    journey.page.locator("#page-q").fill(words)
    with journey.page.expect_navigation():
        journey.page.locator("#page-q").press("Enter")
    journey.look()
    journey.send(".ask button")
    expect(journey.page.locator(".wanted")).to_contain_text(words)
    journey.go("/questions/there-is-none")
    journey.troubles = [told for told in journey.troubles if "404" not in told]
    expect(journey.page.locator(".status")).to_have_text("404")


def test_from_signing_up_to_a_published_answer_and_a_better_one(journey, reviewer):
    page = journey.page
    mark = f"{journey.lang}{page.viewport_size['width']}{'w' if journey.has_scripts else 'o'}"
    writer = f"{mark}@example.org"
    journey.go("/sign-up")
    page.locator("#field-name").fill(f"Writer {mark}")
    page.locator("#field-email").fill(writer)
    page.locator("#field-password").fill("short")
    journey.send("main form .button")
    expect(page.locator("#field-password")).to_have_attribute("aria-invalid", "true")
    journey.troubles = [told for told in journey.troubles if "400" not in told]
    expect(page.locator("#field-name")).to_have_value(f"Writer {mark}")
    page.locator("#field-password").fill(PASSWORD)
    journey.send("main form .button")
    journey.go("/contribute")
    title = f"Why does {mark} rise?"
    page.locator("#field-title").fill(title)
    page.locator("#field-body").fill(f"It has yeast.\n\n## The yeast of {mark}\n\nIt eats **sugar**.\n")
    page.locator("#field-tags").fill("baking")
    if journey.has_scripts:
        expect(page.locator(".preview-box strong")).to_have_text("sugar")
        journey.settle()
        journey.shifts.clear()  # the preview grows with what is typed, and what is below it gives way
    else:
        journey.send(".editor-buttons button[value=preview]")
        expect(page.locator(".preview-box strong")).to_have_text("sugar")
    journey.send(".editor-buttons button[value=save]")
    expect(page).to_have_url(re.compile(r"/proposals/\d+$"))
    proposal = page.url
    journey.sign_out()

    journey.sign_in(reviewer)
    journey.go("/review")
    expect(page.locator(f"a[href$='{proposal.removeprefix(journey.url)}']")).to_be_visible()
    journey.go(proposal)
    journey.send("form[action$='/approval'] button")
    journey.go(f"/search?q={mark}")
    journey.follow(".hit .card-title a")
    expect(page.locator("h1")).to_have_text(title)
    journey.follow(".answer-foot a[href$='/edit']")
    text = page.locator("#field-body").input_value()
    page.locator("#field-body").fill(text.replace("sugar", "starch"))
    journey.send(".editor-buttons button[value=save]")
    expect(page.locator(".prose strong")).to_have_text("starch")
    journey.follow(".answer-foot a[href$='/history']")
    journey.follow(".revision-diff")
    expect(page.locator("ins")).to_contain_text("starch")
    journey.sign_out()
