"""The first administrator: by the environment, or by a link that is printed at the start and works once."""

import secrets
from datetime import timedelta

from sqlmodel import Session

from app.errors import InvalidFields, NotFound, OperatorError
from app.models import Account, OneTimeLink, Purpose, Role
from app.models.columns import now
from app.services.accounts import add, checked, digest_of_key
from app.storage import accounts, audit, keys
from app.storage.database import Database

LINK_LIFETIME = timedelta(hours=24)


def ensure_first_admin(database: Database, email: str | None, password: str | None) -> str | None:
    """See to it that an administrator can exist: make the one that is configured, or return the key of a link.

    Returns None when there is one. Raises OperatorError when the configured address or password cannot be used.
    """
    with database.write() as session:  # hosts that start at once do this one after the other
        if accounts.admin_count(session):
            return None
        if email and password:
            _add_configured(session, email, password)
            return None
        key, moment = secrets.token_urlsafe(24), now()
        keys.drop_expired_links(session, moment)  # others stay: another host may have printed one just now
        expires = moment + LINK_LIFETIME
        session.add(OneTimeLink(digest=digest_of_key(key), purpose=Purpose.FIRST_ADMIN, expires_at=expires))
    return key


def is_link_good(database: Database, key: str) -> bool:
    """Say whether a link may still be used."""
    with database.read() as session:
        return _good_link(session, key) is not None


def first_admin(database: Database, key: str, *, email: str, name: str, password: str) -> Account:
    """Make the first administrator by the link printed at the start; raise NotFound when it is not good any more."""
    email, name, known = checked(email, name, password)
    with database.write() as session:
        link = _good_link(session, key)
        if link is None:
            raise NotFound("This link has been used or has expired. A new one is printed when the server starts.")
        account = add(session, email=email, name=name, password_hash=known, role=Role.ADMIN)
        session.delete(link)
        audit.record(session, account, "sign-up", email, Role.ADMIN)
    return account


def _add_configured(session: Session, email: str, password: str) -> None:
    try:
        email, name, known = checked(email, email.partition("@")[0], password)
        account = add(session, email=email, name=name, password_hash=known, role=Role.ADMIN)
    except InvalidFields as error:
        wrong = " ".join(f"{problem.field}: {problem.message % problem.params}" for problem in error.problems)
        raise OperatorError(
            f"OMNIRACLE_ADMIN_EMAIL and OMNIRACLE_ADMIN_PASSWORD cannot make an administrator ({wrong}): change them, "
            "or set neither and open the link that is printed then."
        ) from error
    audit.record(session, account, "sign-up", email)
    audit.record(session, "environment", "role", email, Role.ADMIN)


def _good_link(session: Session, key: str) -> OneTimeLink | None:
    """Return the link, unless it has expired or there is an administrator already."""
    found = keys.link(session, digest_of_key(key), Purpose.FIRST_ADMIN)
    is_good = found is not None and found.expires_at > now() and not accounts.admin_count(session)
    return found if is_good else None
