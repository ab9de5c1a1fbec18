"""Kept renderings of Markdown; derived data that may be deleted at any time."""

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, func, update
from sqlmodel import Session, col, select

from app.models import Article, Rendering

_BY_DIGEST = select(Rendering).where(
    Rendering.digest == bindparam("digest")
)  # made once: each page of a question asks it


def get(session: Session, digest: str) -> Rendering | None:
    """Return the kept rendering of this digest, else None."""
    return session.exec(_BY_DIGEST, params={"digest": digest}).first()


def of(session: Session, digests: Sequence[str]) -> list[Rendering]:
    """Return the kept renderings among `digests`, in no order."""
    return list(session.exec(select(Rendering).where(col(Rendering.digest).in_(digests))))


def put(session: Session, rendering: Rendering) -> None:
    """Keep a rendering; an equal one that is kept already stays."""
    if session.get(Rendering, rendering.digest) is None:
        session.add(rendering)


def drop_unused(session: Session) -> int:
    """Delete the renderings that are of no article's newest text; return how many."""
    result = session.exec(delete(Rendering).where(col(Rendering.digest).not_in(select(Article.digest))))
    return int(result.rowcount)


def of_other_versions(session: Session, version: str, *, after: int, limit: int) -> list[Article]:
    """Return articles whose rendering is not of this version of the renderer, by their ids, which are above `after`."""
    others = select(Article).where(~col(Article.digest).startswith(version), col(Article.id) > after)
    return list(session.exec(others.order_by(col(Article.id)).limit(limit)))


def count_of_other_versions(session: Session, version: str) -> int:
    """Return how many articles these are."""
    return session.exec(select(func.count()).where(~col(Article.digest).startswith(version))).one()


def replace(session: Session, article: Article, rendering: Rendering, excerpt: str) -> None:
    """Give `article` a rendering and its excerpt, unless its text has changed since it was read."""
    put(session, rendering)
    unchanged = col(Article.id) == article.id, col(Article.digest) == article.digest
    session.exec(update(Article).where(*unchanged).values(digest=rendering.digest, excerpt=excerpt))
