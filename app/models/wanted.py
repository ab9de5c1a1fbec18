"""A question that was searched for and has no answer yet."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Wanted(SQLModel, table=True):
    """Everything that people typed with the same terms; nothing tells who they were."""

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=500)  # the terms in order of the alphabet: scripts and endings are one
    query: str = Field(max_length=200)  # as it was typed first
    lang: str = Field(max_length=35)
    searches: int  # that found nothing
    asks: int  # by the button
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    answered_by: int | None = Field(default=None, foreign_key="article.id", index=True, ondelete="SET NULL")
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
