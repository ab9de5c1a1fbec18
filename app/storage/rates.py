"""Counters that all workers share."""

from sqlalchemy import delete
from sqlmodel import Session, col

from app.models import RateCount
from app.storage import upserts


def add(session: Session, key: str, period_start: int, number: int) -> int:
    """Add `number` to a counter and return its new value; atomic on both engines."""
    statement = upserts.insert(session, RateCount).values(key=key, period_start=period_start, count=number)
    statement = statement.on_conflict_do_update(
        index_elements=[col(RateCount.key), col(RateCount.period_start)],
        set_={"count": col(RateCount.count) + number},
    )
    value: int = session.execute(statement.returning(col(RateCount.count))).scalar_one()
    return value


def forget_before(session: Session, moment: int) -> None:
    """Delete the counters of stretches that began before `moment`, in seconds since 1970."""
    session.exec(delete(RateCount).where(col(RateCount.period_start) < moment))
