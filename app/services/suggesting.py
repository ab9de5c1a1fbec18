"""What may be meant while it is still being typed: questions, and sections of them."""

from dataclasses import dataclass

from app.search.engine import SearchEngine
from app.search.folding import fold, is_han
from app.search.query import MAX_LENGTH, parse
from app.search.snippets import Marker
from app.storage import articles, hits
from app.storage.articles import Card
from app.storage.database import Database

LIMIT = 8
SECTIONS = 3
NEAR_LENGTH = 200  # characters of a text that questions are near to


@dataclass(frozen=True)
class Suggestion:
    """A question, or a section of one."""

    title: str
    slug: str
    path: str
    lang: str


def suggest(
    database: Database, index: SearchEngine, text: str, *, limit: int = LIMIT, reader_lang: str | None = None
) -> list[Suggestion]:
    """Return up to `limit` suggestions, the best first; raise IndexUnavailable without an index."""
    query = parse(text[:MAX_LENGTH])
    if not query.words:
        return []
    with index.reading() as reader:
        suggested = reader.suggest(query, limit, SECTIONS, reader_lang)
    with database.read() as session:
        named = articles.named(session, suggested.by_title)
        found = hits.by_ids(session, suggested.by_heading) if suggested.by_heading else {}
    questions = [Suggestion(name.title, name.slug, name.url, name.lang) for name in named]
    marker = Marker(suggested.plan.text_terms, query.typed)
    sections = []
    for article in (found[id_] for id_ in suggested.by_heading if id_ in found):
        headings = article.toc or []
        best = max(headings, key=lambda heading: len(marker.whole(str(heading["text"])).terms), default=None)
        if best is not None:
            title = f"{article.title} › {best['text']}"
            path = f"/questions/{article.slug}#{best['id']}"
            sections.append(Suggestion(title, article.slug, path, article.lang))
    return [*questions[: limit - len(sections)], *sections]


def near_questions(database: Database, index: SearchEngine, text: str, limit: int) -> list[Card]:
    """Return questions whose titles have at least some of a text that finds nothing: a word, or Chinese characters."""
    characters = dict.fromkeys(character for character in fold(text[:NEAR_LENGTH]) if is_han(character))
    query = parse(f"{parse(text[:NEAR_LENGTH]).typed} {' '.join(characters)}")
    with index.reading() as reader:
        near = reader.near(query, limit)
    with database.read() as session:
        return articles.cards(session, near)
