"""Web resources, and their ordered place in an article."""

from enum import StrEnum

from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class Section(StrEnum):
    """The two lists of resource cards under an answer."""

    RESOURCES = "resources"
    MORE = "more"


class Resource(SQLModel, table=True):
    """An address that answers refer to, once for the whole site."""

    id: int | None = Field(default=None, primary_key=True)
    url: str = Field(unique=True, max_length=2000)


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
