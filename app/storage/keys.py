"""What proves who somebody is: sessions of browsers, tokens of programs, links that work once. Digests only."""

from datetime import datetime
from typing import TypeVar

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from app.models import Account, ApiToken, BrowserSession, OneTimeLink, Purpose, RecoveryCode

Owned = TypeVar("Owned", BrowserSession, ApiToken, RecoveryCode)


def session_of(session: Session, digest: str) -> tuple[BrowserSession, Account] | None:
    """Return the browser's session with this digest and its account, else None."""
    found = session.exec(select(BrowserSession, Account).join(Account).where(BrowserSession.digest == digest)).first()
    return None if found is None else (found[0], found[1])


def sessions_of_account(session: Session, account_id: int) -> list[BrowserSession]:
    """Return the account's sessions, the last seen first."""
    statement = select(BrowserSession).where(BrowserSession.account_id == account_id)
    return list(session.exec(statement.order_by(col(BrowserSession.seen_at).desc(), col(BrowserSession.id).desc())))


def note_use(session: Session, used: BrowserSession | ApiToken, moment: datetime) -> None:
    """Write down when a session or a token was last used; one that has been revoked meanwhile stays so."""
    if isinstance(used, BrowserSession):
        session.exec(update(BrowserSession).where(col(BrowserSession.id) == used.id).values(seen_at=moment))
    else:
        session.exec(update(ApiToken).where(col(ApiToken.id) == used.id).values(used_at=moment))


def note_proof(session: Session, digest: str, moment: datetime) -> None:
    """Let the session with this digest be as if it had begun at `moment`, if there is still one."""
    session.exec(update(BrowserSession).where(col(BrowserSession.digest) == digest).values(created_at=moment))


def drop_session(session: Session, digest: str) -> None:
    """End the session with this digest, if there is one."""
    session.exec(delete(BrowserSession).where(col(BrowserSession.digest) == digest))


def drop_own(session: Session, kind: type[Owned], key: int | str, account_id: int) -> bool:
    """Delete the one of this kind with this primary key, if it is the account's; return whether it was."""
    found = session.get(kind, key)
    if found is None or found.account_id != account_id:
        return False
    session.delete(found)
    return True


def drop_sessions_but(session: Session, account_id: int, digest: str | None) -> None:
    """End all sessions of the account but the one with this digest."""
    others = delete(BrowserSession).where(col(BrowserSession.account_id) == account_id)
    session.exec(others if digest is None else others.where(col(BrowserSession.digest) != digest))


def drop_old_sessions(session: Session, *, made_before: datetime, seen_before: datetime) -> None:
    """End sessions that are too old, or were not used for too long."""
    too_old = (col(BrowserSession.created_at) < made_before) | (col(BrowserSession.seen_at) < seen_before)
    session.exec(delete(BrowserSession).where(too_old))


def token_of(session: Session, digest: str) -> tuple[ApiToken, Account] | None:
    """Return the token with this digest and its account, else None."""
    found = session.exec(select(ApiToken, Account).join(Account).where(ApiToken.digest == digest)).first()
    return None if found is None else (found[0], found[1])


def tokens_of_account(session: Session, account_id: int) -> list[ApiToken]:
    """Return the account's tokens, the newest first."""
    return list(
        session.exec(select(ApiToken).where(ApiToken.account_id == account_id).order_by(col(ApiToken.id).desc()))
    )


def drop_tokens(session: Session, account_id: int) -> None:
    """Delete all tokens of the account."""
    session.exec(delete(ApiToken).where(col(ApiToken.account_id) == account_id))


def link(session: Session, digest: str, purpose: Purpose) -> OneTimeLink | None:
    """Return the link with this digest and purpose, else None; whether it has expired is for the caller to see."""
    found = session.get(OneTimeLink, digest)
    return found if found is not None and found.purpose == purpose else None


def drop_expired_links(session: Session, moment: datetime) -> None:
    """Delete all links that are not good at `moment` any more."""
    session.exec(delete(OneTimeLink).where(col(OneTimeLink.expires_at) <= moment))
