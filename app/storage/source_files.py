"""Which file an article came from, and in which state it was exchanged last."""

from sqlmodel import Session, select

from app.models import SourceFile


def of_origin(session: Session, origin: str) -> dict[str, SourceFile]:
    """Return the known files of an origin by path."""
    return {known.path: known for known in session.exec(select(SourceFile).where(SourceFile.origin == origin))}


def put(session: Session, known: SourceFile) -> None:
    """Remember a file's state, in place of what was remembered of it before."""
    session.merge(known)
