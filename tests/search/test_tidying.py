"""Saves leave the index in many parts; the regular work puts them together again."""

from app.search.tidying import FANOUT, LEVELS
from app.services import indexing
from app.services.searching import search

TEA = "---\ntitle: How hot is tea number {number}?\nlang: en\n---\nNinety degrees, {times} times.\n"


def save(library, number, times=1):
    library.write(f"cooking/tea-{number}.md", TEA.format(number=number, times=times))
    library.sync()


def sizes(library):
    snapshot = library.index.snapshot()
    ends = [*snapshot.bases[1:], snapshot.size]
    return [int(snapshot.alive[start:end].sum()) for start, end in zip(snapshot.bases, ends, strict=True)]


def found(library):
    return {hit.slug for hit in search(library.database, library.index, "hot tea", size=100).page.items}


def test_a_save_joins_nothing_and_the_regular_work_does(library):
    for number in range(FANOUT):
        save(library, number)
        assert sizes(library) == [5, *[1] * (number + 1)]
    before = library.index.snapshot().revisions()
    indexing.tidy(library.database, library.index)
    assert sizes(library) == [5, FANOUT]
    assert library.index.snapshot().revisions() == before
    assert found(library) == {f"tea-{number}" for number in range(FANOUT)}


def test_parts_stay_few_and_everything_is_found(library):
    for number in range(FANOUT**2 + FANOUT):
        save(library, number)
        indexing.tidy(library.database, library.index)
        assert len(sizes(library)) <= (FANOUT - 1) * LEVELS + 1
    assert sum(sizes(library)) == 5 + FANOUT**2 + FANOUT
    assert found(library) == {f"tea-{number}" for number in range(FANOUT**2 + FANOUT)}


def test_what_is_all_replaced_is_dropped(library):
    for times in range(FANOUT + 2):
        save(library, 1, times)
    assert sizes(library) == [5, 1]


def test_it_leaves_the_index_to_who_writes_to_it(library):
    for number in range(FANOUT):
        save(library, number)
    with library.index.write_lock():
        indexing.tidy(library.database, library.index)
    assert sizes(library) == [5, *[1] * FANOUT]
