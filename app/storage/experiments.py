"""Experiments."""

from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from app.models import Experiment


def get(session: Session, experiment_id: int) -> Experiment | None:
    """Return one experiment that was finished, else None."""
    found = session.get(Experiment, experiment_id)
    return found if found is not None and found.finished_at is not None else None


def last(session: Session, number: int) -> list[Experiment]:
    """Return the last experiments that were finished, the newest first."""
    finished = select(Experiment).where(col(Experiment.finished_at).is_not(None))
    return list(session.exec(finished.order_by(col(Experiment.id).desc()).limit(number)))


def running(session: Session, since: datetime, until: datetime) -> Experiment | None:
    """Return an experiment that was begun between these moments and is not finished, else None."""
    unfinished = select(Experiment).where(col(Experiment.finished_at).is_(None))
    return session.exec(unfinished.where(Experiment.started_at > since, Experiment.started_at <= until)).first()


def drop_unfinished(session: Session) -> None:
    """Forget experiments that were cut off."""
    session.exec(delete(Experiment).where(col(Experiment.finished_at).is_(None)))


def drop_before(session: Session, experiment_id: int) -> None:
    """Forget experiments that are older than this one."""
    session.exec(delete(Experiment).where(col(Experiment.id) < experiment_id))
