"""Which articles are like which; derived data that may be deleted at any time."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, delete
from sqlmodel import Session, col, insert, select

from app.models import Article, Similar

# Made once: each page of a question asks it.
_OF = (
    select(Similar.other_id)
    .where(Similar.article_id == bindparam("article_id"), col(Similar.position) >= 0)
    .order_by(col(Similar.position))
)

_MARK = -1  # the position that says of an article that it has changed since it was compared


def of(session: Session, article_id: int) -> list[int] | None:
    """Return the ids of the articles that are like this one, the most alike first; None when it is not known."""
    found = list(session.connection().execute(_OF, {"article_id": article_id}).scalars())
    return found[1:] if found else None


def put(session: Session, others: Mapping[int, Sequence[int]]) -> None:
    """Keep, for each article, the ids of those that are like it; what was kept before is replaced."""
    forget(session, others)
    _insert(
        session,
        [
            {"article_id": article_id, "position": position, "other_id": other_id}
            for article_id in _existing(session, others)
            for position, other_id in enumerate((article_id, *others[article_id]))
        ],
    )


def forget(session: Session, articles: Collection[int]) -> None:
    """Forget what these articles are like."""
    session.exec(delete(Similar).where(col(Similar.article_id).in_(articles), col(Similar.position) >= 0))


def mark(session: Session, changed: Collection[int]) -> None:
    """Note that articles have changed: what they are like, and what is like them, stays good for some seconds."""
    unmark(session, changed)
    _insert(session, [{"article_id": id_, "position": _MARK, "other_id": id_} for id_ in _existing(session, changed)])


def marked(session: Session, limit: int, among: Collection[int] | None = None) -> list[int]:
    """Return articles that have changed since they were compared: any, or of those `among` them."""
    chosen = select(Similar.article_id).where(col(Similar.position) == _MARK).limit(limit)
    return list(session.exec(chosen if among is None else chosen.where(col(Similar.article_id).in_(among))))


def unmark(session: Session, articles: Collection[int]) -> None:
    """Take the mark from these articles."""
    session.exec(delete(Similar).where(col(Similar.article_id).in_(articles), col(Similar.position) == _MARK))


def listing(session: Session, article_id: int) -> set[int]:
    """Return the articles that are said to be like this one."""
    named = select(Similar.article_id).where(Similar.other_id == article_id, col(Similar.position) > 0)
    return set(session.exec(named))


def forget_some(session: Session, limit: int) -> bool:
    """Forget everything about up to `limit` articles; return whether there may be more.

    Each row raises the content's version by a trigger: of a large library they take longer than others wait.
    """
    ids = session.exec(select(Similar.article_id).distinct().limit(limit)).all()
    session.exec(delete(Similar).where(col(Similar.article_id).in_(ids)))
    return len(ids) == limit


def unknown(session: Session, limit: int) -> list[int]:
    """Return articles of which it is not known what they are like, and that are not marked, the newest first."""
    known = select(Similar.article_id).where(col(Similar.position) <= 0)
    statement = select(Article.id).where(col(Article.deleted_at).is_(None), col(Article.id).not_in(known))
    return [id_ for id_ in session.exec(statement.order_by(col(Article.id).desc()).limit(limit)) if id_ is not None]


def _existing(session: Session, articles: Collection[int]) -> list[int]:
    return [id_ for id_ in session.exec(select(Article.id).where(col(Article.id).in_(articles))) if id_ is not None]


def _insert(session: Session, rows: list[dict[str, int]]) -> None:
    if rows:
        session.execute(insert(Similar), rows)
