"""Drafts: what people are writing."""

from sqlmodel import Session, col, select

from app.models import Draft


def get(session: Session, account_id: int, name: str) -> Draft | None:
    """Return the draft of this person with this name, else None."""
    return session.get(Draft, (account_id, name))


def of_target(session: Session, account_id: int, target: str) -> list[Draft]:
    """Return all drafts of this person for one target, the last kept first."""
    is_of_target = (col(Draft.target) == target) | col(Draft.target).startswith(f"{target}~", autoescape=True)
    statement = select(Draft).where(Draft.account_id == account_id, is_of_target)
    return list(session.exec(statement.order_by(col(Draft.updated_at).desc())))


def of_account(session: Session, account_id: int) -> list[Draft]:
    """Return all drafts of this person, the last kept first."""
    return list(
        session.exec(select(Draft).where(Draft.account_id == account_id).order_by(col(Draft.updated_at).desc()))
    )


def put(session: Session, draft: Draft) -> Draft:
    """Keep a draft in place of the one before, and return it as it is stored."""
    return session.merge(draft)


def drop(session: Session, account_id: int, name: str) -> None:
    """Forget a draft."""
    known = session.get(Draft, (account_id, name))
    if known is not None:
        session.delete(known)
