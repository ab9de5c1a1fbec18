"""What is like an article is worked out once for all workers, and again when it may have changed."""

import pytest
from sqlmodel import select

from app.models import Role, Similar
from app.services import accounts, indexing, relating, removing
from app.services.relating import RelatedQuestions
from app.storage import articles, jobs, references, similar

pytestmark = pytest.mark.searches

YEAST = """---
title: {title}
lang: en
tags: [cooking]
---

Yeast makes bread rise. {more} Bakers weigh the flour and the salt, for salt slows the yeast down.
"""


@pytest.fixture(autouse=True)
def much_time(monkeypatch):
    """One turn of the regular work comes to an end, however busy the machine is."""
    monkeypatch.setattr(relating, "BUDGET_S", 60)


@pytest.fixture
def yeast(library):
    """The library with two more articles about bread and yeast."""
    for name, title in [("yeast", "What does yeast do in bread?"), ("dough", "Why does bread dough rise with yeast?")]:
        library.write(f"cooking/{name}.md", YEAST.format(title=title, more="It needs warmth."))
    library.sync()
    return library


def ids(library, *slugs):
    with library.database.read() as session:
        return [articles.find(session, slug).id for slug in slugs]


def kept(library):
    with library.database.read() as session:
        return set(session.exec(select(Similar.article_id).where(Similar.position == 0)))


def forget_all(library):
    with library.database.write() as session:
        assert not similar.forget_some(session, 100)


def slugs_like(library, related, slug):
    with library.database.read() as session:
        article = articles.find(session, slug)
        return [card.slug for card in related.of(session, article, references.twins(session, article)).cards]


@pytest.fixture
def compared(monkeypatch):
    """The titles of the articles that were compared with all others."""
    titles: list[str] = []

    compare = RelatedQuestions._compare

    def spied(related, session, article):
        titles.append(article.title)
        return compare(related, session, article)

    monkeypatch.setattr(RelatedQuestions, "_compare", spied)
    return titles


def test_a_reader_finds_what_the_regular_work_has_worked_out(yeast, compared):
    first, second = (RelatedQuestions(yeast.database, yeast.index) for _ in range(2))
    first.tend()
    assert len(compared) == len(set(compared)) == len(kept(yeast)) == 7
    assert set(slugs_like(yeast, second, "yeast")) == {"bread", "dough"}
    second.tend()
    assert len(compared) == 7


def test_what_a_reader_waited_for_is_kept(yeast, compared, monkeypatch):
    monkeypatch.setattr(relating, "BUDGET_S", -1)
    forget_all(yeast)
    related = RelatedQuestions(yeast.database, yeast.index)
    shown = slugs_like(yeast, related, "yeast")
    assert not kept(yeast)
    related.tend()
    assert kept(yeast) == set(ids(yeast, "yeast"))
    assert shown == slugs_like(yeast, RelatedQuestions(yeast.database, yeast.index), "yeast")
    assert len(compared) == 1


def test_a_change_is_looked_at_where_it_may_matter_alone(yeast, compared):
    related = RelatedQuestions(yeast.database, yeast.index)
    related.tend()
    compared.clear()
    yeast.write("cooking/dough.md", YEAST.format(title="Why does bread dough rise with yeast?", more="It eats sugar."))
    yeast.sync()
    assert not compared  # nobody waits for that
    related.tend()
    assert compared == ["Why does bread dough rise with yeast?"]  # it is like the same ones as before
    text = "---\ntitle: How hot is an oven?\nlang: en\n---\n\nTwo hundred and fifty degrees, says the thermometer.\n"
    yeast.write("cooking/dough.md", text)
    yeast.sync()
    compared.clear()
    related.tend()
    related.tend()
    assert set(compared) == {"How hot is an oven?", "What does yeast do in bread?", "Why does bread need salt?"}
    assert slugs_like(yeast, related, "yeast") == ["bread"]


def test_who_reads_a_new_article_at_once_does_not_keep_it_from_others(yeast, monkeypatch):
    related = RelatedQuestions(yeast.database, yeast.index)
    related.tend()
    yeast.write("cooking/sour.md", YEAST.format(title="Which yeast is in sourdough bread?", more="It is wild."))
    yeast.sync()
    with monkeypatch.context() as patch:  # a worker that reads it, and is not the one that compares
        patch.setattr(RelatedQuestions, "_compare_changed", lambda _: None)
        reader = RelatedQuestions(yeast.database, yeast.index)
        assert set(slugs_like(yeast, reader, "sour")) >= {"yeast", "dough"}
        reader.tend()
    related.tend()
    assert "sour" in slugs_like(yeast, related, "yeast")


def test_a_new_article_is_soon_among_those_that_it_is_like(yeast):
    related = RelatedQuestions(yeast.database, yeast.index)
    related.tend()
    assert set(slugs_like(yeast, related, "yeast")) == {"bread", "dough"}
    yeast.write("cooking/sour.md", YEAST.format(title="Which yeast is in sourdough bread?", more="It is wild."))
    yeast.sync()
    related.tend()
    assert set(slugs_like(yeast, related, "yeast")) == {"bread", "dough", "sour"}


def test_a_change_while_the_last_one_is_looked_at_is_looked_at_too(yeast, monkeypatch):
    related = RelatedQuestions(yeast.database, yeast.index)
    related.tend()
    write = yeast.database.write

    def after_a_change():
        monkeypatch.setattr(yeast.database, "write", write)
        yeast.write("cooking/sour.md", YEAST.format(title="Which yeast is in sourdough bread?", more="It is wild."))
        yeast.sync()
        return write()

    yeast.write("cooking/sour.md", YEAST.format(title="What is sour?", more="").replace("east", "inegar"))
    yeast.sync()
    monkeypatch.setattr(yeast.database, "write", after_a_change)
    related.tend()
    related.tend()
    assert "sour" in slugs_like(yeast, related, "yeast")


def test_a_deleted_article_is_like_nothing(yeast):
    related = RelatedQuestions(yeast.database, yeast.index)
    related.tend()
    with yeast.database.write() as session:
        admin = accounts.add(session, email="a@example.org", name="A", password_hash=None, role=Role.ADMIN)
    removing.delete(yeast.database, admin, "dough", "It says the same as another.")
    indexing.drain(yeast.database, yeast.index)
    assert slugs_like(yeast, related, "yeast") == ["bread"]
    removing.restore(yeast.database, admin, "dough")
    indexing.drain(yeast.database, yeast.index)
    assert set(slugs_like(yeast, related, "yeast")) == {"bread", "dough"}


def test_after_many_changes_everything_is_compared_anew(yeast, monkeypatch):
    RelatedQuestions(yeast.database, yeast.index).tend()
    monkeypatch.setattr(indexing, "FEW", 0)
    monkeypatch.setattr(indexing, "FORGOTTEN", 2)  # in parts
    yeast.write("cooking/dough.md", YEAST.format(title="Why does bread dough rise with yeast?", more="It eats sugar."))
    yeast.sync()
    assert not kept(yeast)


def test_what_an_older_index_said_does_not_come_back(yeast):
    related = RelatedQuestions(yeast.database, yeast.index)
    assert "sour" not in slugs_like(yeast, related, "yeast")  # not kept yet
    yeast.write("cooking/sour.md", YEAST.format(title="Which yeast is in sourdough bread?", more="It is wild."))
    yeast.sync()
    related.tend()
    assert "sour" in slugs_like(yeast, related, "yeast")


def test_a_reader_meanwhile_does_not_bring_it_back_either(yeast, monkeypatch):
    monkeypatch.setattr(relating, "BUDGET_S", -1)
    related = RelatedQuestions(yeast.database, yeast.index)
    slugs_like(yeast, related, "yeast")  # by the older index
    yeast.write("cooking/sour.md", YEAST.format(title="Which yeast is in sourdough bread?", more="It is wild."))
    yeast.sync()
    forget_all(yeast)
    write = yeast.database.write

    def after_a_reader():
        slugs_like(yeast, related, "bread")  # by the newer one
        return write()

    monkeypatch.setattr(yeast.database, "write", after_a_reader)
    related.tend()
    assert not kept(yeast)


def test_an_article_that_is_gone_when_its_turn_comes_is_passed_over(yeast):
    with yeast.database.write() as session:
        similar.put(session, {1: [2], 10_000: [1]})
    assert kept(yeast) == {1}


def test_who_names_an_article_that_is_about_something_else_now_is_compared_anew(yeast):
    related = RelatedQuestions(yeast.database, yeast.index)
    related.tend()
    yeast_id, dough = ids(yeast, "yeast", "dough")
    (far,) = ids(yeast, "workers-en")
    with yeast.database.write() as session:  # it is not among those that dough is like itself
        similar.put(session, {far: [dough]})
        assert far not in similar.of(session, dough)
    text = "---\ntitle: How hot is an oven?\nlang: en\n---\n\nTwo hundred and fifty degrees, says the thermometer.\n"
    yeast.write("cooking/dough.md", text)
    yeast.sync()
    related.tend()
    with yeast.database.read() as session:
        assert dough not in (similar.of(session, far) or ())
        assert dough not in (similar.of(session, yeast_id) or ())


def test_what_an_index_says_that_does_not_know_all_is_not_kept(yeast, monkeypatch):
    related = RelatedQuestions(yeast.database, yeast.index)
    forget_all(yeast)
    with yeast.database.write() as session:  # on another host
        jobs.add(session, ids(yeast, "bread")[0])
    monkeypatch.setattr(RelatedQuestions, "_work_out_unknown", lambda _: None)
    assert slugs_like(yeast, related, "yeast")
    related.tend()
    assert not kept(yeast)
    indexing.drain(yeast.database, yeast.index)
    slugs_like(yeast, related, "yeast")
    related.tend()
    assert set(ids(yeast, "yeast")) <= kept(yeast)
