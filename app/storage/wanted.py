"""Questions that were searched for and have no answer yet."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.models import Wanted
from app.models.columns import now
from app.pagination import Page, check_page, offset_of
from app.storage import upserts

MAX_OPEN = 5000  # the least wanted are forgotten


def add(session: Session, entries: Sequence[Wanted], superseded: Collection[int | None]) -> None:
    """Delete what has these ids, add the entries' counts to what is known under their keys, and keep MAX_OPEN.

    One that was closed is opened again.
    """
    if superseded:
        session.exec(delete(Wanted).where(col(Wanted.id).in_(superseded)))
    statement = upserts.insert(session, Wanted)
    new = statement.excluded
    counts = {"searches": col(Wanted.searches) + new.searches, "asks": col(Wanted.asks) + new.asks}
    changes = {**counts, "last_at": new.last_at, "closed_at": None, "answered_by": None}
    statement = statement.on_conflict_do_update(index_elements=[col(Wanted.key)], set_=changes)
    session.connection().execute(statement, [entry.model_dump(exclude={"id"}) for entry in entries])
    _forget_surplus(session)


def known_as(session: Session, keys: Collection[str]) -> Sequence[Wanted]:
    """Return what is known under these keys, open or closed."""
    return session.exec(select(Wanted).where(col(Wanted.key).in_(keys))).all()


def begun_since(session: Session, moment: datetime) -> Sequence[Wanted]:
    """Return what is open and was wanted for the first time after `moment`."""
    return session.exec(select(Wanted).where(col(Wanted.first_at) > moment, col(Wanted.closed_at).is_(None))).all()


def open_after(session: Session, after: int, limit: int) -> list[Wanted]:
    """Return up to `limit` open entries with ids greater than `after`, ascending."""
    is_open = col(Wanted.closed_at).is_(None)
    return list(
        session.exec(select(Wanted).where(is_open, col(Wanted.id) > after).order_by(col(Wanted.id)).limit(limit))
    )


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


def _forget_surplus(session: Session) -> None:
    """Delete the least and longest unwanted entries beyond MAX_OPEN."""
    surplus = (
        select(Wanted.id)
        .where(col(Wanted.closed_at).is_(None))
        .order_by(col(Wanted.asks).desc(), col(Wanted.searches).desc(), col(Wanted.last_at).desc())
        .offset(MAX_OPEN)
    )
    session.exec(delete(Wanted).where(col(Wanted.id).in_(surplus)))
