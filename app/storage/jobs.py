"""The queue of articles that the search index does not know in their newest form."""

from collections.abc import Sequence

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.models import IndexJob
from app.models.columns import now


def add(session: Session, article_id: int) -> None:
    """Queue an article; called in the transaction that changes it."""
    session.add(IndexJob(article_id=article_id, created_at=now()))


def pending(session: Session, limit: int) -> list[IndexJob]:
    """Return the oldest jobs."""
    return list(session.exec(select(IndexJob).order_by(col(IndexJob.id)).limit(limit)))


def count(session: Session) -> int:
    """Return how many jobs wait."""
    return session.exec(select(func.count()).select_from(IndexJob)).one()


def last_id(session: Session) -> int:
    """Return the id of the newest job, 0 when none waits."""
    return session.exec(select(func.max(IndexJob.id))).one() or 0


def done(session: Session, ids: Sequence[int]) -> None:
    """Take jobs off the queue."""
    session.exec(delete(IndexJob).where(col(IndexJob.id).in_(ids)))


def done_up_to(session: Session, last: int) -> None:
    """Take all jobs up to and including `last` off the queue."""
    session.exec(delete(IndexJob).where(col(IndexJob.id) <= last))
