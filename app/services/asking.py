"""A question answered by what the library says, word for word; or told that it says nothing of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.content.passages import Passage, passages
from app.content.rendering import Heading
from app.models import Article, Section
from app.search.engine import SearchEngine
from app.search.needs import Question
from app.search.plan import Match
from app.search.query import parse
from app.services.rendering import make_rendering
from app.storage import articles, hits, resources, tags
from app.storage.articles import Named
from app.storage.database import Database
from app.storage.resources import ResourceCard

CANDIDATES = 8  # articles whose passages are looked at
LOOKED_AT = 100_000  # characters of each
# Of what is asked for, weighed by rarity, a passage has to have so much to be an answer, with the titles above it.
LEAST_SHARE = 0.6
HEADING_WEIGHT = 0.5  # what is asked for and stands in a passage's own heading, when passages are put in order
MOST_QUOTES = 5
MOST_OF_ARTICLE = 3
NEAREST = 5


@dataclass(frozen=True)
class Quote:
    """A passage of an article's newest revision; `text` is a part of its Markdown, character for character."""

    slug: str
    title: str
    lang: str
    revision: int
    verified: date | None
    heading: str | None  # None: the introduction
    anchor: str | None
    text: str
    is_whole: bool  # False: its section has more than this
    share: float  # of what is asked for, that stands here or in the titles above
    lacking: tuple[str, ...]  # the rest of it
    resources: tuple[ResourceCard, ...]  # what the article rests on

    @property
    def url(self) -> str:
        """The path of the article's page, or of the section on it."""
        return f"/questions/{self.slug}{f'#{self.anchor}' if self.anchor else ''}"


@dataclass(frozen=True)
class Answer:
    """The best passages first; without any, why there are none."""

    quotes: tuple[Quote, ...]
    reason: str | None  # None: there are quotes
    lacking: tuple[str, ...]  # what was asked for and stands in none of the passages, with a reason
    nearest: tuple[Named, ...]  # with a reason: they are near, and may be others


@dataclass(frozen=True)
class _Candidate:
    article: Article
    passage: Passage
    lacking: tuple[str, ...]  # what is asked for and stands neither in the passage nor in what it stands under
    share: float  # of what is asked for, that does
    own_share: float  # the same without the article's title and tags; these are the heading of the introduction
    score: float


def ask(database: Database, index: SearchEngine, text: str, *, lang: str | None = None) -> Answer:
    """Return the passages that answer a question, or why there are none; `lang` narrows to articles in that language.

    Raises InvalidInput for a text that is too long, IndexUnavailable without an index.
    """
    query = parse(text)
    with index.reading() as reader:
        asked = [question for question in reader.questions(query.typed) if question.needs]
        matches = reader.search(query, lang=lang).page(0, CANDIDATES) if asked else []
    if not asked:
        return Answer((), "The question has no words that tell what it is about.", (), ())
    candidates = [found for found in _candidates(database, matches, asked) if found.share] if matches else []
    if not candidates:
        return Answer((), "Nothing in the library has what the question asks for.", (), ())
    chosen = _chosen(candidates)
    if chosen:
        return Answer(_quotes(database, chosen), None, (), ())
    return _no_answer(candidates)


def _candidates(database: Database, matches: Sequence[Match], asked: Sequence[Question]) -> Iterator[_Candidate]:
    """Yield all passages of the articles that match, in their order."""
    ids = [match.article_id for match in matches]
    with database.read() as session:
        found = articles.by_ids(session, ids)
        names = tags.names_of(session, ids)
        kept = {known.id: known.toc for known in hits.by_ids(session, ids).values()}
    scores = {match.article_id: match.score / matches[0].score for match in matches}
    for article in found:
        assert article.id is not None
        toc = kept.get(article.id)
        if toc is None:
            toc = make_rendering(article.body, article.lang).toc
        titles = "\n".join((article.title, *names.get(article.id, ())))
        for passage in passages(article.body[:LOOKED_AT], [_heading(entry) for entry in toc]):
            yield max(
                (_candidate(article, titles, passage, question, scores[article.id]) for question in asked),
                key=lambda each: each.share,
            )


def _candidate(article: Article, titles: str, passage: Passage, question: Question, score: float) -> _Candidate:
    heading = question.met("\n".join(each.text for each in passage.headings) or titles)
    own = question.met(passage.text) | heading
    met = own | question.met(titles)
    share = question.share(met)
    return _Candidate(
        article=article,
        passage=passage,
        lacking=tuple(question.lacking(met)),
        share=share,
        own_share=question.share(own),
        score=share + score + HEADING_WEIGHT * question.share(heading),
    )


def _heading(entry: Mapping[str, str | int]) -> Heading:
    return Heading(int(entry["level"]), str(entry["id"]), str(entry["text"]))


def _chosen(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return those that answer, the best first; no more than a few of one article."""
    chosen: list[_Candidate] = []
    for candidate in sorted(candidates, key=lambda each: (-round(each.score, 4), -each.own_share)):
        is_answer = candidate.share >= LEAST_SHARE and candidate.own_share > 0  # a title alone answers nothing
        siblings = sum(other.article is candidate.article for other in chosen)
        if is_answer and siblings < MOST_OF_ARTICLE:
            chosen.append(candidate)
    return chosen[:MOST_QUOTES]


def _quotes(database: Database, chosen: Sequence[_Candidate]) -> tuple[Quote, ...]:
    with database.read() as session:
        cards = {
            id_: tuple(resources.of_article(session, id_)[Section.RESOURCES])
            for id_ in dict.fromkeys(candidate.article.id for candidate in chosen)
            if id_ is not None
        }
    return tuple(_quote(candidate, cards) for candidate in chosen)


def _quote(candidate: _Candidate, cards: Mapping[int, tuple[ResourceCard, ...]]) -> Quote:
    article, passage = candidate.article, candidate.passage
    assert article.id is not None
    heading = passage.headings[-1] if passage.headings else None
    return Quote(
        slug=article.slug,
        title=article.title,
        lang=article.lang,
        revision=article.revision,
        verified=article.verified,
        heading=heading.text if heading else None,
        anchor=heading.id if heading else None,
        text=passage.text,
        is_whole=passage.is_whole,
        share=round(candidate.share, 2),
        lacking=candidate.lacking,
        resources=cards[article.id],
    )


def _no_answer(candidates: Sequence[_Candidate]) -> Answer:
    best = max(candidates, key=lambda candidate: candidate.share)
    reason = (
        f"The nearest passage has {best.share:.0%} of what is asked for, by the rarity of its words; "
        f"an answer has at least {LEAST_SHARE:.0%}."
    )
    nearest = dict.fromkeys(
        Named(each.article.id or 0, each.article.slug, each.article.lang, each.article.title) for each in candidates
    )
    return Answer((), reason, best.lacking, tuple(nearest)[:NEAREST])
