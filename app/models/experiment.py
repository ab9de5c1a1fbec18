"""Experiments that the site has made on itself: which worker gets a request."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from app.models.columns import UtcDateTime


class Experiment(SQLModel, table=True):
    """One experiment; without `finished_at` it is running, or was cut off."""

    id: int | None = Field(default=None, primary_key=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    mode: str = Field(max_length=20)  # an ExperimentMode
    requests: int
    concurrency: int
    server_start: str = Field(max_length=40)  # the same for all workers from one start of the server to the next
    counts: list[tuple[int, int]] = Field(sa_type=JSON)  # process and its answers, those without any too
    failed: int = 0
    cv: float = 0.0
    chi_square_p: float = 1.0
    lag_agreement: float = 0.0
    duration_ms: float = 0.0
    slowest_ms: float = 0.0
    blocked_pid: int | None = None
    has_own_queues: bool = False  # a hash decides, not a race
