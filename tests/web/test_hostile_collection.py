"""The whole collection of payloads in everything that people write and that is no Markdown.

Each page is made with harmless words, and with the payloads in the same places, many in one page. All have to be there
as text, and no kind of element may be there that is not there with the words.
"""

from collections.abc import Callable, Sequence
from itertools import count, cycle
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from sqlalchemy import insert
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app.content.document import MAX_TAG, DocumentError, usable_url
from app.content.foreign import read_foreign
from app.content.rendering import render
from app.models import (
    Account,
    ApiToken,
    Article,
    ArticleResource,
    ArticleTag,
    AuditEntry,
    Draft,
    Feedback,
    LinkedIdentity,
    Proposal,
    Resource,
    Revision,
    Role,
    Section,
    Tag,
    Wanted,
)
from app.models.columns import now
from app.search.query import MAX_LENGTH
from app.search.snippets import Marker
from app.storage import articles
from app.storage.tags import TagCount
from app.web.application import create_app
from app.web.editor import MAX_CARDS
from app.web.parameters import local_path
from app.web.routes import admin, feedback, history, questions, review, tags, wanted
from tests.hostile import dangers, look, payloads
from tests.web.providers import CLIENT_ID, CLIENT_SECRET, cheating_provider
from tests.web.test_contributing import fields
from tests.web.test_hostile_input import REFLECTED

COLLECTION = [each for each in payloads() if "\0" not in each and each.strip()]  # others are refused before
HARMLESS = ["一些文字，没有危险", "tag:x a.b/c?d=e#f", "http://e.example/", *[f"Word {n}" for n in range(200)]]
ROWS = count(1000)

SHORTEST = 80  # that all fields hold which are looked at

Row = dict[str, Any]


@pytest.fixture(autouse=True)
def _long_pages(monkeypatch):
    for module in (admin, feedback, questions, review, wanted):
        monkeypatch.setattr(module, "PAGE_SIZE", 10_000)
    monkeypatch.setattr(history, "HISTORY_SIZE", 10_000)


def revisions(texts: Sequence[str], article: int, _: int) -> tuple[type[SQLModel], list[Row]]:
    common = {"article_id": article, "source": "", "origin": "web", "created_at": now()}
    rows = [{"title": text, "author": text[:200], "message": text, "number": next(ROWS), **common} for text in texts]
    return Revision, rows


def proposals(texts, article, account):
    common = {"article_id": article, "base_revision": 1, "source": "", "lang": "en", "author_id": account}
    common |= {"state": "pending", "created_at": now(), "reason": "", "reviewer": ""}
    return Proposal, [{"title": text, "message": text, "author": text[:200], **common} for text in texts]


def rejections(texts, article, account):
    table, rows = proposals(texts, article, account)
    return table, [row | {"state": "rejected", "reason": row["title"], "reviewer": row["author"]} for row in rows]


def reports(texts, article, _):
    common = {"article_id": article, "revision": 1, "kind": "wrong", "created_at": now()}
    return Feedback, [{"reader": str(next(ROWS)), "reason": text, **common} for text in texts]


def wishes(texts, _article, _account):
    common = {"lang": "en", "searches": 1, "asks": 1, "first_at": now(), "last_at": now()}
    return Wanted, [{"key": str(next(ROWS)), "query": text[:200], **common} for text in texts]


def people(texts, _article, _account):
    common = {"role": "reader", "created_at": now()}
    return Account, [{"email": f"{text[:220]}@{next(ROWS)}.x", "name": text[:80], **common} for text in texts]


def tokens(texts, _, account):
    common = {"account_id": account, "scope": "read", "created_at": now()}
    return ApiToken, [{"digest": str(next(ROWS)), "name": text[:80], **common} for text in texts]


def logins(texts, _, account):
    common = {"account_id": account, "created_at": now()}
    rows = [{"issuer": text, "subject": str(next(ROWS)), "email": text[:254], **common} for text in texts]
    return LinkedIdentity, rows


def drafts(texts, _, account):
    common = {"account_id": account, "window": "", "updated_at": now()}
    return Draft, [{"target": f"new~{next(ROWS)}", "fields": [("title", text)], **common} for text in texts]


def entries(texts, _, account):
    common = {"at": now(), "account_id": account}
    rows = [{"actor": text[:254], "action": text[:40], "subject": text, "detail": text, **common} for text in texts]
    return AuditEntry, rows


def answers(texts, *_):
    common = {"lang": "en", "body": "", "digest": "", "revision": 1, "created_at": now(), "updated_at": now()}
    names = [{"slug": f"x{n}", "path": f"x{n}.md"} for n, _ in zip(ROWS, texts, strict=False)]
    return Article, [
        {"title": text, "excerpt": text, **name, **common} for text, name in zip(texts, names, strict=True)
    ]


PLACES: dict[str, Callable[..., tuple[type[SQLModel], list[Row]]]] = {
    "/questions/bread/history": revisions, "/review": proposals, "/account/contributions": rejections,
    "/review/feedback": reports, "/wanted": wishes, "/admin/accounts": people, "/account": tokens,
    "/account?": logins, "/account/contributions?": drafts, "/admin/audit": entries, "/questions": answers,
}  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
def test_what_is_listed_is_text(library, signed_in, people, path):
    admin = signed_in(Role.ADMIN)

    def page(texts):
        with library.database.write() as session:
            table, rows = PLACES[path](texts, articles.find(session, "bread").id, people[Role.ADMIN].id)
            session.connection().execute(insert(table), rows)
        answer = admin.get(path)
        assert answer.status_code == 200
        return look(answer.text)

    harmless = page(HARMLESS)
    check(page(COLLECTION), harmless, [text for text in COLLECTION if len(text) <= SHORTEST])


def check(hostile, harmless, texts):
    assert hostile.dangers == []
    assert hostile.kinds - harmless.kinds == set()
    assert hostile.missing(texts) == []


def test_what_a_question_has_is_text(library, signed_in, monkeypatch):
    """Its title is of all payloads, one behind the other; of its cards and topics, each has one."""
    rob, find, paths = signed_in(Role.REVIEWER), articles.find, ("/questions/bread", "/tags")

    def pages(texts):
        with library.database.write() as session:
            bread = find(session, "bread").id
            for table, rows in belongings(texts, bread).items():
                session.connection().execute(insert(table), rows)

        def found(session, slug):
            article = find(session, slug)
            session.expunge(article)  # else its title would be written, and is too long for that
            article.title = article.excerpt = " ".join(texts)
            return article

        monkeypatch.setattr(questions.articles, "find", found)
        return [look(rob.get(f"{path}?{len(texts)}").text) for path in paths]  # none that is kept

    short = [text for text in COLLECTION if len(text) <= MAX_TAG]
    for harmless, hostile, texts in zip(pages(HARMLESS), pages(COLLECTION), (COLLECTION, short), strict=True):
        check(hostile, harmless, texts)


def test_the_name_of_a_topic_is_text(client, monkeypatch):
    monkeypatch.setattr(tags.tags, "find", lambda _, name: TagCount(name, 1))  # as if there were a topic of each name
    harmless = look(client.get("/tags/words").text)
    for name in joined(3_000):
        # No topic has a slash; the client takes what comes after a percent sign apart twice.
        plain = " ".join(name.replace("/", " ").replace("%", " ").split())
        check(look(client.get(f"/tags/{quote(plain)}").text), harmless, [plain])


def belongings(texts, article):
    urls = [text for text in texts if usable_url(text)] + [f"https://e.example/{quote(text)}" for text in texts]
    pages = [{"id": next(ROWS), "url": url, "failures": 0} for url in dict.fromkeys(urls)]
    cards = [
        {"article_id": article, "section": section, "position": next(ROWS), "resource_id": page["id"], "title": text,
         "description": text, "site": text[:200], "archive": page["url"]}
        for section, text, page in zip(cycle(Section), texts, pages, strict=False)
    ]  # fmt: skip
    topics = [{"id": next(ROWS), "name": name} for name in dict.fromkeys(text[:MAX_TAG] for text in texts)]
    places = [{"article_id": article, "tag_id": topic["id"], "position": next(ROWS)} for topic in topics]
    return {Resource: pages, ArticleResource: cards, Tag: topics, ArticleTag: places}


def test_what_is_given_back_in_the_editor_is_text(signed_in):
    ann = signed_in(Role.CONTRIBUTOR)

    def page(texts):
        cards = {name: texts for name in fields() if name.startswith("card_")}
        given = dict.fromkeys(fields(), " ".join(texts)) | cards
        return look(ann.post("/contribute", data=given | {"action": "save", "base": "0"}).text)

    harmless = page(HARMLESS)
    for first in range(0, len(COLLECTION), MAX_CARDS):
        texts = COLLECTION[first : first + MAX_CARDS]
        check(page(texts), harmless, texts)


def joined(most):
    """The collection in a few texts of at most so many characters."""
    parts = [""]
    for text in COLLECTION:
        if len(parts[-1]) + len(text) >= most:
            parts.append("")
        parts[-1] += f"{text} "
    return parts


def test_what_is_searched_for_is_text(client):
    harmless = look("".join(client.get("/search", params={"q": query}).text for query in ("salt", "Words, 一些文字")))
    for query in joined(MAX_LENGTH):
        seen = "".join(sign if sign.isprintable() else " " for sign in query)
        check(look(client.get("/search", params={"q": query}).text), harmless, [seen])


@pytest.mark.parametrize("address", REFLECTED)
def test_what_stands_in_an_address_stays_text(client, address):
    for whole in joined(20_000 // address.count("{}")):  # three times as long when it is sent
        answer = client.get(address.replace("{}", quote(whole, safe="")))
        assert answer.status_code < 500
        assert dangers(answer.text) == []


def test_nobody_is_sent_elsewhere():
    for text in COLLECTION:
        for path in (local_path(text), local_path(f"/{text}")):
            assert urlsplit(urljoin("https://here.example/", path)).netloc == "here.example", text


def test_what_is_found_is_text():
    marker = Marker(["alert", "script", "on"], "alert script on")
    for text in COLLECTION:
        for found in (marker.title(text), marker.excerpt(text)):
            assert look(found.html).kinds <= {"mark"}, text


FOREIGN = """---
title: {}
---
!!! note "{}"

{{< note title="{}" >}}

<Tabs x="{}" y={}>

:::image source="{}" alt-text="{}":::
"""


def test_what_is_imported_is_cleaned():
    for text, name in zip(COLLECTION, cycle(("a.md", "a.mdx")), strict=False):
        try:
            foreign = read_foreign(FOREIGN.replace("{}", text).encode(), PurePosixPath(name)).document
        except DocumentError:  # it holds what no text has
            continue
        assert dangers(render(foreign.body, foreign.lang).html) == [], text
        assert all(usable_url(card.url) for card in (*foreign.resources, *foreign.more))


def test_what_a_provider_claims_is_text(library):
    with cheating_provider() as provider:
        values = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET}
        settings = library.settings.model_copy(update={**values, "oidc_name": "Example ID"})
        with TestClient(create_app(settings), follow_redirects=False) as client:

            def page(number, claims):
                provider.claims |= claims | {"sub": number}
                back, _ = provider.authorize(client.get("/sign-in/openid").headers["Location"])
                client.get(back)
                return look(client.get("/account").text + client.get("/sign-in/openid/connection").text)

            first = {"email": "eve@example.org", "email_verified": True, "name": "Eve"}
            page("1", first)  # has an account from now on
            harmless = page("2", first)  # is asked whether that is theirs, as are all that follow
            for number, text in enumerate(joined(30_000)):
                check(page(f"x{number}", {"email": text, "name": text}), harmless, [text])
