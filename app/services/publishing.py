"""Publishing: one transaction turns a document into the newest revision of an article."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlmodel import Session, col

from app.content.document import Document
from app.content.document import Resource as Card
from app.content.excerpts import excerpt_of
from app.content.slugs import unique
from app.errors import InvalidInput
from app.models import Alias, Article, Origin, Pin, Rendering, Revision, Section, Translation
from app.models.columns import now
from app.storage import articles, jobs, renderings, resources, tags
from app.storage.resources import ResourceCard


@dataclass(frozen=True)
class Edition:
    """Everything that one publication needs."""

    document: Document
    source: str  # the exact text of the file
    path: str  # the file, relative to the content folder
    default_slug: str
    rendering: Rendering
    origin: Origin
    author: str = ""
    message: str = ""
    author_id: int | None = None


def create(session: Session, edition: Edition) -> Article:
    """Publish a new article and return it; raise InvalidInput when its slug or an alias belongs to another one."""
    document = edition.document
    moment = now()
    # Lists are sorted by these two: what was published elsewhere long ago is no news here.
    published = _start_of(document.date, moment) or moment
    article = Article(
        slug=_new_slug(session, edition),
        path=edition.path,
        lang=document.lang,
        title=document.title,
        body=document.body,
        excerpt=excerpt_of(edition.rendering.html),
        digest=edition.rendering.digest,
        revision=0,
        created_at=published,
        updated_at=published,
    )
    session.add(article)
    session.flush()
    _publish(session, article, edition, moment)
    return article


def revise(session: Session, article: Article, edition: Edition) -> None:
    """Publish the next revision of `article`; raise InvalidInput when a slug or an alias belongs to another one."""
    moment = now()
    document = edition.document
    if document.date != article.published:
        article.created_at = _start_of(document.date, moment) or article.created_at
    article.updated_at = moment
    move(session, article, edition)
    _publish(session, article, edition, moment)


def move(session: Session, article: Article, edition: Edition) -> None:
    """Give `article` the path and the slug of `edition`, and nothing else of it; its old slug becomes an alias.

    Raises InvalidInput when the slug belongs to another article.
    """
    # Without a slug of its own an article is named after its file, as in a database that has never seen it.
    slug = edition.document.slug or unique(
        edition.default_slug, lambda name: articles.slug_is_taken(session, name, but_article=article.id)
    )
    if slug != article.slug:
        _refuse_taken(session, slug, article.id)
        _drop_alias(session, slug)
        session.add(Alias(slug=article.slug, article_id=_id(article)))
        article.slug = slug
    article.path = edition.path
    session.add(article)


def _publish(session: Session, article: Article, edition: Edition, moment: datetime) -> None:
    document, article_id = edition.document, _id(article)
    article.lang = document.lang
    article.title = document.title
    article.body = document.body
    article.excerpt = excerpt_of(edition.rendering.html)
    article.digest = edition.rendering.digest
    article.published = document.date
    article.verified = document.verified
    article.review_after = document.review_after
    article.revision += 1
    session.add(article)
    session.add(
        Revision(
            article_id=article_id,
            number=article.revision,
            title=document.title,
            source=edition.source,
            author=edition.author,
            author_id=edition.author_id,
            message=edition.message,
            origin=edition.origin,
            created_at=moment,
        )
    )
    renderings.put(session, Rendering(**edition.rendering.model_dump()))
    tags.replace(session, article_id, document.tags)
    cards = {Section.RESOURCES: _cards(document.resources), Section.MORE: _cards(document.more)}
    resources.replace(session, article_id, cards)
    _set_aliases(session, article, document.aliases)
    _set_references(session, article_id, document)
    jobs.add(session, article_id)


def _set_aliases(session: Session, article: Article, wanted: Sequence[str]) -> None:
    # Aliases are only ever added: an address that was once given out stays good.
    for slug in wanted:
        if slug == article.slug:
            continue
        _refuse_taken(session, slug, article.id)
        if session.get(Alias, slug) is None:
            session.add(Alias(slug=slug, article_id=_id(article)))


def _set_references(session: Session, article_id: int, document: Document) -> None:
    session.exec(delete(Pin).where(col(Pin.article_id) == article_id))
    if document.translation_of:  # what stays as it is is not written: pages of other articles may depend on it
        session.merge(Translation(article_id=article_id, original_slug=document.translation_of))
    else:
        session.exec(delete(Translation).where(col(Translation.article_id) == article_id))
    session.add_all(
        Pin(article_id=article_id, position=position, slug=slug) for position, slug in enumerate(document.related)
    )


def _new_slug(session: Session, edition: Edition) -> str:
    if edition.document.slug:
        _refuse_taken(session, edition.document.slug, None)
        return edition.document.slug
    return unique(edition.default_slug, lambda slug: articles.slug_is_taken(session, slug))


def _refuse_taken(session: Session, slug: str, article_id: int | None) -> None:
    if articles.slug_is_taken(session, slug, but_article=article_id):
        raise InvalidInput("The address “%(slug)s” belongs to another article: choose another slug.", slug=slug)


def _drop_alias(session: Session, slug: str) -> None:
    session.exec(delete(Alias).where(col(Alias.slug) == slug))


def _cards(cards: Sequence[Card]) -> list[ResourceCard]:
    return [
        ResourceCard(card.url, card.title, card.description, card.site or host_of(card.url), card.archive or "")
        for card in cards
    ]


def host_of(url: str) -> str:
    """Return the host of `url` as people name the site, without `www.`; empty for what is no address."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _start_of(published: date | None, moment: datetime) -> datetime | None:
    """Return noon of the day of publication, which sorts well in every time zone; None without a day in the past."""
    return datetime.combine(published, time(12), UTC) if published and published < moment.date() else None


def _id(article: Article) -> int:
    assert article.id is not None
    return article.id
