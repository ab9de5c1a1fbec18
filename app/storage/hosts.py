"""The hosts that serve the same database, which is one on PostgreSQL; times are those of its clock."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from app.models import Host

FORGOTTEN_AFTER = timedelta(minutes=10)  # long enough to notice a host that is gone, and to be told of another secret


def clock(session: Session) -> datetime:
    """Return the time by the database's clock: those of the hosts may be wrong."""
    moment: datetime = session.exec(select(func.clock_timestamp())).one()
    return moment


def put(session: Session, host: Host) -> None:
    """Keep how a host is, in place of what was known of it, and forget those that are gone for good."""
    session.exec(delete(Host).where(col(Host.seen_at) < host.seen_at - FORGOTTEN_AFTER))
    session.merge(host)


def drop_silent(session: Session, name: str, own: str, moment: datetime) -> None:
    """Forget the other hosts of this name that were not seen since `moment`."""
    is_other = (col(Host.name) == name) & (col(Host.id) != own)
    session.exec(delete(Host).where(is_other, col(Host.seen_at) < moment))


def others(session: Session, own: str, moment: datetime) -> list[Host]:
    """Return all other hosts that were seen not long before `moment`, by name."""
    lately = col(Host.seen_at) > moment - FORGOTTEN_AFTER
    return list(session.exec(select(Host).where(col(Host.id) != own, lately).order_by(col(Host.name), col(Host.id))))
