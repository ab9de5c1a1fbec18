"""Drafts: what people are writing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from json import JSONDecoder

from sqlalchemy import ColumnElement, Text, cast
from sqlmodel import Session, col, func, select

from app.models import Draft

BEGINNING = 4000  # of the fields as they are stored: a title has 300 signs, each of them up to twelve characters


@dataclass(frozen=True)
class DraftLine:
    """What lists show of a draft: its text stays in the database."""

    target: str
    title: str
    updated_at: datetime


def get(session: Session, account_id: int, name: str) -> Draft | None:
    """Return the draft of this person with this name, else None."""
    return session.get(Draft, (account_id, name))


def of_target(session: Session, account_id: int, target: str) -> Sequence[DraftLine]:
    """Return all drafts of this person for one target, the last kept first."""
    is_of_target = (col(Draft.target) == target) | col(Draft.target).startswith(f"{target}~", autoescape=True)
    return _lines(session, account_id, is_of_target)


def of_account(session: Session, account_id: int) -> Sequence[DraftLine]:
    """Return all drafts of this person, the last kept first."""
    return _lines(session, account_id)


def count(session: Session, account_id: int) -> int:
    """Return how many drafts this person has."""
    return session.exec(select(func.count()).select_from(Draft).where(Draft.account_id == account_id)).one()


def put(session: Session, draft: Draft) -> Draft:
    """Keep a draft in place of the one before, and return it as it is stored."""
    return session.merge(draft)


def drop(session: Session, account_id: int, name: str) -> None:
    """Forget a draft."""
    known = session.get(Draft, (account_id, name))
    if known is not None:
        session.delete(known)


def _lines(session: Session, account_id: int, *which: ColumnElement[bool]) -> Sequence[DraftLine]:
    # Not by the functions for JSON: PostgreSQL's refuse all of a text with a sign that it cannot store.
    beginning = func.substr(cast(col(Draft.fields), Text), 1, BEGINNING)
    statement = select(Draft.target, beginning, Draft.updated_at).where(Draft.account_id == account_id, *which)
    return [
        DraftLine(target, _title_in(fields), updated_at)
        for target, fields, updated_at in session.exec(statement.order_by(col(Draft.updated_at).desc()))
    ]


def _title_in(beginning: str) -> str:
    """Return the title, which is the first of the fields; empty when it goes on beyond the beginning."""
    try:
        title, _ = JSONDecoder().raw_decode(beginning.removeprefix('[["title", '))
    except ValueError:
        return ""
    return title if isinstance(title, str) else ""
