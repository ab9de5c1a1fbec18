"""Aliases: former and additional slugs of articles."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from app.models import Alias


def of_articles(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the aliases of these articles by article, in alphabetical order; articles without are left out."""
    found: dict[int, list[str]] = {}
    for alias in session.exec(select(Alias).where(col(Alias.article_id).in_(ids)).order_by(Alias.slug)):
        found.setdefault(alias.article_id, []).append(alias.slug)
    return found


def add(session: Session, slug: str, article_id: int) -> None:
    """Make `slug` an alias of the article; it must be nobody's slug or alias."""
    session.add(Alias(slug=slug, article_id=article_id))
