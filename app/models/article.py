"""An article: one question with its curated answer, as its newest published revision has it."""

from datetime import date, datetime

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime

_LIVE = text("deleted_at IS NULL")
_DELETED = text("deleted_at IS NOT NULL")


class Article(SQLModel, table=True):
    """The published state of a question; all of it but the times can be derived from the newest revision's source."""

    __table_args__ = (
        *(
            # Whole answers to what lists ask, for a row is long and its last column far. PostgreSQL has the condition
            # too, by the migration 0011: to name it here would load that dialect into every process.
            Index(f"ix_article_live_{name}", f"{name}_at", "id", "lang", sqlite_where=_LIVE)
            for name in ("created", "updated")
        ),
        Index("ix_article_deleted", "deleted_at", sqlite_where=_DELETED),
    )

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=120)
    path: str = Field(unique=True, max_length=500)  # its file, relative to the content folder
    lang: str = Field(max_length=35)
    title: str = Field(max_length=300)
    body: str = Field(sa_type=Text)  # Markdown without front matter
    excerpt: str = Field(max_length=500)
    digest: str = Field(max_length=64)  # names the rendering of body
    revision: int
    published: date | None = None
    verified: date | None = None
    review_after: date | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # a tombstone: its addresses answer 410


class Alias(SQLModel, table=True):
    """A former or additional slug, answered with a redirect to the article."""

    slug: str = Field(primary_key=True, max_length=120)
    article_id: int = Field(foreign_key="article.id", index=True, ondelete="CASCADE")


class Translation(SQLModel, table=True):
    """Says that an article translates another; the original is named by slug, for it may arrive later."""

    article_id: int = Field(primary_key=True, foreign_key="article.id", ondelete="CASCADE")
    original_slug: str = Field(index=True, max_length=120)


class Pin(SQLModel, table=True):
    """A related question that the author chose, named by slug, for it may arrive later."""

    article_id: int = Field(primary_key=True, foreign_key="article.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    slug: str = Field(max_length=120)


class Similar(SQLModel, table=True):
    """An article that is like another, as the search index says; at position 0 is the article itself, at -1 a mark.

    An article without any has not been compared yet. All of it may be deleted at any time.
    """

    article_id: int = Field(foreign_key="article.id", primary_key=True, ondelete="CASCADE")
    position: int = Field(primary_key=True)
    other_id: int = Field(index=True)  # no foreign key: what is deleted is passed over


class ViewCount(SQLModel, table=True):
    """How often an article was read on one day (UTC)."""

    __tablename__ = "view_count"

    article_id: int = Field(primary_key=True, foreign_key="article.id", ondelete="CASCADE")
    day: date = Field(primary_key=True, index=True)
    count: int
