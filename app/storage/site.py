"""Facts about the database as a whole."""

from sqlmodel import Session, select

from app.models import Site


def identity(session: Session) -> str:
    """Return the identity that this database was given at its first migration."""
    return session.exec(select(Site.identity)).one()
