"""PostgreSQL as the search engine against Whoosh: the same terms, plans and counts, and nearly the same order."""

import random
import threading

import pytest
from sqlalchemy import text

from app.errors import IndexUnavailable
from app.search.index import SearchIndex
from app.search.postgresql import finding, reading, writing
from app.search.postgresql.index import PostgresIndex
from app.search.postgresql.tables import NAMESPACE, VERSION
from app.search.postgresql.vectors import places_in, quoted, row_of, written
from app.search.query import parse
from app.search.schema import Entry
from app.storage.engines import engine_of
from tests.search.test_ranking import entry, queries


@pytest.fixture(scope="module")
def url(database_server):
    return database_server.url(database_server.create())


def filled(index):
    """An index with deleted, changed and added articles."""
    rng = random.Random(11)
    with index.build_lock(), index.building("x") as build, index.write_lock():
        build.fill(entry(rng, number) for number in range(1, 401))
        build.update([entry(rng, 5)], [6])
        build.take_over(3, "")
    with index.write_lock():
        for start in (401, 421, 431):
            index.update([entry(rng, number) for number in range(start, start + 30)], [start - 300])
        index.update([entry(rng, number) for number in rng.sample(range(1, 460), 25)], [7, 8, 9])
        index.advance(7, "")
    return index


@pytest.fixture(scope="module")
def postgres(url):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "PORTION", 400)  # some articles each
        index = filled(PostgresIndex(engine_of(url)))
    yield index
    index.close()


@pytest.fixture(scope="module")
def whoosh(tmp_path_factory):
    return filled(SearchIndex(tmp_path_factory.mktemp("index")))


@pytest.fixture
def both(whoosh, postgres):
    with whoosh.reading() as expected, postgres.reading() as reader:
        yield expected, reader


@pytest.fixture
def empty(database_server):
    name = database_server.create()
    index = PostgresIndex(engine_of(database_server.url(name)))
    yield index
    index.close()
    database_server.drop(name)


def ids(matches):
    return [match.article_id for match in matches]


FILTERED = (
    '"worta kermen"', "worta -kermen", '-"worta kermen" loopx', "tag:a", "tag:a -tag:c-d worta", "lang:zh 任务",
    "-lang:zh worta", "lang:en lang:zh-hant 进程", "-worta", '"任"', "-任 worta", '"任务分配"', "it's tag:'",
)  # fmt: skip


@pytest.mark.parametrize("asked", [*queries(), *FILTERED])
def test_both_engines_look_up_and_find_the_same(both, asked):
    query = parse(asked)
    expected, found = (reader.search(query) for reader in both)
    assert found.plan == expected.plan
    assert found.total == expected.total
    assert found.tags() == expected.tags()
    assert found.languages() == expected.languages()
    kinds = {match.article_id: match.kinds for match in expected.page(0, 500)}
    assert all(match.kinds == kinds[match.article_id] for match in found.page(0, 100))


def test_both_engines_rank_nearly_the_same(both):
    """Whoosh keeps lengths in one byte each, and counts what was deleted until it is put together anew."""
    expected, found = ([ids(reader.search(parse(asked)).page(0, 10)) for asked in queries()] for reader in both)
    shared = sum(len(set(one) & set(other)) for one, other in zip(expected, found, strict=True))
    assert shared > 0.9 * sum(map(len, expected))
    assert sum(one[:1] == other[:1] for one, other in zip(expected, found, strict=True)) > 0.8 * len(expected)


@pytest.mark.parametrize(("tag", "lang"), [("a", None), (None, "zh"), ("C-D", "zh-Hant")])
def test_narrowing_counts_what_another_choice_would_give(both, tag, lang):
    expected, found = (reader.search(parse("worta 任务"), tag=tag, lang=lang) for reader in both)
    assert found.total == expected.total
    assert found.tags() == expected.tags()
    assert found.languages() == expected.languages()


def test_suggestions_and_answers_are_as_many(both):
    asked = list(queries())
    for suggested in zip(*([reader.suggest(parse(each), 8, 3) for each in asked] for reader in both), strict=True):
        assert suggested[0].plan == suggested[1].plan
        assert len(suggested[0].by_title) == len(suggested[1].by_title)
        assert len(suggested[0].by_heading) == len(suggested[1].by_heading)
    for one, other in zip(*([reader.answer_to(parse(each)) for each in asked] for reader in both), strict=True):
        assert (one is None) == (other is None)
    questions = [reader.questions("why does worta 任务 fail") for reader in both]
    assert [[need.terms for need in each.needs] for each in questions[0]] == [
        [need.terms for need in each.needs] for each in questions[1]
    ]


def test_what_is_counted_stays_true_through_changes(postgres):
    of_class = "count(*) FILTER (WHERE '{}' = ANY (weights))"
    counted = f"""SELECT lexeme, count(*) AS n0, {of_class.format("D")} AS n1, {of_class.format("A")} AS n2
        FROM {NAMESPACE}.texts, unnest(everything) GROUP BY lexeme"""
    wrong = f"""SELECT count(*) FROM {NAMESPACE}.lexemes FULL JOIN ({counted}) AS counted USING (lexeme)
        WHERE (coalesce(articles, 0), coalesce(bodies, 0), coalesce(titles, 0))
            <> (coalesce(n0, 0), coalesce(n1, 0), coalesce(n2, 0))"""
    with postgres._engine.connect() as connection:
        assert connection.scalar(text(wrong)) == 0
        sums = connection.execute(text(f"SELECT count(*), sum(title), sum(body) FROM {NAMESPACE}.texts")).one()
        assert sums == connection.execute(text(f"SELECT articles, title, body FROM {NAMESPACE}.state")).one()
    assert postgres.is_usable("x", thorough=True)
    assert postgres.position() == 7


def test_of_many_articles_the_best_are_ranked_and_the_rest_comes_after(both, monkeypatch):
    monkeypatch.setattr(reading, "MOST_RANKED", 20)
    found = both[1].search(parse("worta loopx 任务"))
    pages = [ids(found.page(offset, 7)) for offset in range(0, found.total, 7)]
    listed = [number for page in pages for number in page]
    assert len(listed) == len(set(listed)) == found.total == both[0].search(parse("worta loopx 任务")).total
    assert pages[3] == listed[21:28]


def test_frequent_words_find_nothing_by_themselves_where_there_are_too_many(both, monkeypatch):
    whole = both[1].search(parse("worta loopx 任务")).total
    monkeypatch.setattr(finding, "MOST_READ", 10)
    assert 0 < both[1].search(parse("worta loopx 任务")).total < whole


def test_a_phrase_of_frequent_words_is_looked_for_in_a_part(both, monkeypatch):
    assert both[1].search(parse('"worta"')).is_complete
    monkeypatch.setattr(finding, "MOST_CHECKED", 3)
    assert not both[1].search(parse('"任务"')).is_complete


def test_without_an_index_it_says_so(empty):
    assert not empty.is_whole()
    assert not empty.is_usable("x")
    assert empty.position() == 0
    for use in (empty.generation, lambda: empty.update([], [1]), lambda: empty.advance(1, "")):
        with pytest.raises(IndexUnavailable):
            use()


def test_an_index_of_another_version_or_database_is_not_used(empty):
    with empty.building("x") as build:
        build.fill([])
        build.take_over(0, "")
    assert empty.is_usable("x")
    assert not empty.is_usable("y")
    with empty._engine.begin() as connection:
        connection.execute(text(f"UPDATE {NAMESPACE}.state SET version = 'older than {VERSION}'"))
    assert not empty.is_usable("x")
    with pytest.raises(IndexUnavailable):
        empty.generation()


def test_what_an_interrupted_build_leaves_is_swept_away(empty):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), empty.building("x") as build:
            build.fill([])
            empty._engine.dispose()
            build.drop = lambda: None  # as where the process is killed
            raise ZeroDivisionError
    with empty.building("x"), empty._engine.connect() as connection:
        left = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'omniracle%'"
        assert connection.scalar(text(left)) == 0


def test_one_writes_after_the_other(postgres, url):
    other = PostgresIndex(engine_of(url))
    with (
        postgres.write_lock() as held,
        other.write_lock(patience_s=0) as refused,
        other.build_lock(patience_s=0) as free,
    ):
        assert (held, refused, free) == (True, False, True)
    waited = []

    def wait():
        with other.write_lock() as held:
            waited.append(held)

    with postgres.write_lock():
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not waited
    waiting.join()
    assert waited == [True]
    other.close()


def test_searches_go_on_while_the_index_is_replaced(empty):
    def build():
        with empty.building("x") as build:
            build.fill(entry(random.Random(number), number) for number in range(1, 40))
            build.take_over(0, "")

    build()
    failed = []

    def search():
        for _ in range(40):
            with empty.reading() as reader:
                if not reader.search(parse("任务")).total:
                    failed.append(reader.generation)

    searching = threading.Thread(target=search)
    searching.start()
    for _ in range(4):
        build()
    searching.join()
    assert failed == []


def test_texts_of_any_kind_can_be_kept(empty):
    odd = [
        "it's \\ \"odd\" ' '' :1A",
        "'",
        "a" * 5000,
        "\u202e 𠀀𠀁 c++ c#",
        "任" * 40_000,
        " ".join(f"w{n}" for n in range(200_000)),
    ]
    with empty.building("x") as build:
        build.fill(
            Entry(number, 1, "en", each[:300], (each[:500],), (each[:300],), each) for number, each in enumerate(odd, 1)
        )
        build.take_over(0, "")
    with empty.reading() as reader:
        assert ids(reader.search(parse("w5 w6 w7")).page(0, 5)) == [6]
        assert 1 in ids(reader.search(parse("odd")).page(0, 5))
        assert ids(reader.search(parse("c++")).page(0, 5)) == [4]


def test_a_place_is_read_from_what_postgresql_writes(empty):
    row = row_of(Entry(1, 1, "en", "it's a 'test' a:1", ("x' y",), (), "a test a test"))
    with empty._engine.connect() as connection:
        shown = connection.scalar(
            text("SELECT CAST(CAST(:vector AS tsvector) AS text)"), {"vector": written(row.everything)}
        )
    for lexeme, places in row.everything.items():
        by_kind = [place for kind in "ABCD" for place in places_in(shown, lexeme, kind)]
        assert sorted(by_kind) == sorted(int(place.rstrip("ABC")) for place in places.split(","))
    assert places_in(shown, "nowhere", "A") == []
    assert quoted("'\\") == "'''\\\\'"
