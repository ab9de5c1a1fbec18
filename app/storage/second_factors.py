"""Second factors of accounts, and the codes for when one is lost."""

from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.models import RecoveryCode, SecondFactor


def of(session: Session, account_id: int) -> SecondFactor | None:
    """Return the account's second factor, else None."""
    return session.get(SecondFactor, account_id)


def among(session: Session, accounts: Collection[int]) -> set[int]:
    """Return which of these accounts have one."""
    chosen = select(SecondFactor.account_id).where(col(SecondFactor.account_id).in_(accounts))
    return set(session.exec(chosen))


def every(session: Session) -> Iterator[SecondFactor]:
    """Yield the second factors of all accounts, in the order of their numbers."""
    yield from session.exec(select(SecondFactor).order_by(col(SecondFactor.account_id)))


def put(session: Session, factor: SecondFactor, digests: Iterable[str]) -> None:
    """Give an account that has none a second factor and its recovery codes."""
    session.add(factor)
    session.add_all(RecoveryCode(digest=digest, account_id=factor.account_id) for digest in digests)


def drop(session: Session, account_id: int) -> bool:
    """Take an account's second factor and its codes away; return whether it had one."""
    found = session.get(SecondFactor, account_id)
    if found is not None:
        session.delete(found)
    session.exec(delete(RecoveryCode).where(col(RecoveryCode.account_id) == account_id))
    return found is not None
