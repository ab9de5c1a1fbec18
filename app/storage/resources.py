"""Resource cards of articles."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, or_
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from app.models import Article, ArticleResource, LinkState, Resource, Section
from app.pagination import Page, check_page, offset_of

# In the order of a card's fields; made once, for each page of a question asks it.
_OF_ARTICLE = (
    sa_select(
        col(ArticleResource.section), col(Resource.url), col(ArticleResource.title), col(ArticleResource.description),
        col(ArticleResource.site), col(ArticleResource.archive), col(Resource.state), col(Resource.checked_at),
    )
    .join_from(ArticleResource, Resource)
    .where(col(ArticleResource.article_id) == bindparam("article_id"))
    .order_by(col(ArticleResource.position))
)  # fmt: skip


@dataclass(frozen=True)
class ResourceCard:
    """One card: where it leads, and the author's words about it."""

    url: str
    title: str
    description: str
    site: str
    archive: str = ""
    state: str | None = None  # a LinkState
    checked_at: datetime | None = None


@dataclass(frozen=True)
class GoneCard:
    """A card that leads nowhere any more, and the article that it is in."""

    slug: str
    article_title: str
    lang: str
    url: str
    title: str
    archive: str
    checked_at: datetime | None


def of_article(session: Session, article_id: int) -> dict[Section, list[ResourceCard]]:
    """Return the article's cards in their order, by section; every section is a key."""
    cards: dict[Section, list[ResourceCard]] = {section: [] for section in Section}
    for row in session.connection().execute(_OF_ARTICLE, {"article_id": article_id}):
        cards[Section(row.section)].append(ResourceCard(*row[1:]))
    return cards


def replace(session: Session, article_id: int, sections: Mapping[Section, Sequence[ResourceCard]]) -> None:
    """Make `sections` the cards of the article, in their order."""
    urls = {card.url for cards in sections.values() for card in cards}
    session.add_all(Resource(url=url) for url in sorted(urls - _ids(session, urls).keys()))
    session.flush()
    known = _ids(session, urls)
    session.exec(delete(ArticleResource).where(col(ArticleResource.article_id) == article_id))
    session.add_all(
        ArticleResource(
            article_id=article_id,
            section=section,
            position=position,
            resource_id=known[card.url],
            title=card.title,
            description=card.description,
            site=card.site,
            archive=card.archive,
        )
        for section, cards in sections.items()
        for position, card in enumerate(cards)
    )
    session.flush()


def due(session: Session, moment: datetime | None, limit: int) -> list[Resource]:
    """Return resources that live articles use and that are to be looked at again, those never looked at first.

    `moment` is the time that counts; None for all of them.
    """
    used = select(ArticleResource.resource_id).join(Article).where(col(Article.deleted_at).is_(None))
    statement = select(Resource).where(col(Resource.id).in_(used)).order_by(col(Resource.checked_at).nulls_first())
    if moment is not None:
        statement = statement.where(or_(col(Resource.check_after).is_(None), col(Resource.check_after) <= moment))
    return list(session.exec(statement.limit(limit)))


def gone_page(session: Session, *, number: int, size: int) -> Page[GoneCard]:
    """Return one page of cards that lead nowhere any more; raise NotFound for a page that does not exist."""
    gone = (
        select(Article.slug, Article.title, Article.lang, Resource.url, ArticleResource.title, ArticleResource.archive,
               Resource.checked_at)  # type: ignore[call-overload]
        .join_from(ArticleResource, Resource)
        .join(Article)
        .where(Resource.state == LinkState.GONE, col(Article.deleted_at).is_(None))
    )  # fmt: skip
    total = session.exec(select(func.count()).select_from(gone.subquery())).one()
    rows = session.execute(gone.order_by(Article.slug, Resource.url).offset(offset_of(number, size)).limit(size))
    return check_page(Page([GoneCard(*row) for row in rows], total, number, size))


def _ids(session: Session, urls: Collection[str]) -> dict[str, int]:
    rows = session.exec(select(Resource.url, Resource.id).where(col(Resource.url).in_(urls)))
    return {url: id_ for url, id_ in rows if id_ is not None}
