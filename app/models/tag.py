"""Tags, and their order in an article."""

from sqlmodel import Field, SQLModel


class Tag(SQLModel, table=True):
    """A topic; `name` is its normalised form and its address."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=60)


class ArticleTag(SQLModel, table=True):
    """A tag's place in an article."""

    __tablename__ = "article_tag"

    article_id: int = Field(primary_key=True, foreign_key="article.id", ondelete="CASCADE")
    tag_id: int = Field(primary_key=True, foreign_key="tag.id", index=True)
    position: int
