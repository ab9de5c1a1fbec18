"""The history of articles."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.models import Revision
from app.pagination import Page, check_page, offset_of


def get(session: Session, article_id: int, number: int) -> Revision | None:
    """Return one revision of the article, else None."""
    return session.exec(select(Revision).where(Revision.article_id == article_id, Revision.number == number)).first()


def list_page(session: Session, article_id: int, *, number: int, size: int) -> Page[Revision]:
    """Return one page of the article's revisions, the newest first; raise NotFound for a page that does not exist."""
    total = session.exec(select(func.count()).select_from(Revision).where(Revision.article_id == article_id)).one()
    statement = (
        select(Revision)
        .where(Revision.article_id == article_id)
        .order_by(col(Revision.number).desc())
        .offset(offset_of(number, size))
        .limit(size)
    )
    return check_page(Page(list(session.exec(statement)), total, number, size))


def count(session: Session) -> int:
    """Return how many revisions all articles have together."""
    return session.exec(select(func.count()).select_from(Revision)).one()
