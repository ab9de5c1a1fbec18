"""Experiments: the site asks itself many times and counts which worker answers."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.errors import AlreadyRunning, InvalidInput, ProbeFailed, TooManyRequests
from app.models import Experiment, ExperimentMode
from app.models.columns import now
from app.storage import experiments
from app.storage.database import Database
from app.workers.distribution import chi_square_p, coefficient_of_variation, lag_agreement
from app.workers.probing import MAX_CONCURRENCY, MAX_REQUESTS, TIMEOUT_S, Plan, ProbeKeys, probe
from app.workers.processes import parent_of, start_ticks
from app.workers.reading import Worker

log = logging.getLogger(__name__)

COOLDOWN = timedelta(seconds=1)
KEPT = 200
LIKE_TURNS = 0.9
ENOUGH = 10  # requests for each worker, to say how they were shared


@dataclass(frozen=True)
class Request:
    """What somebody wants to see."""

    mode: ExperimentMode
    requests: int = 200
    concurrency: int = 1


class Choice(StrEnum):
    """What readers choose from."""

    NEW = "new"
    ONE = "one"
    SIXTEEN = "sixteen"
    BLOCKED = "blocked"  # only for who runs the site


CHOICES = {
    Choice.NEW: Request(ExperimentMode.NEW, 200),
    Choice.ONE: Request(ExperimentMode.KEPT, 200),
    Choice.SIXTEEN: Request(ExperimentMode.KEPT, 400, 16),
    Choice.BLOCKED: Request(ExperimentMode.BLOCKED, 200, 16),
}


@dataclass(frozen=True)
class Sentence:
    """What a result means; the message is an English gettext msgid, `params` fill its places."""

    message: str
    params: dict[str, object]


def run(
    database: Database, keys: ProbeKeys, request: Request, workers: Sequence[Worker], host: str, port: int
) -> Experiment:
    """Carry out an experiment and return its result.

    Raises InvalidInput for what has no sense or is too much, AlreadyRunning and TooManyRequests when it is not the
    time, ProbeFailed when the site could not be asked.
    """
    if not (1 <= request.requests <= MAX_REQUESTS and 1 <= request.concurrency <= MAX_CONCURRENCY):
        message = "Choose up to %(requests)s requests, and up to %(concurrency)s at the same time."
        raise InvalidInput(message, requests=MAX_REQUESTS, concurrency=MAX_CONCURRENCY)
    request = replace(request, concurrency=min(request.concurrency, request.requests))
    experiment_id = _begin(database, request, workers)
    is_kept = request.mode == ExperimentMode.KEPT
    is_blocked = request.mode == ExperimentMode.BLOCKED
    plan = Plan(host, port, is_kept, request.requests, request.concurrency, is_blocked, keys.make())
    try:
        outcome = probe(plan)
        if not outcome.pids:
            raise ProbeFailed("nothing was answered")  # noqa: TRY301  it is undone below like any other failure
    except ProbeFailed as error:
        log.warning("an experiment failed: %s", error.reason)
        with database.write() as session:
            experiments.drop_unfinished(session)
        raise
    known = {worker.pid for worker in workers}
    counted = Counter(outcome.pids)
    counts = [(pid, counted[pid]) for pid in sorted(known | counted.keys())]
    numbers = [number for _, number in counts]
    with database.write() as session:
        experiment = session.get_one(Experiment, experiment_id)
        experiment.finished_at = now()
        experiment.counts = counts
        experiment.failed = outcome.failed
        experiment.cv = coefficient_of_variation(numbers)
        experiment.chi_square_p = chi_square_p(numbers)
        experiment.lag_agreement = lag_agreement(outcome.pids, len(counts))
        experiment.duration_ms = outcome.duration_ms
        experiment.slowest_ms = outcome.slowest_ms
        experiment.blocked_pid = outcome.blocked_pid
        session.add(experiment)
        experiments.drop_before(session, experiment_id - KEPT)
    return experiment


def described(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment as programs get it."""
    return {
        "mode": experiment.mode,
        "requests": experiment.requests,
        "counts": {str(pid): number for pid, number in experiment.counts},
        "cv": round(experiment.cv, 4),
        "chi_square_p": experiment.chi_square_p,
        "lag_agreement": round(experiment.lag_agreement, 4),
        "duration_ms": round(experiment.duration_ms, 1),
        "id": experiment.id,
        "concurrency": experiment.concurrency,
        "failed": experiment.failed,
        "slowest_ms": round(experiment.slowest_ms, 1),
        "blocked_pid": experiment.blocked_pid,
    }


def conclusion(experiment: Experiment) -> Sentence:
    """Return in one sentence what an experiment has shown."""
    counts = [number for _, number in experiment.counts]
    reached = sum(number > 0 for number in counts)
    params: dict[str, object] = {
        "requests": sum(counts),
        "answered": sum(counts),
        "asked": experiment.requests,
        "workers": len(counts),
        "reached": reached,
        "most": max(counts, default=0),
        "least": min(counts, default=0),
        "agreement": round(100 * experiment.lag_agreement),
        "pid": experiment.blocked_pid,
        "blocked": dict(experiment.counts).get(experiment.blocked_pid or 0, 0),
        "slowest": round(experiment.slowest_ms),
        "concurrency": experiment.concurrency,
    }
    if len(counts) < 2:
        message = "There is only one worker, and it answered everything."
    elif experiment.mode == ExperimentMode.BLOCKED:
        message = _of_blocked(experiment)
    elif experiment.mode == ExperimentMode.KEPT:
        message = _of_kept(experiment, reached)
    elif sum(counts) < ENOUGH * len(counts):
        message = "New connections: %(requests)s, to %(reached)s of %(workers)s workers. Too few to say more."
    elif reached == 1:
        message = (
            "One worker took all %(requests)s new connections, the others none: nothing hands them out, and the one "
            "that was always first got everything."
        )
    elif experiment.has_own_queues:
        message = (
            "A hash of the addresses chose the worker: one got %(most)s of %(requests)s connections, another "
            "%(least)s. The worker from %(workers)s requests earlier answered in %(agreement)s%% of cases; with "
            "strict turns it would be 100%%."
        )
    elif experiment.lag_agreement >= LIKE_TURNS and max(counts) - min(counts) <= sum(counts) / len(counts) / 5:
        message = (
            "This time the workers answered almost in turn: in %(agreement)s%% of cases it was the one from "
            "%(workers)s requests earlier. Try again, or restart the server: no rule makes them do so."
        )
    else:
        message = (
            "Nothing hands them out: one worker took %(most)s of %(requests)s new connections, another %(least)s. "
            "The worker from %(workers)s requests earlier answered in %(agreement)s%% of cases; with strict turns it "
            "would be 100%%."
        )
    return Sentence(message, params)


def _of_blocked(experiment: Experiment) -> str:
    if experiment.has_own_queues:
        message = (
            "While worker %(pid)s was blocked, it was handed %(blocked)s of %(requests)s connections all the same, "
            "and one of them waited %(slowest)s ms: each worker has its own queue, and a hash of the addresses "
            "chooses it."
        )
    else:
        message = (
            "While worker %(pid)s was blocked, it took %(blocked)s of %(requests)s new connections: all workers take "
            "from one queue, and a stuck one takes nothing. The slowest answer took %(slowest)s ms."
        )
    return message


def _of_kept(experiment: Experiment, reached: int) -> str:
    if experiment.failed:
        message = (
            "Over keep-alive connections, %(answered)s of %(asked)s requests were answered; the others lost their "
            "connection, perhaps because a worker was replaced."
        )
    elif experiment.concurrency == 1 and reached == 1:
        message = (
            "One keep-alive connection, one worker: all %(requests)s requests were answered by the process that had "
            "accepted it, although %(workers)s were running."
        )
    else:
        message = (
            "%(concurrency)s keep-alive connections went to %(reached)s of %(workers)s workers, and every request "
            "stayed on its connection: nothing moves one to a less busy worker."
        )
    return message


def have_own_queues(workers: Sequence[Worker]) -> bool:
    """Say whether each worker takes connections from a queue of its own, so that a hash decides."""
    queues = [worker.queue for worker in workers if worker.queue]
    return len(queues) > 1 and len(set(queues)) == len(queues)


def server_start(workers: Sequence[Worker]) -> str:
    """Return what is the same for all workers until the server is started again: their parent and when it began."""
    parent = parent_of(workers[0].pid) if workers else 0
    return f"{parent}-{start_ticks(parent)}" if parent else ""


def _begin(database: Database, request: Request, workers: Sequence[Worker]) -> int:
    """Note that an experiment runs, the only one of the site; return its id."""
    with database.write() as session:
        moment = now()  # once the lock is ours: what others have noted before is not in the future
        if experiments.running(session, moment - timedelta(seconds=2 * TIMEOUT_S), moment):
            raise AlreadyRunning(
                "An experiment is already running. Wait until it is over: two at once would disturb each other."
            )
        before = experiments.last(session, 1)
        # A clock that was set back must not close the door until it has caught up.
        if before and before[0].finished_at and timedelta() <= moment - before[0].finished_at < COOLDOWN:
            raise TooManyRequests(int(COOLDOWN.total_seconds()))
        experiments.drop_unfinished(session)
        experiment = Experiment(
            started_at=moment,
            mode=request.mode,
            requests=request.requests,
            concurrency=request.concurrency,
            server_start=server_start(workers),
            counts=[],
            has_own_queues=have_own_queues(workers),
        )
        session.add(experiment)
        session.flush()
        assert experiment.id is not None
        return experiment.id
