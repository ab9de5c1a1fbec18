"""Facts about the database as a whole."""

from sqlalchemy import case, update
from sqlmodel import Session, col, select

from app.models import Site


def identity(session: Session) -> str:
    """Return the identity that this database was given at its first migration."""
    return session.exec(select(Site.identity)).one()


def version(session: Session) -> int:
    """Return the version of the content."""
    return session.exec(select(Site.version)).one()


def raise_version(session: Session, least: int = 0) -> None:
    """Raise the version by one, or to `least` where that is more: what the triggers do not see has changed."""
    raised = col(Site.version) + 1
    session.exec(update(Site).values(version=case((raised >= least, raised), else_=least)))
