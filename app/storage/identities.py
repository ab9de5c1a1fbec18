"""Which account belongs to whom at an OpenID Connect provider."""

from sqlmodel import Session, col, select

from app.models import Account, LinkedIdentity


def account_of(session: Session, issuer: str, subject: str) -> Account | None:
    """Return the account that was linked with this person of the provider, else None."""
    statement = select(Account).join(LinkedIdentity)
    return session.exec(
        statement.where(LinkedIdentity.issuer == issuer, LinkedIdentity.subject == subject)
    ).one_or_none()


def of_account(session: Session, account_id: int) -> list[LinkedIdentity]:
    """Return what is linked with an account, the oldest first."""
    statement = select(LinkedIdentity).where(LinkedIdentity.account_id == account_id)
    return list(session.exec(statement.order_by(col(LinkedIdentity.id))))


def get_of_account(session: Session, account_id: int, identity_id: int) -> LinkedIdentity | None:
    """Return one of what is linked with an account; None when it is not, or another's."""
    found = session.get(LinkedIdentity, identity_id)
    return found if found is not None and found.account_id == account_id else None
