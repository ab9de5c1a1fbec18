"""Writing, reviewing and changing answers, as people do it: in real Chromium, by keyboard, in two windows at once."""

import base64
import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PATIENCE_MS, told
from tests.waiting import eventually

pytestmark = pytest.mark.e2e

PASSWORD = "four words make one password"
WIDTHS = (1280, 390, 320)
EXPECTED = re.compile(r"status of (400|401|409|410)|net::ERR_(INTERNET_DISCONNECTED|FAILED)")


@pytest.fixture(scope="module")
def people(server):
    """A contributor and a reviewer, and for both what a signed-in browser remembers."""
    for role in ("contributor", "reviewer"):
        added = ("user", "add", f"{role}@example.org", "--role", role, "--name", role.title(), "--password-stdin")
        told(*added, data=server.data, typed=f"{PASSWORD}\n")
    return {}


@pytest.fixture
def window(browser: Browser, server, people):
    """Opens windows, signed in as the role asked for; what they write to the console fails the test."""
    contexts, troubles = [], []

    def note(message):
        if message.type == "error" and not EXPECTED.search(message.text):
            troubles.append(message.text)

    def open_window(role=None, **options) -> Page:
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-US"} | options
        if role in people:
            options["storage_state"] = people[role]
        context = browser.new_context(base_url=server.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", note)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if role and role not in people:
            sign_in(page, f"{role}@example.org")
            people[role] = context.storage_state()
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert troubles == []


def sign_in(page, email):
    page.goto("/sign-in?next=/about")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/about$"))


def begin(page):
    """An empty editor, whatever an earlier test has left in it."""
    page.goto("/contribute")
    if page.get_by_role("button", name="Discard draft").is_visible():
        page.get_by_role("button", name="Discard draft").click()
        expect(page.get_by_role("button", name="Discard draft")).to_have_count(0)


def write(page, title, text, **more):
    begin(page)
    page.locator("#field-title").fill(title)
    page.locator("#field-body").fill(text)
    for name, value in more.items():
        page.locator(f"#field-{name}").fill(value)


def publish(page, title, text):
    """Write as a reviewer, whose answers are public at once; returns the answer's path."""
    write(page, title, text)
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    return page.evaluate("location.pathname")


def fits(page):
    return page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_from_signing_up_to_an_answer_that_is_found_on_every_worker(window, server):
    author = window()
    author.goto("/contribute")
    author.get_by_role("main").get_by_role("link", name="Sign up").click()
    author.get_by_label("Your name").fill("Ann")
    author.get_by_label("Email").fill("ann@example.org")
    author.get_by_label("Password").fill(PASSWORD)
    author.get_by_role("button", name="Sign up").click()
    expect(author).to_have_url(re.compile("/contribute$"))

    author.locator("#field-title").fill("How are requests distributed")
    place = author.locator("#field-body").bounding_box()
    expect(author.locator("[data-similar-list] a").first).to_contain_text("How are requests distributed")
    assert author.locator("#field-body").bounding_box() == place
    author.locator("#field-title").fill("Why do quokkas smile?")
    body = author.locator("#field-body")
    body.press_sequentially("Because of their ")
    body.press("Control+b")
    body.press_sequentially("jaws")
    preview = author.locator("[data-preview-html]")
    expect(preview.locator("strong")).to_have_text("jaws")
    body.press("Control+z")
    body.press("Control+End")
    body.press_sequentially(" muscles.")
    expect(preview).to_contain_text("muscles.")
    author.get_by_label("Topics").fill("animals")
    author.get_by_role("button", name="Add a resource").click()
    author.get_by_label("Address").fill("https://example.org/quokka")
    author.get_by_role("group", name="Resource 1").get_by_label("Title").fill("Quokka")
    expect(author.locator("[data-state]")).to_have_text("Draft saved")
    author.get_by_role("button", name="Submit for review").click()
    expect(author.locator(".state")).to_have_text("awaiting review")

    reviewer = window("reviewer")
    reviewer.goto("/review")
    reviewer.get_by_role("link", name="Why do quokkas smile?").click()
    expect(reviewer.locator(".diff ins").first).to_contain_text("quokkas")
    expect(reviewer.locator(".prose")).to_contain_text("muscles")
    reviewer.keyboard.press("r")
    expect(reviewer.locator("#field-reason")).to_be_focused()
    reviewer.keyboard.type("a")  # is typed, not obeyed
    expect(reviewer.locator("#field-reason")).to_have_value("a")
    reviewer.locator("main").focus()
    reviewer.keyboard.press("a")
    expect(reviewer).to_have_url(re.compile(r"/review$"))

    author.goto("/account/contributions")
    expect(author.locator(".state")).to_have_text("published")
    answers = [server.get("/api/v1/search?q=quokkas+muscles") for _ in range(12)]
    assert {answer.json()["hits"][0]["slug"] for answer in answers} == {"why-do-quokkas-smile"}
    assert len({answer.headers["x-served-by"] for answer in answers}) > 1


def test_two_windows_change_one_answer(window):
    one = window("reviewer")
    path = publish(one, "How do ferries turn?", "First paragraph.\n\nSecond paragraph.\n\nThird paragraph.")
    other = window("reviewer")
    for page in (one, other):
        page.goto(f"{path}/edit")
    for page, old, new in ((one, "First", "The first"), (other, "Third", "The third")):
        body = page.locator("#field-body")
        body.fill(body.input_value().replace(old, new))
        page.get_by_role("button", name="Publish").click()
        expect(page).to_have_url(re.compile(f"{path}$"))
    expect(other.locator(".prose")).to_contain_text("The first paragraph.")  # different places merge
    expect(other.locator(".prose")).to_contain_text("The third paragraph.")

    for page in (one, other):
        page.goto(f"{path}/edit")
    for page, new in ((one, "One second"), (other, "Another second")):
        body = page.locator("#field-body")
        body.fill(body.input_value().replace("Second", new))
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Improve this answer")  # one after the other
    expect(other.get_by_role("heading", level=1)).to_have_text("Conflicting changes")
    expect(other.locator(".clash-side ins").first).to_contain_text("Another second")
    expect(other.locator(".clash-side ins").last).to_contain_text("One second")
    other.get_by_label("Keep both, one after the other").check()
    other.get_by_role("button", name="Continue in the editor").click()
    chosen = other.locator("#field-body").input_value()
    assert "Another second paragraph." in chosen
    assert "One second paragraph." in chosen
    other.get_by_role("button", name="Publish").click()
    expect(other.locator(".prose")).to_contain_text("One second paragraph.")

    other.goto(f"{path}/history")
    expect(other.locator(".revisions li")).to_have_count(5)
    other.get_by_label("Compare revision 1 as the older one").check()
    other.get_by_role("button", name="Compare selected").click()
    expect(other.locator(".diff ins").first).to_be_visible()
    expect(other.get_by_text("from revision 1 to revision 5")).to_be_visible()
    other.goto(f"{path}/revisions/1")
    other.get_by_role("button", name="Restore this revision").click()
    expect(other.locator(".prose")).to_have_text(
        re.compile(r"First paragraph\.\s*Second paragraph\.\s*Third paragraph\.")
    )


def test_a_draft_outlives_its_tab(window):
    page = window("contributor")
    write(page, "A title that is kept", "Half of a sentence")
    page.context.new_page().goto("/about")
    page.close(run_before_unload=False)  # at once: nothing is saved yet
    again = page.context.new_page()

    def is_kept():  # the last words travel while the tab closes
        again.goto("/contribute")
        return again.locator("#field-body").input_value()

    assert eventually(is_kept)
    expect(again.locator("#field-body")).to_have_value("Half of a sentence")
    expect(again.locator("#field-title")).to_have_value("A title that is kept")
    again.get_by_role("button", name="Discard draft").click()
    expect(again.locator("#field-body")).to_have_value("")


def test_a_draft_that_is_refused_says_why_and_what_fits_is_kept_again(window):
    page = window("contributor")
    write(page, "Too long", "x" * 1_000_001)
    expect(page.locator("[data-trouble]")).to_contain_text("the limit is 1,000,000")
    page.locator("#field-body").fill("Short.")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-state]")).to_have_text("Draft saved")
    page.goto("/contribute")
    page.get_by_role("button", name="Discard draft").click()


def test_two_tabs_with_new_answers_keep_both(window):
    page = window("contributor")
    begin(page)
    other = page.context.new_page()
    other.goto("/contribute")
    for tab, title in ((page, "The question of the first tab"), (other, "The question of the second tab")):
        tab.locator("#field-title").fill(title)
        expect(tab.locator("[data-state]")).to_have_text("Draft saved")
    again = page.context.new_page()
    again.goto("/contribute")
    expect(again.locator("#field-title")).to_have_value("The question of the second tab")
    again.get_by_role("link", name="The question of the first tab").click()
    expect(again.locator("#field-title")).to_have_value("The question of the first tab")
    again.get_by_role("button", name="Discard draft").click()
    expect(again.locator("#field-title")).to_have_value("")
    again.get_by_role("link", name="The question of the second tab").click()
    again.get_by_role("button", name="Discard draft").click()
    expect(again.locator(".draft-notice")).to_have_count(0)


def test_going_back_to_the_editor_undoes_nothing_of_others(window):
    reviewer, other = window("reviewer"), window("reviewer")
    path = publish(reviewer, "Does going back undo anything?", "First paragraph.\n\nSecond paragraph.")
    reviewer.goto(f"{path}/edit")
    reviewer.locator("#field-body").fill("First paragraph, changed.\n\nSecond paragraph.")
    reviewer.get_by_role("button", name="Publish").click()
    expect(reviewer.locator(".prose")).to_contain_text("First paragraph, changed")
    other.goto(f"{path}/edit")
    other.locator("#field-body").fill("First paragraph, changed.\n\nSecond paragraph, changed.")
    other.get_by_role("button", name="Publish").click()
    expect(other.locator(".prose")).to_contain_text("Second paragraph, changed")
    reviewer.go_back()
    body = reviewer.locator("#field-body")
    expect(body).to_have_value(re.compile("Second paragraph, changed"))  # not what was typed before
    body.press("End")
    body.press_sequentially("!")
    reviewer.get_by_role("button", name="Publish").click()
    expect(reviewer.locator(".prose")).to_contain_text("Second paragraph, changed")


def test_a_double_click_sends_once(window):
    page = window("contributor")
    write(page, "Is a double click one click?", "It is one.")
    page.get_by_role("button", name="Submit for review").dblclick()
    expect(page.locator(".state")).to_have_text("awaiting review")
    page.goto("/account/contributions")
    expect(page.get_by_text("Is a double click one click?")).to_have_count(1)


def test_what_is_thrown_away_at_once_does_not_come_back(window):
    page = window("contributor")
    write(page, "Thrown away", "A first draft")
    expect(page.locator("[data-state]")).to_have_text("Draft saved")
    page.goto("/contribute")
    page.locator("#field-body").press_sequentially(" with more")
    page.get_by_role("button", name="Discard draft").click()
    expect(page.locator("#field-body")).to_have_value("")
    page.wait_for_timeout(500)
    page.goto("/contribute")
    expect(page.locator("#field-body")).to_have_value("")


def test_a_line_that_breaks_loses_nothing(window):
    page = window("contributor")
    write(page, "Written in a tunnel", "Some words")
    page.context.set_offline(True)
    page.get_by_role("button", name="Submit for review").click()
    expect(page.locator("[data-trouble]")).to_contain_text("Your text is still here")
    expect(page.locator("#field-body")).to_have_value("Some words")
    page.context.set_offline(False)
    expect(page.locator("[data-state]")).to_have_text("Draft saved")
    page.get_by_role("button", name="Submit for review").click()
    expect(page.locator(".state")).to_have_text("awaiting review")
    page.get_by_role("button", name="Withdraw").click()
    page.goto("/contribute")
    expect(page.locator("#field-body")).to_have_value("")  # what was sent is no draft any more


def test_the_toolbar_marks_the_text_and_undo_takes_it_back(window):
    page = window("contributor")
    begin(page)
    body = page.locator("#field-body")
    for mark, text, marked in (
        ("Italic (Ctrl+I)", "word", "*word*"),
        ("Code (Ctrl+E)", "word", "`word`"),
        ("Link (Ctrl+L)", "word", "[word]()"),
        ("Heading", "word", "## word"),
        ("Quote", "one\ntwo", "> one\n> two"),
        ("Numbered list", "one\ntwo", "1. one\n2. two"),
        ("Code block", "word", "```\nword\n```\n\n"),
    ):
        body.fill(text)
        body.press("Control+a")
        page.get_by_role("button", name=mark).click()
        expect(body).to_have_value(marked)
        body.press("Control+z")
        expect(body).to_have_value(text)
    page.get_by_role("button", name="Bold").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Italic")).to_be_focused()


def test_resources_are_put_in_order_by_keyboard(window):
    page = window("contributor")
    begin(page)
    for name in ("one", "two", "three"):
        page.get_by_role("button", name="Add a resource").press("Enter")
        page.keyboard.type(f"https://example.org/{name}")
    page.get_by_role("group", name="Resource 3").get_by_role("button", name="Move up").press("Enter")
    page.keyboard.press("Enter")  # the button keeps the focus
    page.get_by_role("group", name="Resource 3").get_by_role("button", name="Remove").press("Enter")
    addresses = [field.input_value() for field in page.locator("[name=card_url]").all()]
    assert addresses == ["https://example.org/three", "https://example.org/one"]


def test_no_preview_is_asked_for_while_an_input_method_composes(window):
    page = window("contributor")
    asked = []
    page.on("request", lambda request: request.url.endswith("/preview") and asked.append(request.url))
    begin(page)
    page.locator("#field-body").focus()
    session = page.context.new_cdp_session(page)
    for text in ("r", "ren", "renwu"):
        session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
        page.wait_for_timeout(250)
    assert asked == []
    session.send("Input.insertText", {"text": "任务"})
    expect(page.locator("[data-preview-html]")).to_have_text("任务")
    assert len(asked) == 1


def test_writing_and_reviewing_work_without_javascript(window):
    author = window("contributor").context.storage_state()
    page = window(java_script_enabled=False, storage_state=author, viewport={"width": 390, "height": 844})
    write(page, "Does it work without script?", "Yes, **always**.", message="Tried it")
    page.locator("summary").filter(has_text="Add a resource").first.click()
    page.get_by_label("Address").first.fill("https://example.org/plain")
    page.locator("[name=card_title]").first.fill("Plain")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("[data-preview-html] strong")).to_have_text("always")
    page.get_by_role("button", name="Save draft").click()
    page.goto("/contribute")
    expect(page.locator("[name=card_url]").first).to_have_value("https://example.org/plain")
    assert fits(page)
    page.get_by_role("button", name="Submit for review").click()
    proposal = page.evaluate("location.pathname")
    state = window("reviewer").context.storage_state()
    reviewer = window(java_script_enabled=False, storage_state=state)
    reviewer.goto(f"{proposal}/edit")
    reviewer.get_by_role("button", name="Save draft").click()
    expect(reviewer.get_by_text("This is your draft")).to_be_visible()
    reviewer.goto(proposal)  # a draft decides nothing
    expect(reviewer.locator(".key-hint").first).to_be_hidden()
    reviewer.get_by_role("button", name="Decline").click()
    reviewer.get_by_role("button", name="Publish").click()
    reviewer.goto("/questions/does-it-work-without-script")
    expect(reviewer.locator(".prose strong")).to_have_text("always")


def test_keys_for_reviewing_can_be_switched_off(window):
    author, page = window("contributor"), window("reviewer")
    write(author, "Who presses keys?", "Somebody or something.")
    author.get_by_role("button", name="Submit for review").click()
    expect(author.locator(".state")).to_be_visible()
    path = author.evaluate("location.pathname")
    page.goto(path)
    page.get_by_label("Keyboard shortcuts").uncheck()
    page.locator("main").focus()
    page.keyboard.press("a")
    page.reload()
    expect(page.locator(".state")).to_have_text("awaiting review")
    expect(page.locator(".key-hint").first).to_be_hidden()
    page.locator("#field-reason").fill("Only a trial")
    page.get_by_role("button", name="Decline").click()
    author.goto(path)
    expect(author.get_by_text("Declined by Reviewer: Only a trial")).to_be_visible()


def test_no_page_is_wider_than_its_screen(window):
    writer = window("reviewer")
    path = publish(writer, "What is wide?", "`" + "very_long_name_" * 20 + "`\n\nhttps://example.org/" + "long/" * 60)
    author = window("contributor")
    author.goto(f"{path}/edit")
    author.locator("#field-body").fill("| a | b |\n| --- | --- |\n| " + "wide " * 60 + " | c |")
    author.get_by_role("button", name="Submit for review").click()
    expect(author.locator(".state")).to_be_visible()
    proposal = author.evaluate("location.pathname")
    pages = (
        path,
        f"{path}/edit",
        f"{path}/history",
        "/account",
        "/contribute",
        "/review",
        proposal,
        f"{proposal}/edit",
    )
    for locale in ("en-US", "zh-CN"):
        context = writer.context.browser.new_context(
            storage_state=writer.context.storage_state(), locale=locale, base_url=writer.evaluate("location.origin")
        )
        page = context.new_page()
        for address in pages[:: 1 if locale == "en-US" else 2]:
            page.goto(address)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert fits(page), (address, locale, width)
        context.close()


PASTE = """(base64) => {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "a red field.png", { type: "image/png" }));
  const box = document.querySelector("#field-body");
  box.focus();
  box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }));
}"""


def test_a_pasted_image_is_stored_and_shown(window, tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 20), (200, 30, 30)).save(tmp_path / "red.png")
    page = window("reviewer")
    begin(page)
    page.get_by_label("Answer (Markdown)").fill("Look:\n\n")
    page.get_by_label("Answer (Markdown)").press("Control+End")
    page.evaluate(PASTE, base64.b64encode((tmp_path / "red.png").read_bytes()).decode())
    box = page.get_by_label("Answer (Markdown)")
    expect(box).to_have_value(re.compile(r"Look:\s+!\[a red field\]\(/images/[0-9a-f]{32}-40x20\.png\)"))
    image = page.locator("[data-preview-html] img")
    expect(image).to_have_attribute("width", "40")
    expect(image).to_have_js_property("naturalWidth", 40)
    page.evaluate(PASTE, base64.b64encode(b"no image").decode())
    expect(page.locator("[data-trouble]")).to_contain_text("This file is not an image")
    expect(box).to_have_value(re.compile(r"20\.png\)\n$"))  # of what was refused nothing is left, no empty line either


def test_an_address_that_cannot_be_fetched_is_told_beside_its_row(window):
    page = window("reviewer")
    begin(page)
    page.get_by_role("button", name="Add a resource").click()
    row = page.locator("[data-card]").last
    row.get_by_label("Address").fill("http://127.0.0.1:9/secret")
    row.get_by_label("Title").focus()
    expect(row.locator("[data-card-state]")).to_contain_text("Only public pages can be fetched")
    row.get_by_label("Title").fill("By hand")
    expect(row.locator("[data-card-name]")).to_have_text("By hand")
