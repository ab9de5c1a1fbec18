"""People with an account, and what proves who they are."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Purpose(StrEnum):
    """What a link that works once is for."""

    FIRST_ADMIN = "first-admin"
    PASSWORD = "password"  # noqa: S105  no password, a word


class Account(SQLModel, table=True):
    """A person who can sign in; without a password only through another site."""

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, max_length=254)  # in lower case
    name: str = Field(max_length=80)  # shown beside contributions
    password_hash: str | None = Field(default=None, max_length=200)
    role: str = Field(max_length=20)  # a Role
    created_at: datetime = Field(sa_type=UtcDateTime)


class LinkedIdentity(SQLModel, table=True):
    """Who an account's owner is at an OpenID Connect provider."""

    __tablename__ = "linked_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True, ondelete="CASCADE")
    issuer: str = Field(max_length=300)
    subject: str = Field(max_length=255)  # what the provider knows the person by, for ever
    email: str = Field(max_length=254)  # as the provider told it when they were linked
    created_at: datetime = Field(sa_type=UtcDateTime)


class BrowserSession(SQLModel, table=True):
    """A browser in which somebody is signed in; only the digest of its key is kept."""

    __tablename__ = "browser_session"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True, ondelete="CASCADE")
    digest: str = Field(unique=True, max_length=64)
    agent: str = Field(max_length=200)  # as the browser names itself
    created_at: datetime = Field(sa_type=UtcDateTime)  # or when its owner last proved who they are
    seen_at: datetime = Field(sa_type=UtcDateTime)


class SecondFactor(SQLModel, table=True):
    """What an account's owner has to show beside the password: a code of an app that shares a secret with the site."""

    __tablename__ = "second_factor"

    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    sealed: str = Field(max_length=400)  # the secret, of no use to who has the database alone
    last_step: int = Field(sa_type=BigInteger)  # the time of the last code that was taken: each is good once
    created_at: datetime = Field(sa_type=UtcDateTime)


class RecoveryCode(SQLModel, table=True):
    """A code that takes the place of the app's once; only its digest is kept."""

    __tablename__ = "recovery_code"

    digest: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", index=True, ondelete="CASCADE")


class ApiToken(SQLModel, table=True):
    """A key for programs; shown once, only its digest is kept."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    account_id: int = Field(foreign_key="account.id", index=True, ondelete="CASCADE")
    digest: str = Field(unique=True, max_length=64)
    name: str = Field(max_length=80)
    scope: str = Field(max_length=20)
    created_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OneTimeLink(SQLModel, table=True):
    """A link that works once: to become the first administrator, or to set a password."""

    __tablename__ = "one_time_link"

    digest: str = Field(primary_key=True, max_length=64)
    purpose: str = Field(max_length=20)
    account_id: int | None = Field(default=None, foreign_key="account.id", index=True, ondelete="CASCADE")
    expires_at: datetime = Field(sa_type=UtcDateTime)


class AuditEntry(SQLModel, table=True):
    """One change of content, role or setting: who, what, when. Entries are only ever added."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    account_id: int | None = Field(default=None, foreign_key="account.id", index=True, ondelete="SET NULL")
    actor: str = Field(max_length=254)  # the name at that time, or the command
    action: str = Field(max_length=40)
    subject: str = Field(max_length=300)
    detail: str = Field(default="", max_length=500)


class RateCount(SQLModel, table=True):
    """How often something was done in one stretch of time; counted by all workers together."""

    __tablename__ = "rate_count"

    key: str = Field(primary_key=True, max_length=100)
    period_start: int = Field(primary_key=True, sa_type=BigInteger)  # seconds since 1970
    count: int
