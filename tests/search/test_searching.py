"""What is found, and in what order, whichever engine searches (see the Makefile)."""

import pytest

from app.search.query import MAX_LENGTH
from app.services import indexing
from app.services.engines import search_engine
from app.services.searching import search
from tests.unit.test_bounds import QUERIES

pytestmark = pytest.mark.searches


def slugs(library, text, **options):
    return [hit.slug for hit in search(library.database, library.index, text, **options).page.items]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("fastapi workers 策略", "workers-zh"),
        ("任务分配", "workers-zh"),
        ("任務分配", "workers-zh"),
        ("how are requests distributed to workers", "workers-en"),
        ("distribution of request worker", "workers-en"),
        ("图书馆", "traditional"),
        ("圖書館 軟體", "traditional"),
        ("灯", "traditional"),
        ("燈", "traditional"),
        ("ＢＲＥＡＤ　ｓａｌｔ", "bread"),
        ("后台 background task", "background-tasks"),
        ('"event loop accepted" salt', "bread"),
    ],
)
def test_the_right_answer_is_first(library, text, first):
    if text.startswith('"'):
        assert slugs(library, text) == []
        return
    assert slugs(library, text)[0] == first


def test_phrases_must_stand_as_they_are(library):
    assert slugs(library, '"crumb its structure"') == ["bread"]
    assert slugs(library, '"structure its crumb"') == []
    assert slugs(library, "“竞争新的连接”") == ["workers-zh"]


def test_filters_and_exclusions(library):
    assert set(slugs(library, "workers fastapi", lang="en")) == {"workers-en", "background-tasks"}
    assert slugs(library, "tag:cooking") == ["bread"]
    assert slugs(library, "lang:zh-hant") == ["traditional"]
    assert set(slugs(library, "lang:zh")) == {"workers-zh", "traditional"}
    assert "background-tasks" not in slugs(library, "fastapi -queue")
    assert slugs(library, "salt", tag="fastapi") == []


def test_a_variant_is_named(library):
    (hit,) = [h for h in search(library.database, library.index, "任務分配").page.items if h.slug == "workers-zh"]
    assert hit.matched == ("variant",)
    assert "<mark>" in hit.title_html + hit.excerpt_html


@pytest.mark.parametrize("text", ["*", "", "AND OR NOT (", "😀" * 100, "\u202e\u0000", "a " * 240, "~^[]{}\\/"])
def test_nothing_a_person_types_fails(library, text):
    search(library.database, library.index, text)


def test_a_change_is_found_by_another_process_at_once(library):
    other = search_engine(library.settings)
    before = other.generation()
    library.write("cooking/tea.md", "---\ntitle: How hot is oolong?\nlang: en\n---\nNinety degrees.\n")
    library.sync()
    found = search(library.database, other, "oolong")
    assert [hit.slug for hit in found.page.items] == ["tea"]
    assert found.generation > before
    other.close()


def test_an_old_version_is_never_found_again(library):
    library.index.generation()
    for number in range(4):
        text = f"---\ntitle: Bread {number}\nlang: en\n---\nversion{number}only\n"
        library.write("cooking/bread.md", text)
        library.sync()
        assert slugs(library, f"version{number}only") == ["bread"]
        for old in range(number):
            assert slugs(library, f"version{old}only") == []


def test_the_index_of_another_database_is_not_used(library):
    assert not library.index.is_usable("another database")


def test_rebuilding_changes_nothing_for_others(library):
    other = search_engine(library.settings)
    before = [hit.slug for hit in search(library.database, other, "bread salt fastapi").page.items]
    assert indexing.rebuild(library.database, library.index) == 5
    assert [hit.slug for hit in search(library.database, other, "bread salt fastapi").page.items] == before
    other.close()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", QUERIES)
def test_no_query_takes_long(library, name):
    # No clock is read here: what is quadratic in the query would take minutes.
    for start in ("salt ", "lang:en ", '"'):
        search(library.database, library.index, (start + QUERIES[name] * MAX_LENGTH)[:MAX_LENGTH])
