"""A revision: the whole source of an article as it once was."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Origin(StrEnum):
    """Where a revision came from."""

    SYNC = "sync"
    IMPORT = "import"
    WEB = "web"
    API = "api"


class Revision(SQLModel, table=True):
    """One change of an article, from the first; `source` is the file's exact text, front matter included."""

    __table_args__ = (UniqueConstraint("article_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="article.id", ondelete="CASCADE")
    number: int  # counts from 1 within the article
    title: str = Field(max_length=300)
    source: str = Field(sa_type=Text)
    author: str = Field(default="", max_length=200)
    author_id: int | None = Field(default=None, foreign_key="account.id", index=True, ondelete="SET NULL")
    message: str = Field(default="", max_length=500)
    origin: str = Field(max_length=20)
    created_at: datetime = Field(sa_type=UtcDateTime)
