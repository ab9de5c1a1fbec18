"""Tables about derived data and exchange; none of them holds an author's words alone."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Site(SQLModel, table=True):
    """The one row that tells this database from every other, so that an index is never used with a wrong one."""

    id: int = Field(default=1, primary_key=True)
    identity: str = Field(max_length=32)
    # Raised by triggers, see the migrations 0010 and 0013.
    version: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    structure: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})


class ArticleChange(SQLModel, table=True):
    """The version of the content in which what pages show of an article was changed last; kept by triggers."""

    __tablename__ = "article_change"

    article_id: int = Field(primary_key=True)  # no foreign key: it is told of whatever becomes of the article
    version: int = Field(sa_type=BigInteger)


class IndexJob(SQLModel, table=True):
    """Written with every change of an article: an index that has not come up to it does not know the change yet."""

    __tablename__ = "index_job"

    id: int | None = Field(default=None, primary_key=True)
    article_id: int  # no foreign key: the job outlives a deleted article
    created_at: datetime = Field(sa_type=UtcDateTime)


class Rendering(SQLModel, table=True):
    """HTML of a Markdown text, by the digest of renderer version, language and text; may be deleted at any time."""

    digest: str = Field(primary_key=True, max_length=64)
    html: str = Field(sa_type=Text)
    toc: list[dict[str, str | int]] = Field(sa_type=JSON)
    text: str = Field(sa_type=Text)


class SourceFile(SQLModel, table=True):
    """The file that an article came from or was last exchanged with."""

    __tablename__ = "source_file"

    origin: str = Field(primary_key=True, max_length=500)  # "content", or the folder of an import
    path: str = Field(primary_key=True, max_length=500)
    article_id: int = Field(foreign_key="article.id", index=True, ondelete="CASCADE")
    sha256: str = Field(max_length=64)  # of the file's bytes
    size: int
    mtime_ns: int = Field(
        sa_type=BigInteger
    )  # of the last change of content or name; -1: so fresh that it may change again unseen
    revision: int  # the article's newest revision that the file's text is part of
    source: str | None = Field(default=None, sa_type=Text)  # the file's text, where that revision is not equal to it
