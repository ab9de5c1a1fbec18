"""Resource cards of articles."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.models import ArticleResource, Resource, Section


@dataclass(frozen=True)
class ResourceCard:
    """One card: where it leads, and the author's words about it."""

    url: str
    title: str
    description: str
    site: str


def of_article(session: Session, article_id: int) -> dict[Section, list[ResourceCard]]:
    """Return the article's cards in their order, by section; every section is a key."""
    statement = (
        select(ArticleResource, Resource.url)
        .join(Resource)
        .where(ArticleResource.article_id == article_id)
        .order_by(col(ArticleResource.position))
    )
    cards: dict[Section, list[ResourceCard]] = {section: [] for section in Section}
    for place, url in session.exec(statement):
        cards[Section(place.section)].append(ResourceCard(url, place.title, place.description, place.site))
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
        )
        for section, cards in sections.items()
        for position, card in enumerate(cards)
    )
    session.flush()


def _ids(session: Session, urls: Collection[str]) -> dict[str, int]:
    rows = session.exec(select(Resource.url, Resource.id).where(col(Resource.url).in_(urls)))
    return {url: id_ for url, id_ in rows if id_ is not None}
