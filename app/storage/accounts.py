"""Accounts."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.models import Account, Role
from app.pagination import Page, check_page, offset_of


def get(session: Session, account_id: int) -> Account | None:
    """Return one account, else None."""
    return session.get(Account, account_id)


def by_email(session: Session, email: str) -> Account | None:
    """Return the account with this email address in lower case, else None."""
    return session.exec(select(Account).where(Account.email == email)).first()


def admin_count(session: Session) -> int:
    """Return how many administrators there are."""
    return session.exec(select(func.count()).select_from(Account).where(Account.role == Role.ADMIN)).one()


def everybody(session: Session) -> list[Account]:
    """Return all accounts by email address."""
    return list(session.exec(select(Account).order_by(Account.email)))


def list_page(session: Session, *, number: int, size: int) -> Page[Account]:
    """Return one page of accounts, the newest first; raise NotFound for a page that does not exist."""
    total = session.exec(select(func.count()).select_from(Account)).one()
    statement = select(Account).order_by(col(Account.id).desc()).offset(offset_of(number, size)).limit(size)
    return check_page(Page(list(session.exec(statement)), total, number, size))
