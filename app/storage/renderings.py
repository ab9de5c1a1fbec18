"""Kept renderings of Markdown; derived data that may be deleted at any time."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.models import Article, Rendering


def get(session: Session, digest: str) -> Rendering | None:
    """Return the kept rendering of this digest, else None."""
    return session.get(Rendering, digest)


def of(session: Session, digests: Sequence[str]) -> list[Rendering]:
    """Return the kept renderings among `digests`, in no order."""
    return list(session.exec(select(Rendering).where(col(Rendering.digest).in_(digests))))


def put(session: Session, rendering: Rendering) -> None:
    """Keep a rendering; an equal one that is kept already stays."""
    if session.get(Rendering, rendering.digest) is None:
        session.add(rendering)


def drop_unused(session: Session) -> int:
    """Delete the renderings that are of no article's newest text; return how many."""
    result = session.exec(delete(Rendering).where(col(Rendering.digest).not_in(select(Article.digest))))
    return int(result.rowcount)
