"""What people want to change and what is not public yet."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, Text
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class ProposalState(StrEnum):
    """What became of a proposal."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Proposal(SQLModel, table=True):
    """A new article, or a change of one, that waits for a reviewer; nothing public knows of it."""

    id: int | None = Field(default=None, primary_key=True)
    article_id: int | None = Field(default=None, foreign_key="article.id", index=True, ondelete="CASCADE")
    base_revision: int  # from which the text comes; 0 for a new article
    source: str = Field(sa_type=Text)
    title: str = Field(max_length=300)
    lang: str = Field(max_length=35)
    message: str = Field(max_length=500)
    author_id: int | None = Field(default=None, foreign_key="account.id", index=True, ondelete="SET NULL")
    author: str = Field(max_length=200)  # the name at that time
    state: str = Field(max_length=20, index=True)  # a ProposalState
    reason: str = Field(default="", max_length=2000)  # why it was rejected
    reviewer: str = Field(default="", max_length=200)
    revision: int | None = None  # that it became
    created_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Draft(SQLModel, table=True):
    """What somebody is writing, kept while they do."""

    account_id: int = Field(primary_key=True, foreign_key="account.id", ondelete="CASCADE")
    target: str = Field(primary_key=True, max_length=100)  # "new", "article-5"; then, perhaps, "~" and the window
    window: str = Field(default="", max_length=20, sa_column_kwargs={"server_default": ""})  # that last kept it
    fields: list[tuple[str, str]] = Field(sa_type=JSON)  # of the editor's form, in their order
    updated_at: datetime = Field(sa_type=UtcDateTime)

    @property
    def title(self) -> str:
        """The question as far as it is written."""
        return dict(self.fields).get("title", "")
