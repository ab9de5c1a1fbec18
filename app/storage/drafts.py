"""Drafts: what people are writing."""

from sqlmodel import Session

from app.models import Draft
from app.models.columns import now


def get(session: Session, account_id: int, target: str) -> Draft | None:
    """Return the draft of this person for this target, else None."""
    return session.get(Draft, (account_id, target))


def put(session: Session, account_id: int, target: str, fields: list[tuple[str, str]]) -> None:
    """Keep a draft in place of the one before."""
    session.merge(Draft(account_id=account_id, target=target, fields=fields, updated_at=now()))


def drop(session: Session, account_id: int, target: str) -> None:
    """Forget a draft."""
    known = session.get(Draft, (account_id, target))
    if known is not None:
        session.delete(known)
