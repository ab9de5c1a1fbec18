"""A page of a question stays good while others change, and only then: it is always what would be made now.

Also the one that another worker has made.
"""

import random
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.models import Feedback, FeedbackKind, LinkState, Resource, Role
from app.services import accounts, indexing, removing
from app.storage import articles, feedback
from app.web import kept_page
from app.web.application import create_app
from tests.web.conftest import known

TOPICS = ("fastapi", "cooking", "writing")
LANGS = ("en", "zh", "zh-Hant")
TEXT = """---
title: {title}
lang: {lang}
tags: [{tags}]
{more}---

{words} salt slows the yeast, workers accept connections. 圖書館整理文件，搜尋燈光。
"""


@pytest.fixture
def other(library, client):
    """Another worker, which keeps nothing in memory: all that it has is what was made by `client`."""
    with TestClient(create_app(library.settings)) as other:
        other.app.pages._keep = lambda _key, _page: None
        yield other


def compare_all(library, client, other, made):
    """Compare the pages that are kept with those that are made without the cache."""
    fresh = TestClient(client.app.pages.app)
    with library.database.read() as session:
        slugs = [address.slug for address in articles.addresses(session, offset=0, limit=100)]
    for slug in slugs:
        # The regular work goes on meanwhile, and may change what a page shows between two looks.
        before, shared, kept = (each.get(f"/questions/{slug}").text for each in (fresh, other, client))
        if {shared, kept} != {before}:
            assert {shared, kept} <= {before, fresh.get(f"/questions/{slug}").text}, slug
    client.app.pages.tell()
    made.clear()


def test_a_page_outlives_changes_of_others(library, client, other, made):
    known(client)
    compare_all(library, client, other, made)
    path = library.content / "hanzi/traditional.md"  # like no other, on a topic and in a language of its own
    path.write_text(path.read_text().replace("燈光要足夠", "燈光要非常足夠"))
    library.sync()
    known(client)
    for slug in ("bread", "traditional", "workers-zh"):
        client.get(f"/questions/{slug}")
    assert made == ["traditional"]
    assert "非常" in client.get("/questions/traditional").text
    made.clear()
    client.app.pages.tell()
    assert "非常" in other.get("/questions/traditional").text
    other.get("/questions/bread")
    assert made == []


def titled(name, title, **more):
    lines = "".join(f"{key}: {value}\n" for key, value in {"lang": "en", "tags": "[cooking]", **more}.items())
    return f"{name}.md", f"---\ntitle: {title}\n{lines}---\n\nNothing that others say.\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        titled("new", "On another topic", tags="[writing]"),
        titled("new", "In another language", lang="fr"),
        titled("new", "A translation of something else", tags="[fastapi]", translation_of="background-tasks"),
        titled("new", "With another address", tags="[fastapi]", aliases="[older]"),
        titled("cooking/after", "Comes after it", date="2026-03-01", tags="[cooking, knives]"),
    ],
)
def test_a_page_outlives_what_does_not_show_on_it(library, client, other, made, name, text):
    for article in (titled("cooking/after", "Comes after it", date="2026-03-01"), titled("gone", "To be deleted")):
        library.write(*article)
    library.sync()
    known(client)
    client.get("/questions/bread")
    client.app.pages.tell()
    made.clear()
    (library.content / "gone.md").unlink()
    library.write(name, text)
    library.sync()
    for worker in (client, other, client):
        worker.get("/questions/bread")
    assert made == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        titled("new", "Comes after it, too", date="2026-02-01"),
        titled("new", "Translates it", lang="de", translation_of="bread"),
        titled("cooking/after", "Has another title", date="2026-03-01"),
        titled("cooking/after", "Comes after it", date="2025-03-01"),
        titled("cooking/after", "Comes after it", tags="[knives]"),
    ],
)
def test_a_page_ends_with_what_shows_on_it(library, client, other, made, name, text):
    library.write(*titled("cooking/after", "Comes after it", date="2026-03-01"))
    library.sync()
    known(client)
    client.get("/questions/bread")
    client.app.pages.tell()
    made.clear()
    library.write(name, text)
    library.sync()
    for worker in (client, other):
        worker.get("/questions/bread")
    assert made[:1] == ["bread"]  # the other one may have got it from the first


def test_what_was_just_worked_out_is_not_trusted_to_stay(library, client, made):
    client.get("/questions/bread")  # before the regular work has kept what it is like
    path = library.content / "hanzi/traditional.md"
    path.write_text(path.read_text().replace("燈光要足夠", "燈光要非常足夠"))
    library.sync()
    client.get("/questions/bread")
    assert made == ["bread", "bread"]


def test_only_the_date_ends_a_page_that_nobody_changes(library, client, made, monkeypatch):
    known(client)
    monkeypatch.setattr(kept_page, "LIFE_S", 0)
    for _ in range(2):
        client.get("/questions/bread")
        client.get("/questions/bread.md")
    assert made == ["bread", "bread", "bread"]  # one page, the same Markdown twice
    made.clear()
    monkeypatch.setattr(kept_page, "DAY_S", 1e-6)  # the next day is always near
    client.get("/questions/workers-zh")
    client.get("/questions/workers-zh")
    assert made == ["workers-zh", "workers-zh"]


class Editors:
    """People who do this and that."""

    def __init__(self, library, seed):
        self.library = library
        self.chance = random.Random(seed)
        self.files = {path: path.read_text() for path in library.content.rglob("*.md")}
        self.number = 0
        with library.database.write() as session:
            self.admin = accounts.add(session, email="a@example.org", name="A", password_hash=None, role=Role.ADMIN)

    def anybody(self, *, deleted=False):
        with self.library.database.read() as session:
            live = [address.slug for address in articles.addresses(session, offset=0, limit=100)]
            gone = [article.slug for article in articles.all_deleted(session)]
        return self.chance.choice(gone or live if deleted else live)

    def write(self, slug=None):
        """Write a new article, or one in place of what was there."""
        self.number += 1
        lines = []
        if self.chance.random() < 0.4:
            lines.append(f"translation_of: {self.chance.choice([self.anybody(), f'new-{self.number + 1}'])}")
        if self.chance.random() < 0.4:
            lines.append(f"related: [{self.anybody()}, new-{self.number + self.chance.randint(1, 3)}]")
        if self.chance.random() < 0.3:
            lines.append(f"aliases: [other-{self.number}]")
        if self.chance.random() < 0.3:
            lines.append(f"date: 20{self.chance.randint(10, 25)}-01-02")
        lines.append(f"resources:\n  - url: https://example.org/{self.chance.randint(1, 3)}\n    title: Example")
        text = TEXT.format(
            title=f"Why does number {self.number} need {self.chance.choice(('salt', 'workers', '圖書館'))}?",
            lang=self.chance.choice(LANGS),
            tags=", ".join(self.chance.sample(TOPICS, self.chance.randint(1, 2))),
            more="".join(f"{line}\n" for line in lines),
            words=" ".join(self.chance.choices(("bread", "kernel", "flour", "process"), k=6)),
        )
        self.library.write(f"made/{slug or f'new-{self.number}'}.md", text)
        self.library.sync()

    def rewrite(self):
        made = sorted((self.library.content / "made").glob("*.md"))
        if made:
            self.write(slug=self.chance.choice(made).stem)

    def edit(self):
        path = self.chance.choice(sorted(self.files))
        self.files[path] += f"\nOnce more, {self.number}.\n"
        self.number += 1
        path.write_text(self.files[path])
        self.library.sync()

    def delete(self):
        removing.delete(self.library.database, self.admin, self.anybody(), "no longer true")
        indexing.drain(self.library.database, self.library.index)

    def restore(self):
        slug = self.anybody(deleted=True)
        with self.library.database.read() as session:
            is_gone = articles.deleted(session, slug) is not None
        if is_gone:
            removing.restore(self.library.database, self.admin, slug)
            indexing.drain(self.library.database, self.library.index)

    def thank(self):
        with self.library.database.write() as session:
            article = articles.find(session, self.anybody())
            said = Feedback(
                article_id=article.id,
                revision=article.revision,
                kind=FeedbackKind.HELPED,
                reason="",
                reader=f"{self.number}-{self.chance.random()}",
                created_at=datetime.now(UTC),
            )
            feedback.put(session, said, said.reader)

    def check_link(self):
        with self.library.database.write() as session:
            resource = session.exec(select(Resource)).first()
            resource.state = self.chance.choice([LinkState.OK, LinkState.GONE])
            session.add(resource)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_no_page_is_older_than_that(library, client, other, made, seed):
    editors = Editors(library, seed)
    compare_all(library, client, other, made)
    deeds = [editors.write, editors.write, editors.rewrite, editors.edit, editors.edit, editors.delete,
             editors.restore, editors.thank, editors.check_link]  # fmt: skip
    for _ in range(16):
        if editors.chance.random() < 0.7:
            known(client)
            compare_all(library, client, other, made)  # so that there are pages that are trusted
        editors.chance.choice(deeds)()
        compare_all(library, client, other, made)
