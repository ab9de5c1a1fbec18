"""Accounts: signing up and in, passwords, roles, and the keys that browsers and programs are known by."""

import hashlib
import re
import secrets
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.content.plain import one_line
from app.errors import Forbidden, InvalidFields, InvalidInput, NotFound, Problem
from app.models import Account, ApiToken, BrowserSession, Role, Scope
from app.models.columns import now
from app.services import passwords
from app.storage import accounts, audit, keys
from app.storage.database import Database

SESSION_UNUSED = timedelta(days=30)  # after which a session ends that nobody used
SESSION_LONGEST = timedelta(days=90)
SEEN_EVERY = timedelta(hours=1)  # how exactly is known when a key was last used
MAX_NAME = 80
MAX_EMAIL = 254
UNSEEN = " \u115f\u1160\u2800\u3164\uffa0"  # letters and signs that show nothing
TOKEN_PREFIX = "omni_"  # noqa: S105  tells scanners for lost secrets what they see
_EMAIL = re.compile(r"[^\s@<>()\",;:\\]+@[^\s@<>()\",;:\\.]+(\.[^\s@<>()\",;:\\.]+)*")


@dataclass(frozen=True)
class Key:
    """What proved who somebody is: a browser's session, or a token with its scope."""

    account: Account
    digest: str
    scope: Scope
    is_token: bool
    proved_at: datetime | None = None  # by a password or a provider; never by a token


def sign_up(
    database: Database, *, email: str, name: str, password: str | None, role: Role = Role.CONTRIBUTOR
) -> Account:
    """Make an account and return it; raise InvalidFields for what cannot be used.

    Without a password only another site opens it.
    """
    email, name, known = checked(email, name, password)
    with database.write() as session:
        account = add(session, email=email, name=name, password_hash=known, role=role)
        audit.record(session, account, "sign-up", email)
    return account


def add(session: Session, *, email: str, name: str, password_hash: str | None, role: Role) -> Account:
    """Add an account; raise InvalidFields when the address has one already."""
    if accounts.by_email(session, email) is not None:
        raise InvalidFields(Problem("email", "There is already an account with this email address. Sign in instead."))
    account = Account(email=email, name=name, password_hash=password_hash, role=role, created_at=now())
    session.add(account)
    session.flush()
    return account


def sign_in(database: Database, email: str, password: str) -> Account:
    """Return the account that these prove; raise InvalidInput when they prove none, without saying what was wrong."""
    with database.read() as session:
        account = accounts.by_email(session, folded(email))
    if not passwords.is_right(password, account.password_hash if account else None) or account is None:
        raise InvalidInput("Wrong email address or password.")
    return account


def open_session(
    database: Database, account: Account, agent: str, former: str | None = None, proved_at: datetime | None = None
) -> str:
    """Open a session for a browser, whose owner has proved who they are at `proved_at` or just now; return its key.

    It takes the place of that by the key `former`. Only the key's digest is kept.
    """
    key, seen, agent = secrets.token_urlsafe(32), now(), agent[:200]
    with database.write() as session:
        if former is not None:
            keys.drop_session(session, digest_of_key(former))
        keys.drop_old_sessions(session, made_before=seen - SESSION_LONGEST, seen_before=seen - SESSION_UNUSED)
        session.add(
            BrowserSession(
                account_id=id_of(account),
                digest=digest_of_key(key),
                agent=agent,
                created_at=proved_at or seen,
                seen_at=seen,
            )
        )
    return key


def close_session(database: Database, key: str) -> None:
    """End the session that `key` opened."""
    with database.write() as session:
        keys.drop_session(session, digest_of_key(key))


def key_of_session(database: Database, key: str) -> Key | None:
    """Return what a browser's key proves; None when it is unknown, was revoked or has expired."""
    digest, moment = digest_of_key(key), now()
    with database.read() as session:
        found = keys.session_of(session, digest)
    if found is None:
        return None
    known, account = found
    if moment - known.created_at > SESSION_LONGEST or moment - known.seen_at > SESSION_UNUSED:
        return None
    if moment - known.seen_at > SEEN_EVERY:
        _note_use(database, known, moment)
    return Key(account, digest, Scope.WRITE, is_token=False, proved_at=known.created_at)


def key_of_token(database: Database, token: str) -> Key | None:
    """Return what a program's token proves; None when it is unknown or was revoked."""
    digest, moment = digest_of_key(token), now()
    with database.read() as session:
        found = keys.token_of(session, digest)
    if found is None:
        return None
    known, account = found
    if known.used_at is None or moment - known.used_at > SEEN_EVERY:
        _note_use(database, known, moment)
    return Key(account, digest, Scope(known.scope), is_token=True)


def _note_use(database: Database, used: BrowserSession | ApiToken, moment: datetime) -> None:
    """Write down that a key was used; where that cannot be done at once, the next request does it."""
    with suppress(OperationalError), database.write(patience_s=0) as session:
        keys.note_use(session, used, moment)


def create_token(database: Database, account: Account, name: str, scope: Scope, by: Account | str) -> str:
    """Make a token for programs and return it; it can never be shown again."""
    name = checked_name(name, "token_name")
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    with database.write() as session:
        digest = digest_of_key(token)
        session.add(ApiToken(account_id=id_of(account), digest=digest, name=name, scope=scope, created_at=now()))
        audit.record(session, by, "token", account.email, f"{name} ({scope})")
    return token


def rename(database: Database, account: Account, name: str) -> None:
    """Change the name that is shown beside what the account contributes."""
    name = checked_name(name)
    if name == account.name:
        return
    with database.write() as session:
        session.get_one(Account, account.id).name = name
        audit.record(session, account, "name", account.email, name)


def change_password(database: Database, account: Account, *, old: str, new: str) -> None:
    """Change a password and end all sessions and tokens of the account.

    Raises InvalidFields when the old password is wrong or the new one cannot be taken.
    """
    if account.password_hash is not None and not passwords.is_right(old, account.password_hash):
        raise InvalidFields(Problem("old", "This is not your current password."))
    set_password(database, account, new, by=account, field="new")


def set_password(database: Database, account: Account, new: str, *, by: Account | str, field: str = "password") -> None:
    """Set a password without asking for the old one, and end all sessions and tokens of the account."""
    passwords.check(new, field, personal=_personal(account.name, account.email))
    known = passwords.hashed(new)
    with database.write() as session:
        session.get_one(Account, account.id).password_hash = known
        keys.drop_sessions_but(session, id_of(account), None)
        keys.drop_tokens(session, id_of(account))
        audit.record(session, by, "password", account.email)


def set_role(database: Database, account_id: int, role: Role, *, by: Account | str) -> Account:
    """Give an account another role; raise Forbidden when no administrator would be left."""
    with database.write() as session:
        account = accounts.get(session, account_id)
        if account is None:
            raise NotFound("There is no such account.")
        if account.role == Role.ADMIN and role != Role.ADMIN and accounts.admin_count(session) == 1:
            raise Forbidden("This is the only administrator. Give someone else that role first.")
        if account.role != role:
            audit.record(session, by, "role", account.email, f"{account.role} -> {role}")
            account.role = role
            session.add(account)
    return account


def checked_email(email: str) -> str:
    """Return an email address in lower case; raise InvalidFields for what is none."""
    email = folded(email)
    if len(email) > MAX_EMAIL:
        raise InvalidFields(Problem("email", "Use at most %(most)s characters.", {"most": MAX_EMAIL}))
    if not email.isprintable() or not _EMAIL.fullmatch(email):
        raise InvalidFields(Problem("email", "Enter a full email address, such as name@example.org."))
    return email


def checked_name(name: str, field: str = "name") -> str:
    """Return a name on one line; raise InvalidFields for an empty or too long one."""
    name = one_line(name)
    if not name.strip(UNSEEN) or len(name) > MAX_NAME:
        raise InvalidFields(Problem(field, "Enter a name of up to %(most)s characters.", {"most": MAX_NAME}))
    return name


def id_of(account: Account) -> int:
    """Return the id of an account that was stored."""
    assert account.id is not None
    return account.id


def checked(email: str, name: str, password: str | None) -> tuple[str, str, str | None]:
    """Return address and name as they are stored, and the password's hash; raise InvalidFields, with all problems."""
    problems: list[Problem] = []
    try:
        name = checked_name(name)
    except InvalidFields as error:
        problems += error.problems
    try:
        email = checked_email(email)
    except InvalidFields as error:
        problems += error.problems
    try:
        if password is not None:
            passwords.check(password, "password", personal=_personal(name, email))
    except InvalidFields as error:
        problems += error.problems
    if problems:
        raise InvalidFields(*problems)
    return email, name, None if password is None else passwords.hashed(password)


def _personal(name: str, email: str) -> tuple[str, ...]:
    return (email, name, *re.split(r"[@.]", email))


def folded(email: str) -> str:
    """Return an email address as accounts are known by it: compatibility forms folded, in lower case."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def digest_of_key(key: str) -> str:
    """Return by what a key, a token or a link is known; they themselves are not kept."""
    # The key is random and long: a fast digest is as good as a slow one.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
