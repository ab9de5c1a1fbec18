"""One search: the query, the index, and the articles from the database."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from typing import Literal

from app.pagination import Page, check_page, offset_of
from app.search.engine import SearchEngine
from app.search.folding import is_simplified
from app.search.plan import Match, Plan
from app.search.query import Query, parse
from app.search.regional import variants
from app.search.sections import section_at
from app.search.snippets import Marker
from app.services.rendering import make_rendering
from app.storage import articles, hits, tags
from app.storage.database import Database
from app.storage.hits import Found

FACET_TAGS = 12
LONG_TEXT = 1500  # characters from which on a hit leads to its section
MOST = 0.5  # of the query's terms; a title that holds more is the question itself, and its answer is read from the top
WARM_QUERIES = (
    "fastapi workers 策略",
    "應用程式 rwfp celue wrokers",
    "the of and to in is for on with a",
)  # common words have long lists
Way = Literal["text", "variant", "prefix", "typo", "pinyin"]
KINDS: tuple[Way, ...] = ("variant", "prefix", "typo", "pinyin")


@dataclass(frozen=True)
class Hit:
    """An article that was found; the two `_html` texts are escaped and marked."""

    slug: str
    title: str
    title_html: str
    excerpt_html: str
    section: str | None  # heading of the section that the excerpt is of
    anchor: str | None
    lang: str
    tags: tuple[str, ...]
    score: float
    matched: tuple[Way, ...]  # how it was found
    updated_at: datetime

    @property
    def url(self) -> str:
        """The path of the article's page, or of the section that matched."""
        return f"/questions/{self.slug}{f'#{self.anchor}' if self.anchor else ''}"

    @property
    def excerpt(self) -> str:
        """The excerpt as plain text."""
        return unescape(self.excerpt_html.replace("<mark>", "").replace("</mark>", ""))


@dataclass(frozen=True)
class Results:
    """A page of hits, and what was counted on the way."""

    query: str
    page: Page[Hit]
    took_ms: float
    generation: int
    languages: list[tuple[str, int]]
    topics: list[tuple[str, int]]
    did_you_mean: str | None
    as_typed: str | None  # the query that looks for mistyped words just so; None where there are none
    is_complete: bool  # False: a phrase of frequent words was looked for in a part of the articles


def search(
    database: Database,
    index: SearchEngine,
    text: str,
    *,
    number: int = 1,
    size: int = 10,
    offset: int | None = None,
    tag: str | None = None,
    lang: str | None = None,
    reader_lang: str | None = None,
) -> Results:
    """Search for what a person typed and return one page of hits.

    `offset`, when given, chooses where the page begins in place of `number`; articles in `reader_lang` come first where
    scores are near. Raises InvalidInput for a text that is too long, NotFound for a page that does not exist,
    IndexUnavailable without an index.
    """
    started = time.perf_counter()
    query = parse(text)
    with index.reading() as reader:
        found = reader.search(query, tag=tag, lang=lang, reader_lang=reader_lang)
        matches = found.page(offset_of(number, size) if offset is None else offset, size)
        languages, topics = _most_frequent(found.languages()), _most_frequent(found.tags())[:FACET_TAGS]
    page = Page(_hits(database, query, found.plan, matches), found.total, number, size)
    return Results(
        query=text,
        page=page if offset is not None else check_page(page),
        took_ms=(time.perf_counter() - started) * 1000,
        generation=reader.generation,
        languages=languages,
        topics=topics,
        did_you_mean=_corrected(text, found.plan),
        as_typed=_as_typed(text, found.plan),
        is_complete=found.is_complete,
    )


def load() -> None:
    """Load what searches need beside the index; processes that are forked afterwards share it."""
    for text in WARM_QUERIES:
        variants(text)
        is_simplified(text)


def warm(index: SearchEngine) -> None:
    """Load what the first searches would otherwise wait for; raise IndexUnavailable without an index."""
    with index.reading() as reader:
        for text in WARM_QUERIES:
            found = reader.search(parse(text))
            found.page(0, 10)
            found.tags()


def _hits(database: Database, query: Query, plan: Plan, matches: Sequence[Match]) -> list[Hit]:
    ids = [match.article_id for match in matches]
    with database.read() as session:
        found = hits.by_ids(session, ids)
        names = tags.names_of(session, ids)
        bare = [known.id for known in found.values() if known.text is None]
        bodies = (
            {article.id: (article.body, article.lang) for article in articles.by_ids(session, bare)} if bare else {}
        )
    marker = Marker(plan.text_terms, query.typed, plan.sounds)
    shown = []
    for match in matches:
        known = found.get(match.article_id)
        if known is None:  # deleted since the index was written
            continue
        if known.text is None:
            rendering = make_rendering(*bodies[known.id])
            known = replace(known, text=rendering.text, toc=rendering.toc)
        shown.append(_hit(known, names.get(known.id, ()), marker, query, match))
    return shown


def _hit(found: Found, names: tuple[str, ...], marker: Marker, query: Query, match: Match) -> Hit:
    text, toc = found.text or "", found.toc or []
    title = marker.title(found.title)
    excerpt = marker.excerpt(text)
    section = None
    if excerpt.marks and len(text) > LONG_TEXT and len(title.terms) <= MOST * len(query.terms):
        section = section_at(text, [str(heading["text"]) for heading in toc], excerpt.start)
    return Hit(
        slug=found.slug,
        title=found.title,
        title_html=title.html,
        excerpt_html=excerpt.html,
        section=None if section is None else str(toc[section]["text"]),
        anchor=None if section is None else str(toc[section]["id"]),
        lang=found.lang,
        tags=names,
        score=round(match.score, 4),
        matched=_matched(match, has_variant=title.has_variant or excerpt.has_variant),
        updated_at=found.updated_at,
    )


def _matched(match: Match, *, has_variant: bool) -> tuple[Way, ...]:
    kinds = [kind for kind in KINDS if kind in match.kinds or (kind == "variant" and has_variant)]
    has_plain_text = not has_variant and {"text", "joined", "character"} & set(match.kinds)
    return ("text", *kinds) if has_plain_text or not kinds else tuple(kinds)


def _corrected(text: str, plan: Plan) -> str | None:
    """Return what was typed with mistyped words put right; None when there is none."""
    return _replaced(text, plan.corrections)


def _as_typed(text: str, plan: Plan) -> str | None:
    """Return what was typed with mistyped words in quotes, which searches for them just so; None when there is none."""
    has_quotes = any(sign in text for sign in '"“”')
    return None if has_quotes else _replaced(text, dict.fromkeys(plan.corrections, r'"\g<0>"'))


def _replaced(text: str, others: Mapping[str, str]) -> str | None:
    replaced = text
    for word, other in others.items():
        replaced = re.sub(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", other, replaced, flags=re.IGNORECASE)
    return replaced if replaced != text else None


def _most_frequent(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
