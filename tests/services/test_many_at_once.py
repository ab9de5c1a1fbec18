"""Many people at once: no acknowledged text is lost, and the history has no gaps."""

from concurrent.futures import ThreadPoolExecutor

from app.models import Role
from app.services import accounts
from app.services.contributing import Contribution, EditConflict, contribute
from app.storage import articles, revisions

PARAGRAPHS = 12
HEAD = "---\ntitle: Many\nlang: en\n---\n\n"


def source(changed=()):
    lines = (f"Paragraph {n}{', changed' if n in changed else ''}." for n in range(PARAGRAPHS))
    return HEAD + "\n\n".join(lines) + "\n"


def test_changes_of_many_people_at_once_are_all_there(empty_library):
    database = empty_library.database
    rob = accounts.sign_up(
        database, email="rob@example.org", name="Rob", password="long enough words", role=Role.REVIEWER
    )
    contribute(database, rob, Contribution(source(), "new"))

    def change(number):
        return contribute(database, rob, Contribution(source({number}), str(number), 1, "many"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(change, range(PARAGRAPHS)))
    with database.read() as session:
        article = articles.by_slug(session, "many")
        history = revisions.after(session, article.id, 0)
    assert [revision.number for revision in history] == list(range(1, PARAGRAPHS + 2))
    assert history[-1].source == source(set(range(PARAGRAPHS)))
    assert {revision.message for revision in history} == {"new", *map(str, range(PARAGRAPHS))}


def test_of_changes_of_one_place_one_is_published_and_the_others_keep_their_texts(empty_library):
    database = empty_library.database
    rob = accounts.sign_up(
        database, email="rob@example.org", name="Rob", password="long enough words", role=Role.REVIEWER
    )
    contribute(database, rob, Contribution(source(), "new"))

    def change(number):
        text = source().replace("Paragraph 3.", f"Paragraph 3, by {number}.")
        try:
            contribute(database, rob, Contribution(text, str(number), 1, "many"))
        except EditConflict as error:
            return f"by {number}" in str(error.merged)
        return None

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(change, range(6)))
    assert sorted(results, key=str) == [None, *[True] * 5]


def test_titles_that_are_alike_get_addresses_of_their_own(empty_library):
    database = empty_library.database
    rob = accounts.sign_up(
        database, email="rob@example.org", name="Rob", password="long enough words", role=Role.REVIEWER
    )
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda n: contribute(database, rob, Contribution(source({n}), str(n))), range(6)))
    assert len({outcome.article.slug for outcome in outcomes}) == 6
    assert len({outcome.article.path for outcome in outcomes}) == 6


def test_a_button_that_is_pressed_many_times_makes_one_article(empty_library):
    database = empty_library.database
    rob = accounts.sign_up(
        database, email="rob@example.org", name="Rob", password="long enough words", role=Role.REVIEWER
    )
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda _: contribute(database, rob, Contribution(source(), "")), range(6)))
        changed = Contribution(source({1}), "", 1, "many")
        list(pool.map(lambda _: contribute(database, rob, changed), range(6)))
    assert {outcome.article.slug for outcome in outcomes} == {"many"}
    with database.read() as session:
        assert articles.by_slug(session, "many").revision == 2
