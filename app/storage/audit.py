"""The record of changes of content, roles and settings."""

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.models import Account, AuditEntry
from app.models.columns import now
from app.pagination import Page, check_page, offset_of

COMMAND = "command line"


def record(session: Session, by: Account | str, action: str, subject: str, detail: str = "") -> None:
    """Add an entry, in the transaction that makes the change; `by` is an account or what acted in place of one."""
    account = by if isinstance(by, Account) else None
    actor = account.name if account else str(by)
    session.add(
        AuditEntry(
            at=now(),
            account_id=account.id if account else None,
            actor=actor[:254],
            action=action,
            subject=subject[:300],
            detail=detail[:500],
        )
    )


def list_page(session: Session, *, number: int, size: int) -> Page[AuditEntry]:
    """Return one page of entries, the newest first; raise NotFound for a page that does not exist."""
    total = session.exec(select(func.count()).select_from(AuditEntry)).one()
    statement = select(AuditEntry).order_by(col(AuditEntry.id).desc()).offset(offset_of(number, size)).limit(size)
    return check_page(Page(list(session.exec(statement)), total, number, size))
