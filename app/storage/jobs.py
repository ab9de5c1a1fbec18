"""The log of changed articles, from which every host's search index learns what it does not know yet.

Each index remembers up to which job it has come. Jobs are numbered in the order in which they are committed, for one
write transaction follows the other (see app/storage/engines.py), and the newest is always kept: SQLite would give its
number again.
"""

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.models import IndexJob
from app.models.columns import now

KEPT = 10_000  # a host that has missed more compares all of its index with the database


def add(session: Session, article_id: int) -> None:
    """Log an article; called in the transaction that changes it."""
    session.add(IndexJob(article_id=article_id, created_at=now()))


def after(session: Session, position: int, limit: int) -> list[IndexJob]:
    """Return the first jobs after the one at which an index is."""
    later = select(IndexJob).where(col(IndexJob.id) > position)
    return list(session.exec(later.order_by(col(IndexJob.id)).limit(limit)))


def count_after(session: Session, position: int) -> int:
    """Return how many jobs come after the one at which an index is."""
    return session.exec(select(func.count()).where(col(IndexJob.id) > position)).one()


def last_id(session: Session) -> int:
    """Return the number of the newest job, 0 when there is none."""
    return session.exec(select(func.max(IndexJob.id))).one() or 0


def stamp(session: Session, position: int) -> str | None:
    """Return what tells this job from all others that may get its number; None for one that is not in the log."""
    job = session.get(IndexJob, position)
    return None if job is None else job.created_at.isoformat()


def tells_all_after(session: Session, position: int) -> bool:
    """Say whether the log tells of all changes since that job: it was neither cut off after it nor never in it."""
    first = session.exec(select(func.min(IndexJob.id))).one()
    return position <= last_id(session) and (first is None or position >= first - 1)


def forget_old(session: Session) -> None:
    """Keep the newest jobs alone."""
    session.exec(delete(IndexJob).where(col(IndexJob.id) <= last_id(session) - KEPT))
