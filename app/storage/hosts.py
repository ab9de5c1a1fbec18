"""The hosts that serve the same database."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.models import Host
from app.models.columns import now

FORGOTTEN_AFTER = timedelta(minutes=10)  # long enough to notice a host that is gone, and to be told of another secret


def put(session: Session, host: Host) -> None:
    """Keep how a host is, in place of what was known of it, and forget those that are gone for good."""
    session.exec(delete(Host).where(col(Host.seen_at) < now() - FORGOTTEN_AFTER))
    session.merge(host)


def drop_silent(session: Session, name: str, own: str, moment: datetime) -> None:
    """Forget the other hosts of this name that were not seen since `moment`."""
    is_other = (col(Host.name) == name) & (col(Host.id) != own)
    session.exec(delete(Host).where(is_other, col(Host.seen_at) < moment))


def others(session: Session, own: str) -> list[Host]:
    """Return all other hosts that were seen lately, by name."""
    lately = col(Host.seen_at) > now() - FORGOTTEN_AFTER
    return list(session.exec(select(Host).where(col(Host.id) != own, lately).order_by(col(Host.name), col(Host.id))))
