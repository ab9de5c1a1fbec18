"""What a person does, in real Chromium against the real server."""

import re

import pytest
from playwright.sync_api import expect

from tests.waiting import eventually

pytestmark = pytest.mark.e2e

SEED_ZH = "/questions/fastapi-workers-celue"
SEED_EN = "/questions/how-requests-reach-fastapi-workers"
PAGES = ("/", "/questions", SEED_ZH, f"{SEED_ZH}/history", "/tags", "/tags/fastapi", "/search?q=workers", "/about")
PHONE = {"width": 390, "height": 844}


def test_a_reader_finds_the_answer_and_its_sources(page):
    page.goto("/")
    page.get_by_role("combobox").fill("任務分配")
    page.get_by_role("combobox").press("Enter")
    hit = page.locator(".hit").first
    expect(hit.locator("mark").first).to_be_visible()
    hit.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(SEED_ZH))
    expect(page.get_by_role("heading", level=1)).to_contain_text("FastAPI")
    assert page.locator(".resource").count() >= 4
    page.locator("[data-contents] a").last.click()
    expect(page.locator("[data-contents] [aria-current]")).to_have_count(1)


def test_the_language_is_chosen_by_the_browser_and_by_the_switch(page):
    page.goto(SEED_EN)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="中文").click()
    expect(page).to_have_url(re.compile(f"{SEED_EN}$"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    expect(page.locator("#page-resources")).to_have_text("参考资料")
    page.get_by_role("link", name="中文").click()
    expect(page).to_have_url(re.compile(f"{SEED_ZH}$"))


def test_the_theme_switch_is_remembered(page):
    page.goto("/")
    page.locator(".theme-switch").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/questions")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 21, 19)"


def test_the_badge_names_the_worker_and_its_list_goes_on_by_itself(page, server):
    response = page.goto("/about")
    served_by = response.header_value("x-served-by")
    expect(page.locator(".served-by")).to_have_text(f"served by worker PID {served_by}")
    page.locator(".served-by").click()
    line = page.locator(".worker-list .is-this b")
    expect(line).to_be_visible()
    seen = set()
    assert eventually(lambda: seen.add(int(line.inner_text())) or len(seen) > 1)
    assert seen <= server.pids()


def test_the_keyboard_leads_to_the_search_box_and_past_the_header(page):
    page.goto(SEED_EN)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.locator("main").focus()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()


def test_code_can_be_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(SEED_EN)
    block = page.locator(".prose .highlight").first
    block.hover()
    block.get_by_role("button", name="Copy").click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("for i in")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_no_page_is_wider_than_a_phone(browser, server, path, locale):
    context = browser.new_context(base_url=server.url, viewport=PHONE, locale=locale)
    page = context.new_page()
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()


def test_everything_works_without_javascript(browser, server):
    context = browser.new_context(base_url=server.url, java_script_enabled=False, viewport=PHONE, locale="zh-CN")
    page = context.new_page()
    page.goto("/")
    page.locator("#home-q").fill("uvicorn gunicorn")
    page.locator("#home-q").press("Enter")
    page.locator(".hit a").first.click()
    expect(page.locator(".served-by")).to_contain_text("PID")
    page.locator(".contents-folded summary").click()
    expect(page.locator(".contents-folded a").first).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    context.close()


def test_suggestions_by_keyboard_alone(page):
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("request dist")
    box, options = page.get_by_role("combobox"), page.get_by_role("option")
    expect(options.first).to_contain_text("How are requests distributed")
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    page.keyboard.press("ArrowUp")
    assert box.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(box).to_have_value("request dist")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(SEED_EN))


def test_suggestions_by_pinyin_and_with_the_mouse(page):
    page.goto("/about")
    page.get_by_role("combobox").press_sequentially("renwu celue")
    page.get_by_role("option").first.click()
    expect(page).to_have_url(re.compile(SEED_ZH))


def test_nothing_is_asked_while_an_input_method_composes(page):
    asked = []
    page.on("request", lambda request: "/api/v1/suggest" in request.url and asked.append(request.url))
    page.goto("/")
    page.locator("#home-q").focus()
    session = page.context.new_cdp_session(page)
    for text in ("r", "re", "ren", "renwu"):
        session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
        page.wait_for_timeout(80)
    assert asked == []
    session.send("Input.insertText", {"text": "任务"})
    expect(page.get_by_role("option").first).to_contain_text("任务")
    assert len(asked) == 1


def test_composing_stops_the_question_that_waits(page):
    asked = []
    page.on("request", lambda request: "/api/v1/suggest" in request.url and asked.append(request.url))
    page.goto("/")
    page.locator("#home-q").focus()
    session = page.context.new_cdp_session(page)
    page.evaluate("document.activeElement.dispatchEvent(new InputEvent('input', {bubbles: true}))")
    page.evaluate("document.activeElement.dispatchEvent(new CompositionEvent('compositionstart'))")
    session.send("Input.imeSetComposition", {"text": "r", "selectionStart": 1, "selectionEnd": 1})
    page.wait_for_timeout(120)
    assert asked == []


def test_an_emptied_box_has_no_suggestions(page):
    page.goto("/")
    box = page.get_by_role("combobox")
    box.fill("workers")
    expect(page.get_by_role("option").first).to_be_visible()
    box.fill("")
    expect(page.get_by_role("listbox")).to_be_hidden()
    box.press("ArrowDown")
    expect(page.get_by_role("listbox")).to_be_hidden()


def test_suggestions_go_when_the_site_cannot_give_any(browser, server):
    page = browser.new_context(base_url=server.url, locale="en-US").new_page()
    page.goto("/")
    box = page.get_by_role("combobox")
    box.fill("work")
    expect(page.get_by_role("option").first).to_be_visible()
    page.route("**/api/v1/suggest*", lambda route: route.fulfill(status=503))
    box.fill("worker")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.context.close()


def test_moving_the_caret_drops_the_choice(page):
    page.goto("/")
    box = page.get_by_role("combobox")
    box.fill("workers")  # at once: suggestions for a part of it could come later and drop the choice, too
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant")
    page.keyboard.press("Home")
    assert box.get_attribute("aria-activedescendant") is None
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=workers"))


def test_enter_without_a_choice_searches(page):
    page.goto("/")
    page.get_by_role("combobox").press_sequentially("workers")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=workers"))


def test_on_paper_a_question_is_a_document_with_the_addresses_of_its_links(page):
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(SEED_EN)
    for gone in (".site-header", ".site-footer", ".feedback", ".live", ".contents", ".related"):
        expect(page.locator(gone).first).to_be_hidden()
    expect(page.locator(".print-only")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    shown = "link => getComputedStyle(link, '::after').content"
    assert "man7.org" in page.locator(".prose a[href^='http']").last.evaluate(shown)
    assert "https://" in page.locator(".resource a").first.evaluate(shown)


@pytest.mark.parametrize("width", [1280, 1600])
def test_every_page_begins_where_the_header_begins(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    for path in (
        "/questions",
        "/questions/how-requests-reach-fastapi-workers",
        "/tags",
        "/wanted",
        "/about",
        "/-/workers",
    ):
        page.goto(path)
        start = page.locator(".wordmark").bounding_box()["x"]
        assert page.locator("main h1").bounding_box()["x"] == pytest.approx(start, abs=1), path
