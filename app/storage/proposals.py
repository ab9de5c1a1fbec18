"""Proposals that wait for a reviewer, and what became of them."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.content.document import Document
from app.models import Article, Proposal, ProposalState
from app.models.columns import now
from app.pagination import Page, check_page, offset_of

FILES = "content folder"  # the author of what comes from files


def get(session: Session, proposal_id: int) -> Proposal | None:
    """Return one proposal, else None."""
    return session.get(Proposal, proposal_id)


def add_from_file(session: Session, article: Article, base: int, source: str, document: Document) -> None:
    """Keep a file's text that clashes with the site's, for a reviewer; an earlier one of the file gives way to it."""
    for known in pending_of_article(session, article.id or 0):
        if known.author_id is None and known.author == FILES:
            session.delete(known)
    session.add(
        Proposal(
            article_id=article.id,
            base_revision=base,
            source=source,
            title=document.title,
            lang=document.lang,
            message=article.path,
            author=FILES,
            state=ProposalState.PENDING,
            created_at=now(),
        )
    )


def has_source(session: Session, article_id: int, source: str) -> bool:
    """Say whether somebody has proposed exactly this text for the article, whatever became of it."""
    same = Proposal.article_id == article_id, Proposal.source == source
    return session.exec(select(Proposal.id).where(*same)).first() is not None


def same_pending(session: Session, author_id: int, article_id: int | None, source: str) -> Proposal | None:
    """Return the proposal of this author that waits with exactly this text, else None."""
    same = Proposal.author_id == author_id, Proposal.article_id == article_id, Proposal.source == source
    return session.exec(select(Proposal).where(*same, Proposal.state == ProposalState.PENDING)).first()


def pending_count(session: Session) -> int:
    """Return how many wait."""
    is_pending = Proposal.state == ProposalState.PENDING
    return session.exec(select(func.count()).select_from(Proposal).where(is_pending)).one()


def pending_page(session: Session, *, number: int, size: int) -> Page[Proposal]:
    """Return one page of those that wait, the oldest first; raise NotFound for a page that does not exist."""
    statement = select(Proposal).where(Proposal.state == ProposalState.PENDING).order_by(col(Proposal.id))
    found = list(session.exec(statement.offset(offset_of(number, size)).limit(size)))
    return check_page(Page(found, pending_count(session), number, size))


def next_pending(session: Session, after: int) -> int | None:
    """Return the number of the oldest proposal that waits after this one, else of the oldest of all; None for none."""
    waiting = select(Proposal.id).where(Proposal.state == ProposalState.PENDING).order_by(col(Proposal.id))
    return session.exec(waiting.where(col(Proposal.id) > after)).first() or session.exec(waiting).first()


def pending_of_article(session: Session, article_id: int) -> list[Proposal]:
    """Return what waits to change this article, the oldest first."""
    mine = Proposal.article_id == article_id, Proposal.state == ProposalState.PENDING
    return list(session.exec(select(Proposal).where(*mine).order_by(col(Proposal.id))))


def page_of_author(session: Session, author_id: int, *, number: int, size: int) -> Page[Proposal]:
    """Return one page of an account's proposals, the newest first; raise NotFound for a page that does not exist."""
    own = Proposal.author_id == author_id
    total = session.exec(select(func.count()).select_from(Proposal).where(own)).one()
    statement = select(Proposal).where(own).order_by(col(Proposal.id).desc())
    found = list(session.exec(statement.offset(offset_of(number, size)).limit(size)))
    return check_page(Page(found, total, number, size))


def article_of(session: Session, proposal: Proposal) -> Article | None:
    """Return the article that a proposal would change or has become, else None."""
    return None if proposal.article_id is None else session.get(Article, proposal.article_id)
