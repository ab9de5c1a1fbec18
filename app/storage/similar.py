"""Which articles are like which; derived data that may be deleted at any time."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, delete, or_
from sqlmodel import Session, col, insert, select

from app.models import Article, Similar

# Made once: each page of a question asks it.
_OF = select(Similar.other_id).where(Similar.article_id == bindparam("article_id")).order_by(col(Similar.position))


def of(session: Session, article_id: int) -> list[int] | None:
    """Return the ids of the articles that are like this one, the most alike first; None when it is not known."""
    found = list(session.connection().execute(_OF, {"article_id": article_id}).scalars())
    return found[1:] if found else None


def put(session: Session, others: Mapping[int, Sequence[int]]) -> None:
    """Keep, for each article, the ids of those that are like it; what was kept before is replaced."""
    session.exec(delete(Similar).where(col(Similar.article_id).in_(others)))
    existing = set(session.exec(select(Article.id).where(col(Article.id).in_(others))))
    rows = [
        {"article_id": article_id, "position": position, "other_id": other_id}
        for article_id, ids in others.items()
        if article_id in existing
        for position, other_id in enumerate((article_id, *ids))
    ]
    if rows:
        session.execute(insert(Similar), rows)


def forget(session: Session, changed: Collection[int], likely: Collection[int]) -> None:
    """Forget what articles are like that have changed, or may now be like them; and all that was like them."""
    named = select(Similar.article_id).where(col(Similar.other_id).in_(changed))
    of_them = col(Similar.article_id).in_({*changed, *likely})
    session.exec(delete(Similar).where(or_(of_them, col(Similar.article_id).in_(named))))


def forget_all(session: Session) -> None:
    """Forget everything."""
    session.exec(delete(Similar))


def unknown(session: Session, limit: int) -> list[int]:
    """Return articles of which it is not known what they are like, the newest first."""
    known = select(Similar.article_id).where(col(Similar.position) == 0)
    statement = select(Article.id).where(col(Article.deleted_at).is_(None), col(Article.id).not_in(known))
    return [id_ for id_ in session.exec(statement.order_by(col(Article.id).desc()).limit(limit)) if id_ is not None]
