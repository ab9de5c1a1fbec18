"""What may be done only so often."""

import time

import pytest
from sqlmodel import select

from app.errors import TooManyRequests
from app.models import RateCount
from app.services.limits import KEPT_S, Limit, RateLimits

TWICE = Limit("tests", 2, 3600)


def counted(library):
    with library.database.read() as session:
        return [row.count for row in session.exec(select(RateCount))]


def refused(limits, subject="somebody"):
    with pytest.raises(TooManyRequests) as caught:
        limits.count(TWICE, subject)
    assert 0 < caught.value.retry_after_s <= 3600


def test_who_is_refused_costs_the_database_nothing(library):
    limits, other_worker = (RateLimits(library.database, b"secret") for _ in range(2))
    limits.count(TWICE, "somebody")
    other_worker.count(TWICE, "somebody")
    for _ in range(10):
        refused(limits)
        refused(other_worker)
    assert counted(library) == [4]  # each worker had to learn it once
    limits.count(TWICE, "somebody else")


def test_old_counters_are_forgotten(library, monkeypatch):
    limits = RateLimits(library.database, b"secret")
    limits.count(TWICE, "somebody")
    limits.forget()
    assert counted(library) == [1]
    later = time.time() + KEPT_S + TWICE.period_s
    monkeypatch.setattr("app.services.limits.time.time", lambda: later)
    limits.forget()
    assert counted(library) == []


def test_the_next_period_begins_anew(library, monkeypatch):
    limits = RateLimits(library.database, b"secret")
    for _ in range(2):
        limits.count(TWICE, "somebody")
    refused(limits)
    later = time.time() + 3600
    monkeypatch.setattr("app.services.limits.time.time", lambda: later)
    limits.count(TWICE, "somebody")
