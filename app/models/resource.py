"""Web resources, and their ordered place in an article."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Section(StrEnum):
    """The two lists of resource cards under an answer."""

    RESOURCES = "resources"
    MORE = "more"


class LinkState(StrEnum):
    """What the last looks at a resource have shown."""

    OK = "ok"
    MOVED = "moved"  # redirected for good
    GONE = "gone"  # 404, 410 or no such host, three times with days between
    UNKNOWN = "unknown"  # errors of the server, refusals and timeouts never count as dead


class Resource(SQLModel, table=True):
    """An address that answers refer to, once for the whole site."""

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True, max_length=2000)
    state: str | None = Field(default=None, max_length=20, index=True)  # a LinkState; None before the first look
    status: int | None = None  # that was answered last
    moved_to: str | None = Field(default=None, max_length=2000)
    failures: int = Field(default=0, sa_column_kwargs={"server_default": "0"})  # in a row
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    check_after: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    etag: str | None = Field(default=None, max_length=200)


class ArticleResource(SQLModel, table=True):
    """A resource's card in an article, in the author's words."""

    __tablename__ = "article_resource"

    article_id: int = Field(primary_key=True, foreign_key="article.id", ondelete="CASCADE")
    section: str = Field(primary_key=True, max_length=20)
    position: int = Field(primary_key=True)
    resource_id: int = Field(foreign_key="resource.id", index=True)
    title: str = Field(max_length=500)
    description: str = Field(sa_type=Text)
    site: str = Field(max_length=200)
    archive: str = Field(default="", max_length=2000, sa_column_kwargs={"server_default": ""})
