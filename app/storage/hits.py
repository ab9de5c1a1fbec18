"""What the search page shows of articles, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Executable, bindparam, select
from sqlmodel import Session, col

from app.models import Article, Rendering

# Made once: putting a statement together takes longer than SQLite needs to answer it.
_BY_IDS: Executable = (
    select(
        col(Article.id).label("id"),
        col(Article.slug),
        col(Article.title),
        col(Article.lang),
        col(Article.updated_at),
        col(Rendering.text),
        col(Rendering.toc),
    )
    .outerjoin(Rendering, col(Rendering.digest) == col(Article.digest))
    .where(col(Article.id).in_(bindparam("ids", expanding=True)), col(Article.deleted_at).is_(None))
)


@dataclass(frozen=True, slots=True)
class Found:
    """An article with the text of its kept rendering (None: not kept) and the headings in it."""

    id: int
    slug: str
    title: str
    lang: str
    updated_at: datetime
    text: str | None
    toc: list[dict[str, str | int]] | None


def by_ids(session: Session, ids: Sequence[int]) -> dict[int, Found]:
    """Return the articles with these ids; missing ones are left out."""
    rows = session.connection().execute(_BY_IDS, {"ids": list(ids)})
    return {row.id: Found(*row) for row in rows}
