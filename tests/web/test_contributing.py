"""From a contributor's editor over the review to the public page; two people at once; nothing is lost."""

import re
from urllib.parse import urlencode

import pytest
from sqlalchemy import event

from app.models import Draft, Role
from app.services import drafting
from app.services.limits import CONTRIBUTION, PREVIEW, RateLimits
from app.storage import articles, drafts, proposals, revisions

FORM = "application/x-www-form-urlencoded"
ANSWER = "Because salt slows the yeast down.\n\n- one\n- two\n\nThe end.\n"


def fields(**changes):
    given = {
        "title": "Why does pasta need salt?",
        "tags": "cooking, 面食",
        "lang": "",
        "body": ANSWER.replace("\n", "\r\n"),
        "message": "A first answer",
        "base": "0",
        "action": "save",
        "card_section": "resources",
        "card_url": "https://example.org/pasta",
        "card_title": "Pasta",
        "card_description": "All of it",
        "card_site": "",
        "card_archive": "",
    }
    return given | changes


def seen(page):
    """The version of a proposal that a page shows."""
    return {"seen": re.search(r'name="seen" value="(\w+)"', page)[1]}


def approve(client, path):
    return client.post(f"{path}/approval", data=seen(client.get(path).text))


def edit_fields(page, **changes):
    """The fields of the editor as a browser would send them."""

    def value(pattern):
        found = re.search(pattern, page, re.DOTALL)
        return found[1].replace("&#34;", '"').replace("&#39;", "'") if found else ""

    given = {
        "title": value(r'name="title"[^>]*? value="([^"]*)"'),
        "tags": value(r'name="tags"[^>]*? value="([^"]*)"'),
        "lang": value(r'<option value="([^"]+)"[^>]* selected'),
        "body": value(r'<textarea id="field-body".*?>\n(.*?)</textarea>'),
        "base": value(r'name="base" value="(\d+)"'),
        "message": "",
        "action": "save",
        "seen": value(r'name="seen" value="(\w+)"'),
        **{name: value(rf'name="{name}" value="([^"]*)"') for name in ("window", "draft", "draft_at")},
    }
    return given | changes


@pytest.fixture
def ann(signed_in):
    return signed_in(Role.CONTRIBUTOR)


@pytest.fixture
def rob(signed_in):
    return signed_in(Role.REVIEWER)


def test_a_contribution_is_public_only_after_a_reviewer_has_approved_it(client, ann, rob):
    answer = ann.post("/contribute", data=fields())
    assert answer.status_code == 303
    path = answer.headers["Location"]
    assert "awaiting review" in ann.get(path).text
    assert client.get("/api/v1/search?q=pasta").json()["total"] == 0
    assert client.get("/questions/why-does-pasta-need-salt").status_code == 404
    assert "Why does pasta need salt?" in rob.get("/review").text
    page = rob.get(path).text
    assert "<ins>" in page
    assert "<li>one</li>" in page
    approved = approve(rob, path)
    assert (approved.status_code, approved.headers["Location"]) == (303, "/review")
    article = client.get("/questions/why-does-pasta-need-salt")
    assert "salt slows the yeast" in article.text
    assert 'href="https://example.org/pasta"' in article.text
    assert client.get("/api/v1/search?q=pasta").json()["hits"][0]["slug"] == "why-does-pasta-need-salt"
    history = client.get("/questions/why-does-pasta-need-salt/history").text
    assert "Ann: A first answer" in history
    assert "published" in ann.get("/account/contributions").text


def test_a_reviewers_own_change_is_public_at_once(client, rob):
    answer = rob.post("/contribute", data=fields(title="面条为什么要放盐？", lang="zh"))
    assert answer.headers["Location"] == "/questions/mian-tiao-wei-shen-me-yao-fang-yan"
    page = rob.get("/questions/mian-tiao-wei-shen-me-yao-fang-yan/edit").text
    changed = rob.post(
        "/questions/mian-tiao-wei-shen-me-yao-fang-yan/edit",
        data=edit_fields(page, body=ANSWER.replace("The end.", "The very end."), message="Better"),
    )
    assert changed.status_code == 303
    html = client.get("/questions/mian-tiao-wei-shen-me-yao-fang-yan").text
    assert "The very end." in html
    assert "Revised once" in html
    assert client.get("/api/v1/search?q=very end").json()["hits"][0]["lang"] == "zh"


def test_a_rejected_proposal_tells_its_author_why(ann, rob, client):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    refused = rob.post(f"{path}/rejection", data={"reason": "  "})
    assert refused.status_code == 400
    assert "Tell the author why" in refused.text
    assert rob.post(f"{path}/rejection", data={"reason": "No source says so."}).status_code == 303
    assert "No source says so." in ann.get(path).text
    assert "No source says so." in ann.get("/account/contributions").text
    again = rob.post(f"{path}/approval", data={"seen": "x"})
    assert again.status_code == 400
    assert "already been decided" in again.text
    assert client.get("/questions/why-does-pasta-need-salt").status_code == 404


def test_a_reviewer_may_edit_and_publish_and_the_author_is_named(ann, rob, client):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    page = rob.get(f"{path}/edit").text
    done = rob.post(f"{path}/edit", data=edit_fields(page, title="Why salt your pasta?", card_url="", card_title=""))
    assert done.status_code == 303
    assert "Ann" in client.get("/questions/why-salt-your-pasta/history").text


def test_an_author_changes_and_takes_back_what_waits(ann, rob, signed_in):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    page = ann.get(f"{path}/edit").text
    ann.post(f"{path}/edit", data=edit_fields(page, body="Another answer altogether, quite long."))
    assert "Another answer altogether" in rob.get(path).text
    assert signed_in(Role.CONTRIBUTOR).get(path).status_code == 200
    ann.post(f"{path}/withdrawal")
    assert "withdrawn" in ann.get(path).text
    assert "Nothing is awaiting review" in rob.get("/review").text


def test_nobody_else_sees_a_proposal(client, library, ann, people):
    from app.services import accounts
    from app.web.access import SESSION_COOKIE
    from tests.web.conftest import PASSWORD

    path = ann.post("/contribute", data=fields()).headers["Location"]
    other = accounts.sign_up(library.database, email="z@example.org", name="Zoe", password=PASSWORD)
    cookie = {"Cookie": f"{SESSION_COOKIE}={accounts.open_session(library.database, other, 'x')}"}
    for method, address in (("GET", path), ("GET", f"{path}/edit"), ("POST", f"{path}/withdrawal")):
        assert client.request(method, address, headers=cookie).status_code == 403


def test_the_preview_is_the_page_as_it_will_be(ann):
    page = ann.post("/contribute", data=fields(action="preview", body="> [!NOTE]\n> Look\n\n`x`")).text
    live = ann.post("/contribute/preview", data=fields(body="> [!NOTE]\n> Look\n\n`x`")).text
    assert live.strip() in page
    assert "<code>x</code>" in live


def test_the_preview_is_safe(ann):
    html = ann.post(
        "/contribute/preview", data=fields(body="<script>alert(1)</script><img src=x onerror=alert(1)>")
    ).text
    assert "<script" not in html
    assert "onerror" not in html


def test_what_cannot_be_used_comes_back_with_everything_that_was_typed(ann):
    answer = ann.post("/contribute", data=fields(title=" ", card_url="ftp://x", message="kept too"))
    assert answer.status_code == 400
    assert "Write a question." in answer.text
    assert "starting with https://" in answer.text
    for kept in ("salt slows the yeast", "cooking, 面食", "ftp://x", "kept too", "All of it"):
        assert kept in answer.text


def test_control_characters_are_refused_with_a_clear_message(ann):
    answer = ann.post("/contribute", data=fields(body="Text with \x00 in it"))
    assert answer.status_code == 400
    assert "U+0000" in answer.text
    assert "Text with" in answer.text


def test_a_draft_survives_and_can_be_thrown_away(ann, library, people, signed_in):
    assert ann.post("/drafts/new", data=fields(title="Half a quest")).status_code == 204
    page = signed_in(Role.CONTRIBUTOR).get("/contribute").text
    assert "This is your draft from" in page
    assert "Half a quest" in page
    assert "https://example.org/pasta" in page
    ann.post("/drafts/new/removal", data={"back": "/contribute"})
    assert "Half a quest" not in ann.get("/contribute").text
    assert "Half a quest" not in signed_in(Role.REVIEWER).get("/contribute").text


def test_saving_ends_the_draft(ann, library, people):
    ann.post("/drafts/new", data=fields())
    ann.post("/contribute", data=fields())
    with library.database.read() as session:
        assert drafts.get(session, people[Role.CONTRIBUTOR].id, "new") is None


def opened(client, path="/contribute"):
    """What the editor sends from a window that was just opened."""
    page = client.get(path).text
    return {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("window", "draft", "draft_at")}


def drafts_of(library, people, target="new"):
    with library.database.read() as session:
        return [draft.title for draft in drafts.of_target(session, people[Role.CONTRIBUTOR].id, target)]


def test_two_windows_with_new_answers_keep_both(ann, library, people):
    one, two = opened(ann), opened(ann)
    for word in ("first", "second", "third"):
        ann.post("/drafts/new", data=fields(title=f"One, {word}", **one))
        ann.post("/drafts/new", data=fields(title=f"Two, {word}", **two))
    assert drafts_of(library, people) == ["Two, third", "One, third"]
    page = ann.get("/contribute").text
    assert 'value="Two, third"' in page
    assert "One, third" in page  # a link
    ann.post("/contribute", data=fields(title="Two, sent", **two))
    assert drafts_of(library, people) == ["One, third"]
    assert 'value="One, third"' in ann.get("/contribute").text


def test_the_same_draft_in_two_windows_loses_neither(ann, library, people):
    one = opened(ann)
    ann.post("/drafts/new", data=fields(title="Begun", **one))
    two = opened(ann)
    assert two["draft_at"]
    ann.post("/drafts/new", data=fields(title="Begun, and gone on with", **two))
    ann.post("/drafts/new", data=fields(title="Begun, and taken elsewhere", **one))
    ann.post("/drafts/new", data=fields(title="Begun, and gone on with further", **two))
    assert drafts_of(library, people) == ["Begun, and gone on with further", "Begun, and taken elsewhere"]


def test_a_draft_goes_on_after_the_window_was_closed(ann, library, people):
    ann.post("/drafts/new", data=fields(title="Begun", **opened(ann)))
    ann.post("/drafts/new", data=fields(title="Gone on with", **opened(ann)))
    assert drafts_of(library, people) == ["Gone on with"]


def test_another_answer_is_begun_beside_the_draft(ann, library, people):
    ann.post("/drafts/new", data=fields(title="The first", **opened(ann)))
    page = ann.get("/contribute?draft=none").text
    assert 'value="The first"' not in page
    assert "/contribute?draft=new" in page
    ann.post("/drafts/new", data=fields(title="The second", **opened(ann, "/contribute?draft=none")))
    assert drafts_of(library, people) == ["The second", "The first"]


def test_drafts_of_a_change_in_two_windows(ann, library, people):
    path = "/questions/bread/edit"
    one, two = opened(ann, path), opened(ann, path)
    target = re.search(r'data-draft="/drafts/([^"]+)"', ann.get(path).text)[1]
    ann.post(f"/drafts/{target}", data=fields(title="Bread one", **one))
    ann.post(f"/drafts/{target}", data=fields(title="Bread two", **two))
    assert drafts_of(library, people, target) == ["Bread two", "Bread one"]
    assert drafts_of(library, people, target + "0") == []


def test_without_scripts_each_window_keeps_its_draft_too(ann, library, people):
    one, two = opened(ann), opened(ann)
    first = ann.post("/contribute", data=fields(title="One", **one, action="draft"))
    ann.post("/contribute", data=fields(title="Two", **two, action="draft"))
    again = {name: re.search(rf'name="{name}" value="([^"]*)"', first.text)[1] for name in one}
    ann.post("/contribute", data=fields(title="Add a resource", **again, action="draft"))
    assert drafts_of(library, people) == ["Add a resource", "Two"]


@pytest.mark.parametrize("name", ["new~", "new~../x", "article-1~a~b", "other"])
def test_drafts_have_no_other_names(ann, library, people, name):
    assert ann.post(f"/drafts/{name}/removal").status_code == 404
    ann.post("/drafts/new", data=fields(title="Kept", window="x y", draft=name))
    assert drafts_of(library, people) == ["Kept"]


def test_a_proposal_is_made_once_however_often_the_button_is_pressed(ann, rob):
    addresses = {ann.post("/contribute", data=fields()).headers["Location"] for _ in range(3)}
    assert len(addresses) == 1
    rob.post(f"{addresses.pop()}/rejection", data={"reason": "Too short"})
    assert ann.post("/contribute", data=fields()).status_code == 303  # once it was decided, the text may come again


def test_a_title_from_elsewhere_begins_a_new_answer(ann):
    ann.post("/drafts/new", data=fields(title="Begun before", **opened(ann)))
    page = ann.get("/contribute?title=What+is+wanted").text
    assert 'value="What is wanted"' in page
    assert "Begun before" in page  # a link


def test_a_draft_of_a_proposal_that_was_changed_meanwhile_is_no_dead_end(ann, client):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    target = f"proposal-{path.rsplit('/', 1)[1]}"
    one, two = (edit_fields(ann.get(f"{path}/edit").text) for _ in range(2))
    ann.post(f"/drafts/{target}", data=two | {"body": "From the second window"})
    assert ann.post(f"{path}/edit", data=one | {"body": "From the first window"}).status_code == 303
    refused = ann.post(f"{path}/edit", data=two | {"body": "From the second window"})
    assert refused.status_code == 400
    assert "has changed since you opened it" in refused.text
    assert "From the second window" in refused.text
    again = ann.get(f"{path}/edit")
    assert "has changed since you opened it" in again.text
    assert "From the second window" in again.text
    assert ann.post(f"{path}/edit", data=edit_fields(again.text)).status_code == 303
    assert "From the second window" in ann.get(path).text


def test_a_draft_of_what_was_decided_can_still_be_read(ann, rob):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    target = f"proposal-{path.rsplit('/', 1)[1]}"
    ann.post(f"/drafts/{target}", data=edit_fields(ann.get(f"{path}/edit").text) | {"body": "Nearly done"})
    rob.post(f"{path}/rejection", data={"reason": "Not now"})
    assert f"/drafts/{target}" in ann.get("/account/contributions").text
    page = ann.get(f"/drafts/{target}").text
    assert "Nearly done" in page
    assert "has been decided or deleted" in page
    assert rob.get(f"/drafts/{target}").status_code == 404  # it is nobody else's
    ann.post(f"/drafts/{target}/removal", data={"back": "/account/contributions"})
    assert ann.get(f"/drafts/{target}").status_code == 404


WAYS_TO_A_DRAFT = ["/contribute", "/questions/bread/edit", "proposal", "/drafts/new"]


def keep_draft(ann, way, **changes):
    if way == "proposal":
        way = ann.post("/contribute", data=fields()).headers["Location"] + "/edit"
    headers = {"Accept": "application/json"} if way == "/drafts/new" else {}  # a script's
    return ann.post(way, data=fields(action="draft", **changes), headers=headers)


def check_refused(answer, way, reason, typed):
    assert answer.status_code == 400
    if way == "/drafts/new":
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert reason in answer.json()["detail"]
    else:
        assert reason in answer.text
        assert typed in answer.text


@pytest.mark.parametrize("way", WAYS_TO_A_DRAFT)
def test_one_draft_too_many_is_refused_and_stays_on_the_page(ann, monkeypatch, way):
    monkeypatch.setattr(drafting, "MAX_DRAFTS", 2)
    for name in ("new", "new~other"):
        assert ann.post("/drafts/new", data=fields(draft=name, window="other")).status_code == 204
    check_refused(keep_draft(ann, way, body="Just begun", window="third"), way, "You have 2 drafts", "Just begun")
    known = fields(title="Gone on with", draft="new", window="other")
    assert ann.post("/drafts/new", data=known).status_code == 204  # what is there already goes on
    ann.post("/drafts/new/removal")
    assert keep_draft(ann, way, body="Just begun", window="third").status_code in (200, 204)


@pytest.mark.parametrize("way", WAYS_TO_A_DRAFT)
def test_a_draft_is_no_longer_than_an_answer_may_be(ann, way):
    longest = "盐" * 1_000_000
    assert keep_draft(ann, way, body=longest).status_code in (200, 204)
    check_refused(keep_draft(ann, way, body=longest + "。"), way, "the limit is 1,000,000", longest + "。")


def test_a_conflict_is_shown_although_no_draft_can_be_kept(rob, signed_in, monkeypatch):
    monkeypatch.setattr(drafting, "MAX_DRAFTS", 0)
    answer = clash(rob, ada := signed_in(Role.ADMIN))
    assert answer.status_code == 409
    editor = ada.post("/questions/bread/conflict", data=conflict_fields(answer.text, "ours"))
    assert "You have 0 drafts" in editor.text
    assert ada.post("/questions/bread/edit", data=edit_fields(editor.text)).status_code == 303


def test_what_comes_of_a_conflict_counts_as_a_preview(rob, signed_in, client, monkeypatch):
    answer = clash(rob, ada := signed_in(Role.ADMIN))
    state = client.app.state.omniracle
    monkeypatch.setattr(state, "limits", RateLimits(state.database, b"another", {PREVIEW: 1}))
    ada.post("/contribute/preview", data=fields())
    refused = ada.post("/questions/bread/conflict", data=conflict_fields(answer.text, "ours"))
    assert refused.status_code == 429
    assert "one per cent" in refused.text


@pytest.mark.parametrize(
    ("path", "expected"), [("/contribute", ["new"]), ("/contribute?draft=none", []), ("/account/contributions", [])]
)
def test_lists_of_drafts_leave_the_texts_in_the_database(ann, path, expected):
    for name in ("new~older", "new"):
        ann.post("/drafts/new", data=fields(title=f'"{name}" & 盐', draft=name, window="one"))
    loaded = []

    def note(draft, _):
        loaded.append(draft.target)

    event.listen(Draft, "load", note)
    try:
        page = ann.get(path).text
    finally:
        event.remove(Draft, "load", note)
    assert loaded == expected
    assert "&#34;new~older&#34; &amp; 盐" in page


def test_a_draft_of_signs_that_no_answer_may_have_is_listed(ann):
    for number, sign in enumerate(("\0", "\x1b", "\u2028", "😀")):
        kept = fields(title=f"{sign * 290} Sign {number}", body=sign, draft=f"new~w{number}")
        assert ann.post("/drafts/new", data=kept | {"window": f"w{number}"}).status_code == 204
    for path in ("/contribute", "/account/contributions"):
        page = ann.get(path).text
        assert [number for number in range(4) if f"Sign {number}" in page] == [0, 1, 2, 3]


def test_a_draft_leads_to_its_editor(ann):
    ann.post("/drafts/new", data=fields(title="Begun", **opened(ann)))
    assert "/contribute?draft=new" in ann.get("/drafts/new").text


def test_who_leaves_the_page_of_a_conflict_finds_the_text_again(rob, signed_in):
    mine = edit_fields(rob.get("/questions/bread/edit").text)
    ada = signed_in(Role.ADMIN)
    theirs = edit_fields(ada.get("/questions/bread/edit").text)
    ada.post("/questions/bread/edit", data=theirs | {"body": "Salt is a matter of taste."})
    assert rob.post("/questions/bread/edit", data=mine | {"body": "Salt is chemistry."}).status_code == 409
    assert "Salt is chemistry." in rob.get("/questions/bread/edit").text


def test_a_million_chinese_characters_are_taken_and_more_are_kept_on_the_page(rob):
    longest = "盐" * 999_000
    assert rob.post("/contribute", data=fields(body=longest)).status_code == 303
    refused = rob.post("/contribute", data=fields(title="Another", body=longest + longest[:100_000]))
    assert refused.status_code == 400
    assert "the limit is 1,000,000" in refused.text
    assert longest[:1000] in refused.text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_form_that_cannot_be_read_claims_nothing(ann, language):
    more = {f"f{n}": "" for n in range(2000)}
    answer = ann.post("/contribute", data=fields(**more), headers={"Accept-Language": language})
    assert answer.status_code == 400
    assert "Nothing is lost" not in answer.text
    assert ("分次提交" if language == "zh-CN" else "send less at once") in answer.text


def test_what_is_too_large_is_refused_before_it_is_read(client):
    def endless():
        for _ in range(100):
            yield b" " * 2**20

    said = client.post("/contribute", content=b"", headers={"Content-Length": str(10**9)})
    assert said.status_code == 413
    assert "the limit is 16 MB" in said.text
    unsaid = client.post("/api/v1/questions", content=endless(), headers={"Content-Type": "application/json"})
    assert unsaid.status_code == 413
    assert unsaid.headers["Content-Type"] == "application/problem+json"


def test_changes_of_different_places_merge_by_themselves(client, rob, signed_in):
    ada = signed_in(Role.ADMIN)
    pages = [each.get("/questions/workers-zh/edit").text for each in (rob, ada)]
    bodies = [edit_fields(page)["body"] for page in pages]
    first = edit_fields(pages[0], body=bodies[0].replace("策略不是轮询。", "策略绝不是轮询。"))
    second = edit_fields(pages[1], body=bodies[1].replace("一条连接始终属于", "每条连接始终属于"))
    assert rob.post("/questions/workers-zh/edit", data=first).status_code == 303
    assert ada.post("/questions/workers-zh/edit", data=second).status_code == 303
    html = client.get("/questions/workers-zh").text
    assert "策略绝不是轮询。" in html
    assert "每条连接始终属于" in html


def clash(rob, ada):
    """Both change the same paragraph; Ada is later."""
    pages = [each.get("/questions/bread/edit").text for each in (rob, ada)]
    body = edit_fields(pages[0])["body"]
    rob.post("/questions/bread/edit", data=edit_fields(pages[0], body=body.replace("two per cent", "three per cent")))
    return ada.post(
        "/questions/bread/edit", data=edit_fields(pages[1], body=body.replace("two per cent", "one per cent"))
    )


def conflict_fields(page, choice):
    source = re.search(r'name="source"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)[1]
    hidden = dict(re.findall(r'type="hidden" name="(base|newest|message)" value="([^"]*)"', page))
    return {**hidden, "source": source, "choice-0": choice}


@pytest.mark.parametrize(
    ("choice", "expected"), [("ours", ["one per"]), ("theirs", ["three per"]), ("both", ["one per", "three per"])]
)
def test_the_same_place_changed_twice_is_the_persons_choice(client, rob, signed_in, choice, expected):
    ada = signed_in(Role.ADMIN)
    answer = clash(rob, ada)
    assert answer.status_code == 409
    assert "<ins>three</ins>" in answer.text
    assert "<ins>one</ins>" in answer.text
    assert "one per cent" in answer.text  # the author's own text, whole
    assert "three per cent" in client.get("/questions/bread").text
    editor = ada.post("/questions/bread/conflict", data=conflict_fields(answer.text, choice))
    assert editor.status_code == 200
    done = ada.post("/questions/bread/edit", data=edit_fields(editor.text))
    assert done.status_code == 303
    html = client.get("/questions/bread").text
    for part in expected:
        assert part in html


def test_a_proposal_is_merged_with_what_was_published_meanwhile(client, ann, rob):
    page = ann.get("/questions/workers-zh/edit").text
    body = edit_fields(page)["body"]
    path = ann.post(
        "/questions/workers-zh/edit", data=edit_fields(page, body=body.replace("父进程绑定端口", "父进程先绑定端口"))
    ).headers["Location"]
    rob.post("/questions/workers-zh/edit", data=edit_fields(page, body=body.replace("一条连接", "每条连接")))
    assert "has changed since" in rob.get(path).text
    assert approve(rob, path).status_code == 303
    html = client.get("/questions/workers-zh").text
    assert "父进程先绑定端口" in html
    assert "每条连接" in html


def test_a_proposal_that_clashes_is_resolved_by_the_reviewer_and_stays_its_authors(client, ann, rob):
    page = ann.get("/questions/bread/edit").text
    body = edit_fields(page)["body"]
    path = ann.post(
        "/questions/bread/edit", data=edit_fields(page, body=body.replace("two per", "one per"), message="less")
    ).headers["Location"]
    rob.post("/questions/bread/edit", data=edit_fields(page, body=body.replace("two per", "three per")))
    answer = approve(rob, path)
    assert answer.status_code == 409
    assert "Keep the proposal" in answer.text  # the reviewer has written neither of them
    assert "Keep mine" not in answer.text
    number = path.rpartition("/")[2]
    editor = rob.post("/questions/bread/conflict", data=conflict_fields(answer.text, "ours") | {"proposal": number})
    done = rob.post(f"{path}/edit", data=edit_fields(editor.text, message="less"))
    assert done.status_code == 303, done.text
    assert "one per cent" in client.get("/questions/bread").text
    assert "Ann: less" in client.get("/questions/bread/history").text
    assert "published" in ann.get(path).text


def test_editing_keeps_what_the_form_does_not_show(library, rob):
    library.write("x/kept.md", "---\n# by hand\ntitle: Kept\nlang: en\nweight: 012\n---\n\nText here.\n")
    library.sync()
    page = rob.get("/questions/kept/edit").text
    rob.post("/questions/kept/edit", data=edit_fields(page, body="Another text."))
    source = rob.get("/questions/kept.md").text
    assert source == "---\n# by hand\ntitle: Kept\nlang: en\nweight: 012\n---\n\nAnother text.\n"


def test_every_revision_names_its_author(library, rob, people):
    page = rob.get("/questions/bread/edit").text
    rob.post("/questions/bread/edit", data=edit_fields(page, body="Shorter, for once.", message="cut"))
    with library.database.read() as session:
        article = articles.by_slug(session, "bread")
        newest = revisions.get(session, article.id, article.revision)
    assert (newest.author, newest.author_id, newest.message, newest.origin) == (
        "Rob", people[Role.REVIEWER].id, "cut", "web",
    )  # fmt: skip


def test_an_expired_session_loses_nothing(client):
    answer = client.post("/contribute", data=fields())
    assert answer.status_code == 401
    assert "salt slows the yeast" in answer.text
    assert "Sign in on a new tab" in answer.text
    assert 'name="title" value="Why does pasta need salt?"' in answer.text


def test_contributing_too_often_is_slowed_down_and_loses_nothing(ann, library):
    answers = [ann.post("/contribute", data=fields(title=f"Question {n}")) for n in range(CONTRIBUTION.most + 1)]
    assert answers[-2].status_code == 303
    assert answers[-1].status_code == 429
    assert "salt slows the yeast" in answers[-1].text


def test_changing_a_proposal_counts_too(ann, client):
    place = ann.post("/contribute", data=fields()).headers["Location"]
    form = edit_fields(ann.get(f"{place}/edit").text, body="Much work went into this.")
    client.app.state.omniracle.limits._own[CONTRIBUTION] = 1
    refused = ann.post(f"{place}/edit", data=form)
    assert refused.status_code == 429
    assert "Much work went into this." in refused.text


def test_reviewing_goes_on_with_the_next_one(ann, rob, library):
    first, second = (ann.post("/contribute", data=fields(title=f"Question {n}?")).headers["Location"] for n in (1, 2))
    assert approve(rob, first).headers["Location"] == second
    with library.database.read() as session:
        assert proposals.pending_count(session) == 1


def test_another_site_gets_no_form_to_send_again(rob):
    answer = rob.post("/questions/bread/deletion", data={"reason": "x"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "deletion" not in answer.text
    assert 'name="reason"' not in answer.text


@pytest.mark.parametrize("changes", [{"base": "77"}, {}], ids=["unknown base", "deleted meanwhile"])
def test_a_change_of_what_is_not_there_any_more_is_kept_on_the_page(rob, changes):
    page = rob.get("/questions/bread/edit").text
    if not changes:
        rob.post("/questions/bread/deletion", data={"reason": "wrong"})
    answer = rob.post("/questions/bread/edit", data=edit_fields(page, body="Much work went into this.", **changes))
    assert answer.status_code in (404, 410)
    assert "Much work went into this." in answer.text


def test_a_deleted_answer_is_gone_everywhere_and_can_be_restored(client, rob, signed_in):
    assert rob.post("/questions/bread/deletion", data={"reason": " "}).status_code == 400
    assert rob.post("/questions/bread/deletion", data={"reason": "no longer true"}).status_code == 303
    for path in ("/questions/bread", "/questions/bread.md", "/questions/bread/history", "/questions/bread/revisions/1",
                 "/api/v1/questions/bread", "/questions/bread.json"):  # fmt: skip
        assert client.get(path).status_code == 410, path
    assert client.get("/api/v1/search?q=salt").json()["total"] == 0
    assert "bread" not in client.get("/questions").text
    assert client.get("/tags/cooking").status_code == 404
    ada = signed_in(Role.ADMIN)
    assert "/questions/bread/restoration" in ada.get("/questions/bread").text
    assert rob.post("/questions/bread/restoration").status_code == 403
    assert ada.post("/questions/bread/restoration").status_code == 303
    assert client.get("/questions/bread").status_code == 200
    assert client.get("/api/v1/search?q=salt").json()["total"] == 1


def test_going_back_is_a_new_revision(client, rob, ann):
    page = rob.get("/questions/bread/edit").text
    rob.post("/questions/bread/edit", data=edit_fields(page, body="Nonsense, for a moment."))
    difference = client.get("/questions/bread/compare?older=1&newer=2").text
    assert "<ins>Nonsense" in difference
    proposed = ann.post("/questions/bread/revisions/1/reversion", data={"message": "back"})
    assert proposed.headers["Location"].startswith("/proposals/")
    done = rob.post("/questions/bread/revisions/1/reversion", data={"message": "Restored revision 1"})
    assert done.status_code == 303
    assert "two per cent" in client.get("/questions/bread").text
    assert "Revised 2 times" in client.get("/questions/bread").text
    assert "Nonsense" in client.get("/questions/bread/revisions/2").text
    assert rob.post("/questions/bread/revisions/99/reversion", data={}).status_code == 404


def test_a_decided_proposal_cannot_be_edited(ann, rob):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    rob.post(f"{path}/rejection", data={"reason": "no"})
    assert rob.get(f"{path}/edit").headers["Location"] == path


def test_limits_tell_when_to_come_back(ann):
    for _ in range(CONTRIBUTION.most + 3):
        assert ann.post("/contribute", data=fields(title=" ")).status_code == 400  # what is not sent does not count
    answers = [ann.post("/contribute", data=fields(title=f"Question {n}")) for n in range(CONTRIBUTION.most + 1)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= CONTRIBUTION.period_s


def test_only_what_was_seen_is_published(ann, rob, client):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    page = rob.get(path).text
    editor = ann.get(f"{path}/edit").text
    ann.post(f"{path}/edit", data=edit_fields(editor, body="EVIL SPAM, put in a moment later."))
    answer = rob.post(f"{path}/approval", data=seen(page))
    assert answer.status_code == 400
    assert "has changed since you opened it" in answer.text
    assert client.get("/questions/why-does-pasta-need-salt").status_code == 404
    late = ann.post(f"{path}/edit", data=edit_fields(editor, body="From another window, not knowing of the first."))
    assert late.status_code == 400
    assert "not knowing of the first" in late.text


def test_keeping_a_draft_of_a_proposal_publishes_nothing(ann, rob, client):
    path = ann.post("/contribute", data=fields()).headers["Location"]
    rob.post(f"{path}/edit", data=edit_fields(rob.get(f"{path}/edit").text, body="Half done", action="draft"))
    assert client.get("/questions/why-does-pasta-need-salt").status_code == 404
    assert "Half done" in rob.get(f"{path}/edit").text


def test_a_long_chinese_answer_is_taken(rob, client):
    answer = rob.post("/contribute", data=fields(body="盐让酵母慢下来。" * 20_000))
    assert answer.status_code == 303


def test_too_many_resources_are_told_and_none_is_dropped(ann):
    data = fields()
    cards = [("card_section", "resources"), ("card_url", "https://x.example/"), ("card_title", "X"),
             ("card_description", ""), ("card_site", ""), ("card_archive", "")]  # fmt: skip
    pairs = [(name, value) for name, value in data.items() if not name.startswith("card_")] + cards * 201
    answer = ann.post("/contribute", content=urlencode(pairs), headers={"Content-Type": FORM})
    assert answer.status_code == 400
    assert "at most 200" in answer.text
    assert answer.text.count("https://x.example/") >= 201


def test_a_half_filled_resource_is_not_dropped_silently(ann):
    answer = ann.post("/contribute", data=fields(card_url="", card_title="", card_description="", card_site="Site"))
    assert answer.status_code == 400
    assert 'value="Site"' in answer.text


@pytest.mark.parametrize(
    "path", ["/proposals/1", "/account/tokens/1/revocation", "/questions/bread/revisions/1/reversion"]
)
def test_numbers_beyond_all_bounds_are_no_errors_of_ours(ann, path):
    huge = path.replace("1", "9" * 30, 1)
    assert ann.request("GET" if path == "/proposals/1" else "POST", huge).status_code in (403, 404, 422)


def test_an_origin_that_is_none_is_refused(ann):
    assert ann.post("/contribute", data=fields(), headers={"Origin": "http://["}).status_code == 403


def test_the_same_new_key_on_both_sides_is_a_conflict_and_no_dead_end(library, rob, signed_in):
    library.write("x/plain.md", "---\ntitle: Plain\nlang: en\n---\n\nText here.\n")
    library.sync()
    page = rob.get("/questions/plain/edit").text
    library.write("x/plain.md", "---\ntitle: Plain\ntags: [file]\nlang: en\n---\n\nText here.\n")
    library.sync()
    answer = rob.post("/questions/plain/edit", data=edit_fields(page, tags="web"))
    assert answer.status_code == 409
    editor = rob.post("/questions/plain/conflict", data=conflict_fields(answer.text, "ours"))
    assert rob.post("/questions/plain/edit", data=edit_fields(editor.text)).status_code == 303


def test_control_characters_are_no_part_of_titles(rob, client):
    rob.post("/contribute", data=fields(title="A\x00 B\x1b\ufffe?"))
    assert client.get("/api/v1/questions/a-b").json()["title"] == "A B ?"


def test_a_form_that_comes_back_says_so_first_and_leads_to_each_field(ann):
    answer = ann.post("/contribute", data=fields(title=" ", body=" ", card_url="nowhere"))
    assert answer.status_code == 400
    assert "<title>Error: Write an answer · " in answer.text
    summary = re.search(
        r'<div class="form-error" role="alert" tabindex="-1" autofocus>.*?</div>', answer.text, re.DOTALL
    )
    assert re.findall('href="#field-([^"]+)">([^<]+)<', summary[0]) == [
        ("title", "Write a question."),
        ("body", "Write an answer."),
        ("cards", "Enter each address in full, starting with https://, in up to 2000 characters."),
    ]
    for field in ("title", "body", "cards"):
        assert f'id="field-{field}"' in answer.text
    assert answer.text.count("autofocus") == answer.text.count('role="alert"') == 1
    assert "<title>Write an answer" in ann.get("/contribute").text


def test_the_editor_begins_with_a_title_that_a_link_brings(ann, client):
    def title(path, text):
        return re.search(
            r'id="field-title"[^>]* value="([^"]*)"', path.get("/contribute", params={"title": text}).text
        )[1]

    assert title(ann, 'Why "salt" & <b>\n?') == "Why &#34;salt&#34; &amp; &lt;b&gt; ?"
    assert title(ann, "x" * 5000) == "x" * 300
    assert ann.post("/drafts/new", data=fields(title="Half a quest")).status_code == 204
    assert title(ann, "Another one") == "Another one"
    signing_in = client.get("/contribute", params={"title": "a & b"}, follow_redirects=False).headers["Location"]
    assert signing_in == "/sign-in?next=%2Fcontribute%3Ftitle%3Da%2B%2526%2Bb"
