"""The history of articles."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.models import Revision
from app.pagination import Page, check_page, offset_of


def get(session: Session, article_id: int, number: int) -> Revision | None:
    """Return one revision of the article, else None."""
    return session.exec(select(Revision).where(Revision.article_id == article_id, Revision.number == number)).first()


def after(session: Session, article_id: int, number: int) -> list[Revision]:
    """Return the article's revisions after this one, the oldest first."""
    statement = select(Revision).where(Revision.article_id == article_id, Revision.number > number)
    return list(session.exec(statement.order_by(col(Revision.number))))


def number_of(session: Session, article_id: int, source: str) -> int:
    """Return the number of the article's newest revision with exactly this source, 0 when there is none."""
    wanted = select(func.max(Revision.number)).where(Revision.article_id == article_id, Revision.source == source)
    return session.exec(wanted).one() or 0


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


def newest(session: Session) -> tuple[int, str]:
    """Return the id of the newest revision of all, and its stamp; 0 and nothing when there is none."""
    revision = session.exec(select(Revision).order_by(col(Revision.id).desc()).limit(1)).first()
    return (0, "") if revision is None or revision.id is None else (revision.id, revision.created_at.isoformat())


def stamp(session: Session, id_: int) -> str:
    """Return what tells a revision from others that may get its id, in a restored database; nothing for no revision."""
    revision = session.get(Revision, id_)
    return "" if revision is None else revision.created_at.isoformat()


def has_written(session: Session, author_id: int) -> bool:
    """Say whether a revision is by this account."""
    return session.exec(select(Revision.id).where(Revision.author_id == author_id)).first() is not None


def article_made_since(session: Session, author_id: int, source: str, moment: datetime) -> int | None:
    """Return the article that this author has made after `moment` with exactly this text, else None."""
    first = Revision.author_id == author_id, Revision.number == 1, Revision.created_at > moment
    return session.exec(select(Revision.article_id).where(*first, Revision.source == source)).first()
