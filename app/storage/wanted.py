"""Questions that were searched for and have no answer yet."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.models import Wanted
from app.models.columns import now
from app.pagination import Page, check_page, offset_of

MAX_OPEN = 5000  # the least wanted are forgotten


def add(session: Session, entry: Wanted) -> None:
    """Add an entry's counts to what is known under its key; one that was closed is opened again."""
    known = session.exec(select(Wanted).where(Wanted.key == entry.key)).first()
    if known is None:
        session.add(entry)
        return
    known.searches += entry.searches
    known.asks += entry.asks
    known.last_at = max(known.last_at, entry.last_at)
    known.closed_at = known.answered_by = None


def seen_since(session: Session, moment: datetime) -> Sequence[Wanted]:
    """Return what is open and was wanted after `moment`."""
    return session.exec(select(Wanted).where(col(Wanted.last_at) > moment, col(Wanted.closed_at).is_(None))).all()


def open_after(session: Session, after: int, limit: int) -> list[Wanted]:
    """Return up to `limit` open entries with ids greater than `after`, ascending."""
    is_open = col(Wanted.closed_at).is_(None)
    return list(
        session.exec(select(Wanted).where(is_open, col(Wanted.id) > after).order_by(col(Wanted.id)).limit(limit))
    )


def remove(session: Session, entry: Wanted) -> None:
    """Delete an entry."""
    session.delete(entry)
    session.flush()


def list_page(session: Session, *, number: int, size: int) -> Page[Wanted]:
    """Return one page of what is open, the most wanted first; raise NotFound for a page that does not exist."""
    is_open = col(Wanted.closed_at).is_(None)
    total = session.exec(select(func.count()).select_from(Wanted).where(is_open)).one()
    statement = (
        select(Wanted)
        .where(is_open)
        .order_by(col(Wanted.asks).desc(), col(Wanted.searches).desc(), col(Wanted.last_at).desc(), col(Wanted.id))
        .offset(offset_of(number, size))
        .limit(size)
    )
    return check_page(Page(list(session.exec(statement)), total, number, size))


def newest(session: Session, limit: int) -> list[Wanted]:
    """Return what is open, the newest first."""
    statement = select(Wanted).where(col(Wanted.closed_at).is_(None))
    return list(session.exec(statement.order_by(col(Wanted.first_at).desc(), col(Wanted.id).desc()).limit(limit)))


def close(session: Session, entry_id: int, article_id: int) -> None:
    """Note that an article answers an entry."""
    entry = session.get(Wanted, entry_id)
    if entry is not None:
        entry.answered_by, entry.closed_at = article_id, now()


def forget_surplus(session: Session) -> None:
    """Delete the least and longest unwanted entries beyond MAX_OPEN."""
    surplus: Sequence[Wanted] = session.exec(
        select(Wanted)
        .where(col(Wanted.closed_at).is_(None))
        .order_by(col(Wanted.asks).desc(), col(Wanted.searches).desc(), col(Wanted.last_at).desc())
        .offset(MAX_OPEN)
    ).all()
    for entry in surplus:
        session.delete(entry)
