"""The fast ranking against the plain one, and posting lists against Whoosh's matchers, on random indexes."""

import random

import numpy as np
import pytest
from whoosh.filedb.filetables import md5_hash

from app.search import postings, scorer
from app.search.expansion import expand
from app.search.index import SearchIndex
from app.search.query import parse
from app.search.ranking import best
from app.search.schema import Entry
from tests.search import reference

WORDS = [f"{a}{b}" for a in ("wor", "ker", "loop", "sock", "proc", "que") for b in ("ta", "men", "ling", "so", "x")]
HAN = ["任务", "分配", "策略", "进程", "套接字", "事件循环", "圖書館"]


def entry(rng, number):
    def text(length):
        return " ".join(rng.choice(WORDS if rng.random() < 0.7 else HAN) for _ in range(length))

    headings = tuple(text(2) for _ in range(rng.randrange(3)))
    lang = rng.choice(["en", "zh", "zh-Hant"])
    return Entry(
        number,
        1,
        lang,
        text(rng.randrange(1, 7)),
        tuple(rng.sample(["a", "b", "c-d"], 2)),
        headings,
        text(rng.randrange(150)),
    )


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An index of several segments with deleted, changed and added articles."""
    rng = random.Random(11)
    index = SearchIndex(tmp_path_factory.mktemp("index"))
    with index.build_lock(), index.building("x") as build, index.write_lock():
        build.fill(entry(rng, number) for number in range(1, 401))
        build.take_over(0, "")
    with index.write_lock():
        for start in (401, 421, 431):
            index.update([entry(rng, number) for number in range(start, start + 30)], [start - 300])
        index.update([entry(rng, number) for number in rng.sample(range(1, 460), 25)], [7, 8, 9])
    return index


@pytest.fixture(scope="module")
def snapshot(index):
    return index.snapshot()


def queries():
    rng = random.Random(5)
    for _ in range(120):
        words = [rng.choice(WORDS + HAN) for _ in range(rng.randrange(1, 7))]
        if rng.random() < 0.3:
            words.append(rng.choice(["wrota", "workerso", "renwu", "fenpei", "rwfp", "celue", "字", "quelin", "loops"]))
        yield " ".join(words)


def test_the_index_is_a_hard_one(snapshot):
    assert len(snapshot.segments) > 1
    assert not snapshot.alive.all()


@pytest.mark.parametrize("text", list(queries()))
def test_ranks_as_the_plain_scorer_does(snapshot, text):
    expected = reference.scores(snapshot, text)
    scores = scorer.scores_of(snapshot, expand(parse(text), snapshot), snapshot.alive)
    assert np.flatnonzero(scores).tolist() == sorted(expected)
    for document, score in expected.items():
        assert scores[document] == pytest.approx(score, rel=1e-4)


def test_every_posting_list_is_read_as_whoosh_reads_it(snapshot, monkeypatch):
    lists = 0
    for segment in snapshot.segments:
        for field in (
            "title",
            "headings",
            "tags_text",
            "body",
            "characters",
            "syllables",
            "title_syllables",
            "initials",
            "lang",
            "tags",
        ):
            for term in segment.terms(field):
                expected = postings.read_by_matcher(segment.reader, field, term)
                with monkeypatch.context() as patched:
                    patched.setattr(postings, "read_by_matcher", lambda *_: pytest.fail("read the slow way"))
                    documents, weights = postings.read(segment.reader, field, term)
                assert documents.tolist() == expected[0].tolist()
                assert weights.tolist() == expected[1].tolist()
                lists += 1
    assert lists > 300


def test_dictionaries_are_asked_as_whoosh_asks_them(snapshot):
    for segment in snapshot.segments:
        assert segment.reader._terms._tindex.hashfn is postings.hashed  # not by Whoosh's own
        for field in ("title", "body", "tags"):
            for term in (*segment.terms(field), "nowhere"):
                assert postings.hashed(term.encode()) == md5_hash(term.encode())
                assert postings.frequency(segment.reader, field, term) == segment.reader.doc_frequency(field, term)
        assert postings.frequency(segment.reader, "body", "\ud800") == 0


def test_positions_are_read_as_whoosh_reads_them(snapshot, monkeypatch):
    rng = random.Random(3)
    for segment in snapshot.segments:
        for term in segment.terms("body"):
            documents = np.array(sorted(rng.sample(range(segment.size), min(segment.size, 25))), np.int32)
            expected = postings.positions_by_matcher(segment.reader, "body", term, documents)
            with monkeypatch.context() as patched:
                patched.setattr(postings, "positions_by_matcher", lambda *_: pytest.fail("read the slow way"))
                assert postings.read_positions(segment.reader, "body", term, documents) == expected


def test_another_layout_is_read_by_whooshs_own_means(index, snapshot, monkeypatch):
    text = "worta 任务 workers quelin"
    expected = scorer.search(snapshot, parse(text)).page(0, 20)
    monkeypatch.setattr(postings, "WHOOSH3_HEADER_MAGIC", b"????")
    other = SearchIndex(index.folder)
    assert scorer.search(other.snapshot(), parse(text)).page(0, 20) == expected
    assert other.snapshot().positions("body", "worta", np.arange(snapshot.size, dtype=np.int32))


@pytest.mark.parametrize("size", [1, 100, 128, 1000, 5000])
def test_the_best_are_the_best(size):
    rng = np.random.default_rng(size)
    scores = np.where(rng.random(size) < 0.6, rng.integers(0, 50, size), 0).astype(np.float32)
    expected = sorted(np.flatnonzero(scores), key=lambda document: (-scores[document], document))
    for limit in (1, 10, 60, size):
        assert best(scores, limit).tolist() == expected[:limit]


def test_pages_are_parts_of_one_order(snapshot):
    ranking = scorer.search(snapshot, parse("worta sockmen 任务"))
    whole = ranking.page(0, 200)
    assert [match for start in range(0, 200, 20) for match in ranking.page(start, 20)] == whole
    assert len({match.article_id for match in whole}) == len(whole) == min(200, ranking.total)


def test_counts_by_language_and_tag_are_those_of_the_matches(snapshot):
    ranking = scorer.search(snapshot, parse("worta"))
    narrowed = {lang: scorer.search(snapshot, parse("worta"), lang=lang).total for lang in ("en", "zh", "zh-hant")}
    assert ranking.languages() == narrowed
    assert ranking.tags() == {tag: scorer.search(snapshot, parse("worta"), tag=tag).total for tag in ("a", "b", "c-d")}
    for lang in narrowed:  # the other choices stay as they are, so that one can change one's mind
        chosen = scorer.search(snapshot, parse("worta"), lang=lang)
        assert chosen.languages() == narrowed
        both = {tag: scorer.search(snapshot, parse("worta"), lang=lang, tag=tag).total for tag in ("a", "b", "c-d")}
        assert chosen.tags() == {tag: number for tag, number in both.items() if number}


def test_a_phrase_is_where_its_words_follow_each_other(snapshot):
    first, second = WORDS[0], WORDS[7]
    found = {match.article_id for match in scorer.search(snapshot, parse(f'"{first} {second}"')).page(0, 500)}
    both = scorer.search(snapshot, parse(f"{first} {second}"))
    assert found
    assert found < {match.article_id for match in both.page(0, 500)}
    without = scorer.search(snapshot, parse(f'{first} -"{first} {second}"')).page(0, 500)
    assert not found & {match.article_id for match in without}
