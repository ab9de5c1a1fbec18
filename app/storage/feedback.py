"""What readers say of answers."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, delete, func
from sqlmodel import Session, col, select

from app.models import Article, Feedback, FeedbackKind
from app.models.columns import now
from app.pagination import Page, check_page, offset_of

_HELPED = select(func.count()).where(
    Feedback.article_id == bindparam("article_id"), Feedback.kind == FeedbackKind.HELPED
)  # made once: each page of a question asks it


@dataclass(frozen=True)
class Complaint:
    """A reader's doubt, and the article that it is about."""

    id: int
    slug: str
    title: str
    lang: str
    kind: str
    reason: str
    revision: int
    newest: int
    created_at: datetime


@dataclass(frozen=True)
class StaleAnswer:
    """An answer whose facts were to be checked again by now."""

    slug: str
    title: str
    lang: str
    review_after: date
    verified: date | None


def put(session: Session, said: Feedback, counted: str) -> None:
    """Keep what a reader says of a revision, in place of the same said before, or of what was `counted` for them."""
    same = col(Feedback.article_id) == said.article_id, col(Feedback.revision) == said.revision
    session.exec(delete(Feedback).where(*same, col(Feedback.reader).in_({said.reader, counted})))
    session.add(said)


def helped(session: Session, article_id: int) -> int:
    """Return how many readers an answer has helped, in all of its revisions."""
    return int(session.connection().execute(_HELPED, {"article_id": article_id}).scalar_one())


def complaints_page(session: Session, *, number: int, size: int) -> Page[Complaint]:
    """Return one page of the doubts that no reviewer has dealt with, the newest first; raise NotFound beyond it."""
    statement = (
        select(Feedback.id, Article.slug, Article.title, Article.lang, Feedback.kind, Feedback.reason,
               Feedback.revision, Article.revision, Feedback.created_at)  # type: ignore[call-overload]
        .join_from(Feedback, Article)
        .where(Feedback.kind != FeedbackKind.HELPED, col(Feedback.handled_at).is_(None))
        .where(col(Article.deleted_at).is_(None))
    )  # fmt: skip
    total = session.exec(select(func.count()).select_from(statement.subquery())).one()
    rows = session.execute(statement.order_by(col(Feedback.id).desc()).offset(offset_of(number, size)).limit(size))
    return check_page(Page([Complaint(*row) for row in rows], total, number, size))


def handle(session: Session, feedback_id: int) -> Feedback | None:
    """Note that a reviewer has dealt with a doubt, and return it; None when there is none."""
    known = session.get(Feedback, feedback_id)
    if known is not None:
        known.handled_at = now()
        session.add(known)
    return known


def stale_page(session: Session, today: date, *, number: int, size: int) -> Page[StaleAnswer]:
    """Return one page of the answers to be checked again, the oldest first; raise NotFound beyond it."""
    stale = col(Article.review_after) < today, col(Article.deleted_at).is_(None)
    total = session.exec(select(func.count()).select_from(Article).where(*stale)).one()
    statement = select(
        Article.slug,
        Article.title,
        Article.lang,
        Article.review_after,
        Article.verified,  # type: ignore[call-overload]
    ).where(*stale)
    rows = session.execute(statement.order_by(Article.review_after).offset(offset_of(number, size)).limit(size))
    return check_page(Page([StaleAnswer(*row) for row in rows], total, number, size))
