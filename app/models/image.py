"""Images that contributors have put in."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Image(SQLModel, table=True):
    """An image as it is stored: named by the digest of its bytes, so that the same one is stored once."""

    name: str = Field(primary_key=True, max_length=80)  # of its file, with its size in pixels
    media_type: str = Field(max_length=20)
    bytes: int
    account_id: int | None = Field(default=None, foreign_key="account.id", index=True, ondelete="SET NULL")
    created_at: datetime = Field(sa_type=UtcDateTime)
