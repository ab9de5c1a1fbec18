"""What language models get: the shapes of answers, described for them, and how they are filled."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal, Protocol

from pydantic import BaseModel, Field

from app.models import Article, Section
from app.services import asking, searching
from app.storage.articles import Card
from app.storage.resources import ResourceCard
from app.storage.tags import TagCount


class Question(BaseModel):
    """A question of the library."""

    slug: str = Field(description="Its name, for read_question.")
    url: str = Field(description="Where people read it; cite this.")
    title: str
    lang: str


class Hit(Question):
    """A question that was found."""

    tags: list[str]
    excerpt: str = Field(description="Plain text around what was found.")
    section: str | None = Field(description="Heading of the section that the excerpt is of; `url` leads to it.")
    updated_at: datetime


class Hits(BaseModel):
    """What a search found, the best first."""

    total: int = Field(description="How many questions match; at most `limit` of them are in `hits`.")
    hits: list[Hit]


class Source(BaseModel):
    """A page elsewhere."""

    section: str = Field(description="`resources`: what the answer rests on; `more`: further reading.")
    url: str
    title: str
    description: str


class Answer(Question):
    """A question with its whole answer."""

    tags: list[str]
    revision: int = Field(description="Number of the revision that this is; cite it.")
    verified: date | None = Field(description="When a person last checked the facts.")
    markdown: str = Field(description="The whole answer, as its authors wrote it.")
    resources: list[Source]
    related: list[Question]


class Tag(BaseModel):
    """A topic."""

    name: str
    count: int = Field(description="How many questions have it.")
    url: str


class Tags(BaseModel):
    """The topics, the most frequent first."""

    tags: list[Tag]


class Passage(Question):
    """A passage of an answer; `url` leads to its section, `title` is of the whole answer."""

    revision: int = Field(description="Number of the article's revision that this is of; cite it.")
    verified: date | None = Field(description="When a person last checked the article's facts.")
    section: str | None = Field(description="Heading of its section; null for the introduction.")
    anchor: str | None = Field(description="The section's place on the page.")
    text: str = Field(description="The passage in Markdown, character for character as it stands in the answer.")
    whole_section: bool = Field(description="False: the section has more; read_question gives all of it.")
    coverage: float = Field(description="Which share of the question's words stands here, weighed by rarity, 0 to 1.")
    missing: list[str] = Field(description="Words of the question that do not: the passage may say nothing of them.")
    resources: list[Source] = Field(description="The sources of the article.")


class Reply(BaseModel):
    """What the library says to a question."""

    answer: Literal["passages", "no_answer"]
    passages: list[Passage] = Field(description="The best first; none without an answer.")
    reason: str | None = Field(description="Why there is no answer.")
    missing: list[str] = Field(description="Words of the question that even the nearest passage does not have.")
    nearest: list[Question] = Field(description="Without an answer: the nearest questions, which are others.")


class Listed(Protocol):
    """What is known of a question in a list; `url` is a path."""

    @property
    def slug(self) -> str: ...  # noqa: D102
    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def lang(self) -> str: ...  # noqa: D102


def question_of(listed: Listed, site: str) -> Question:
    """Return a question of a list; `site` is the beginning of all addresses."""
    return Question(slug=listed.slug, url=site + listed.url, title=listed.title, lang=listed.lang)


def hit_of(hit: searching.Hit, site: str) -> Hit:
    """Return a hit of a search."""
    return Hit(
        **question_of(hit, site).model_dump(),
        tags=list(hit.tags),
        excerpt=hit.excerpt,
        section=hit.section,
        updated_at=hit.updated_at,
    )


def answer_of(
    article: Article,
    tags: Sequence[str],
    cards: Mapping[Section, Sequence[ResourceCard]],
    related: Sequence[Card],
    site: str,
) -> Answer:
    """Return an article as it is now."""
    return Answer(
        slug=article.slug,
        url=f"{site}/questions/{article.slug}",
        title=article.title,
        lang=article.lang,
        tags=list(tags),
        revision=article.revision,
        verified=article.verified,
        markdown=article.body,
        resources=[_source(section, card) for section, listed in cards.items() for card in listed],
        related=[question_of(card, site) for card in related],
    )


def tag_of(tag: TagCount, site: str) -> Tag:
    """Return a topic."""
    return Tag(name=tag.name, count=tag.count, url=site + tag.url)


def passage_of(quote: asking.Quote, site: str) -> Passage:
    """Return a passage that answers a question."""
    return Passage(
        **question_of(quote, site).model_dump(),
        revision=quote.revision,
        verified=quote.verified,
        section=quote.heading,
        anchor=quote.anchor,
        text=quote.text,
        whole_section=quote.is_whole,
        coverage=quote.share,
        missing=list(quote.lacking),
        resources=[_source(Section.RESOURCES, card) for card in quote.resources],
    )


def _source(section: Section, card: ResourceCard) -> Source:
    return Source(section=section.value, url=card.url, title=card.title, description=card.description)
