"""Scripts in everything that people may send: what comes back, at once or later, runs none of them."""

import json
from urllib.parse import quote

import pytest

from app.models import Role
from app.services.importing import import_tree
from app.storage import articles, copying, tags
from tests.hostile import dangers, payloads
from tests.web.test_contributing import fields

BREAKING_OUT = [
    '"><img src=x onerror=alert(1)>', "'><svg onload=alert(1)>", "</title><script>alert(1)</script>", "--><script>",
    "javascript:alert(1)", "</script><script>alert(1)</script>", "</textarea><script>alert(1)</script>",
    "\u2028</script>", "{{7*7}}{% include 'x' %}", "]]><script>alert(1)</script>", "`${alert(1)}`",
    '" onmouseover="alert(1)', "&lt;script&gt;", "en\r\nX-Injected: 1",
]  # fmt: skip
SAMPLE = [*BREAKING_OUT, *[each for each in payloads() if len(each) <= 70 and each.isprintable()][::300]]


def check(answer, about):
    assert answer.status_code < 500, about
    assert not any("\r" in value or "\n" in value for value in answer.headers.values()), about
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        assert dangers(answer.text) == [], about
        assert "{{7*7}}" in answer.text or "7*7" not in answer.text, about  # no template of ours


REFLECTED = [
    "/{}", "/questions/{}", "/tags/{}", "/search?q={}", "/search?q=salt&lang={}&tag={}",
    "/questions?tag={}&lang={}&page=1",
    "/questions?sort={}", "/questions?page={}", "/sign-in?next=/{}", "/sign-in?next={}", "/sign-up?next=/{}",
    "/contribute?title={}", "/contribute?draft={}", "/questions/bread?said={}", "/questions/bread/revisions/{}",
    "/questions/bread/compare?older={}&newer=1", "/drafts/{}", "/images/{}", "/first-admin/{}", "/-/experiments/{}",
    "/sign-in/openid/callback?state={}&error={}", "/review?page={}",
]  # fmt: skip


@pytest.mark.parametrize("address", REFLECTED)
def test_what_stands_in_an_address_stays_text(client, signed_in, address):
    ann = signed_in(Role.ADMIN)
    for payload in SAMPLE:
        asked = address.replace("{}", quote(payload, safe=""))
        check(client.get(asked), asked)
        check(ann.get(address.replace("{}", quote(payload, safe="/<>\"'() "))), asked)


@pytest.mark.parametrize(
    ("method", "address", "data"),
    [
        *(
            ("GET", f"/questions/bread%00{rest}", None)
            for rest in ("", ".md", ".json", "/edit", "/history.atom", "/social.png")
        ),
        ("GET", "/api/v1/questions/%00", None),
        ("GET", "/tags/a%00/feed.atom", None),
        ("GET", "/api/v1/tags?lang=a%00", None),
        ("POST", "/questions/bread/feedback", {"kind": "wrong", "reason": "a\0b"}),
        ("POST", "/questions/bread%00/feedback", {"kind": "helped"}),
        ("POST", "/questions/bread/deletion", {"reason": "a\0b"}),
        ("POST", "/sign-in", {"email": "a\0@example.org", "password": "b"}),
    ],
)
def test_a_zero_byte_is_no_mistake_of_ours(client, signed_in, method, address, data):
    who = client if address == "/sign-in" else signed_in(Role.ADMIN)
    answer = who.request(method, address, data=data)
    assert answer.status_code == 404 if "%00" in address and "?" not in address else answer.status_code < 500


def test_no_zero_byte_is_kept_with_which_a_site_could_not_move_to_postgresql(client, signed_in, library):
    ann, rob = signed_in(Role.CONTRIBUTOR), signed_in(Role.REVIEWER)
    path = ann.post("/contribute", data=fields(title="Why a\0so?", message="a\0b")).headers["Location"]
    for who, address, data in (
        (client, "/questions/bread/feedback", {"kind": "wrong", "reason": "a\0b\nc"}),
        (client, "/wanted", {"q": "quokka\0zebra"}),
        (rob, f"{path}/rejection", {"reason": "a\0b\nc"}),
        (rob, "/questions/bread/deletion", {"reason": "a\0b"}),
        (rob, "/account/name", {"name": "a\0b"}),
        (rob, "/account/tokens", {"token_name": "a\0b", "scope": "read"}),
    ):
        assert who.post(address, data=data).status_code < 400, address
    with library.database.read() as session:
        kept = [tuple(row) for table in copying.tables() for rows in copying.rows(session, table) for row in rows]
    assert "'ab\\nc'" in repr(kept)
    assert r"\x00" not in repr(kept)


def test_what_stands_in_a_form_comes_back_as_text(client, signed_in):
    admin = signed_in(Role.ADMIN)
    for payload in SAMPLE:
        every = dict.fromkeys(fields(), payload) | {"base": "0"}
        for action in ("preview", "save", "draft"):
            check(admin.post("/contribute", data=every | {"action": action, "body": ""}), (action, payload))
        check(admin.post("/contribute", data=every | {"action": "preview"}), payload)
        check(admin.post("/contribute/preview", data=every), payload)
        check(admin.post("/questions/bread/edit", data=every | {"base": payload, "action": "preview"}), payload)
        check(admin.post("/account/name", data={"name": payload * 90}), payload)
        check(admin.post("/account/tokens", data={"token_name": payload, "scope": "read"}), payload)
        check(admin.post("/questions/bread/deletion", data={"reason": payload * 100}), payload)
        check(admin.post("/-/preferences", data={"lang": payload, "theme": payload}), payload)
        check(admin.post("/contribute/link", data={"url": payload}), payload)
        check(client.post("/sign-in", data={"email": payload, "password": payload, "next": payload}), payload)
        check(client.post("/sign-up", data={"email": payload, "name": payload, "password": payload}), payload)
        check(client.post("/sign-in/code", data={"half": payload, "code": payload}), payload)
        check(admin.post("/account/second-factor", data={"secret": payload, "code": payload}), payload)
        check(client.post("/-/experiments", data={"choice": payload, "next": payload}), payload)
        for name in ("User-Agent", "Referer", "Accept-Language", "Cookie", "Origin", "X-Forwarded-For"):
            if payload.isascii():
                check(client.get("/questions/nothing", headers={name: f"{payload}; theme={payload}"}), payload)
                check(admin.get("/account", headers={name: payload} if name != "Cookie" else {}), payload)


def document(payload):
    said = json.dumps(payload)  # YAML reads what JSON writes
    return (
        f"---\ntitle: {said}\nlang: en\ntags: [cooking, {json.dumps(payload.translate(str.maketrans('', '', '/,')))}]\n"
        f"aliases: [{said}]\nrelated: [{said}]\nunknown: {said}\n"
        f"resources:\n  - url: https://e.example/?{quote(payload)}\n    title: {said}\n    description: {said}\n"
        f"    site: {said}\n---\n\n# {payload}\n\n{payload}\n\n```{payload}\n{payload}\n```\n"
    )


def test_what_is_kept_stays_text_on_every_page(client, signed_in, library, tmp_path):
    ann, rob = signed_in(Role.CONTRIBUTOR), signed_in(Role.REVIEWER)
    tree = tmp_path / "foreign"
    tree.mkdir()
    for number, payload in enumerate(SAMPLE):
        library.write(f"hostile/x{number}.md", document(payload))
        (tree / f"y{number}.md").write_text(f"# {payload}\n\n{payload}\n\n<div {payload}>\n", encoding="utf-8")
    library.sync()
    import_tree(library.database, library.index, tree)
    proposed = []
    for payload in SAMPLE:
        ann.post("/account/name", data={"name": payload[:80]})
        ann.post("/drafts/new", data=fields(title=payload, body=payload, draft_window=payload))
        client.post("/questions/bread/feedback", data={"kind": "wrong", "reason": payload})
        client.post("/wanted", data={"q": payload})
        sent = ann.post("/contribute", data=fields(title=payload, body=payload, message=payload, card_title=payload))
        if sent.status_code == 303:
            proposed.append(sent.headers["Location"])
            rob.post(f"{proposed[-1]}/rejection", data={"reason": payload})
        rob.post(
            "/questions/bread/edit",
            data=fields(title="Why does bread need salt?", message=payload, body=payload, base="1"),
        )
    assert len(proposed) > len(SAMPLE) / 2
    with library.database.read() as session:
        slugs = [found.slug for found in articles.addresses(session, offset=0, limit=500)]
        topics = [tag.url for tag in tags.counted(session)]
    assert len(slugs) > len(SAMPLE)
    asked = [f"/questions/{slug}{part}" for slug in slugs for part in ("", "/history", "/edit", "/compare")]
    asked += [*topics, *proposed, "/", "/questions", "/tags", "/wanted", "/search?q=alert", "/search?q=script",
              "/review", "/review/feedback", "/account/contributions", "/drafts/new", "/contribute"]  # fmt: skip
    for path in asked:
        check(rob.get(path), path)
        check(ann.get(path), path)
    for path in ("/account", "/admin/audit", "/admin/accounts", "/-/status"):
        check(signed_in(Role.ADMIN).get(path), path)
