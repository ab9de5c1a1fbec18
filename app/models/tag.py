"""Tags, and their order in an article."""

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class Tag(SQLModel, table=True):
    """A topic; `name` is its normalised form and its address."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=60)


class ArticleTag(SQLModel, table=True):
    """A tag's place in an article."""

    __tablename__ = "article_tag"
    __table_args__ = (Index("ix_article_tag_tag_id", "tag_id", "article_id"),)

    article_id: int = Field(primary_key=True, foreign_key="article.id", ondelete="CASCADE")
    tag_id: int = Field(primary_key=True, foreign_key="tag.id")
    position: int
