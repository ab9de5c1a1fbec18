"""What readers say of an answer."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class FeedbackKind(StrEnum):
    """What a reader says."""

    HELPED = "helped"
    OUTDATED = "outdated"
    WRONG = "wrong"


class Feedback(SQLModel, table=True):
    """One reader's word on one revision; who it was is not kept, only enough to count each once."""

    __table_args__ = (UniqueConstraint("article_id", "revision", "reader"),)

    id: int | None = Field(default=None, primary_key=True)
    article_id: int = Field(foreign_key="article.id", ondelete="CASCADE")
    revision: int
    reader: str = Field(max_length=40)  # a digest that only this site can make, of this revision alone
    kind: str = Field(max_length=20)  # a FeedbackKind
    reason: str = Field(max_length=1000)
    created_at: datetime = Field(sa_type=UtcDateTime)
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)  # by a reviewer
