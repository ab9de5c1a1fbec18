"""Which worker answers, and how all of them are."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from app.errors import NotFound
from app.services.experimenting import have_own_queues
from app.storage import experiments
from app.web.access import PUBLIC
from app.web.charts import Line, bars, line, rates
from app.web.live import choices
from app.web.routes.experiments import shown
from app.web.state import Here
from app.web.templating import render
from app.workers.probing import PAUSE_S
from app.workers.reading import Worker

router = APIRouter(prefix="/-", include_in_schema=False, dependencies=[PUBLIC])

NOT_KEPT = {"Cache-Control": "no-store"}
NEXT_CONNECTION = NOT_KEPT | {"Connection": "close"}  # so that the next question may reach another worker
MB = 2**20
LISTED = 10


@dataclass(frozen=True)
class Card:
    """One worker with its charts."""

    worker: Worker
    started_at: datetime
    requests: Line  # a second
    in_flight: Line
    lag: Line  # milliseconds
    memory: Line  # MB


@router.get("/worker")
async def answering_worker(request: Request, here: Here) -> Response:
    """Name the worker that answers."""
    body = {"pid": request.app.state.pid, "slot": here.table.slot}
    return JSONResponse(body, headers=NEXT_CONNECTION)


@router.get("/workers.json")
async def all_workers(request: Request, here: Here) -> Response:
    """Give the table of workers, those of other hosts at its end."""
    rows = [row.figures() | {"host": here.hosts.name} for row in here.table.rows()]
    is_complete = True
    if here.database.can_be_shared:
        try:
            others = await run_in_threadpool(here.hosts.others)
            rows += [row for host in others for row in host.workers]
        except SQLAlchemyError:  # what this host knows of itself is all the more wanted then
            is_complete = False
    body = {"answered_by": request.app.state.pid, "host": here.hosts.name, "complete": is_complete, "workers": rows}
    return JSONResponse(body, headers=NOT_KEPT)


@router.get("/workers")
def page(request: Request, here: Here) -> Response:
    """Show all workers, how they were in the last minutes, and the last experiments."""
    with here.database.read() as session:
        last = experiments.last(session, LISTED)
    workers = here.table.rows()
    return render(
        request,
        "workers.html",
        headers=NOT_KEPT,
        cards=_cards(workers),
        total=here.table.totals().requests,
        others=here.hosts.others(),
        has_own_queues=have_own_queues(workers),
        experiments=[shown(experiment) for experiment in last],
        choices=choices(request),
        is_proxied=_is_proxied(request),
    )


@router.get("/workers/cards")
def cards(request: Request, here: Here) -> Response:
    """Give the part of the page that renews itself."""
    total = here.table.totals().requests
    return render(
        request,
        "parts/worker_cards.html",
        headers=NEXT_CONNECTION,
        cards=_cards(here.table.rows()),
        total=total,
        others=here.hosts.others(),
    )


@router.get("/workers/badge")
def badge(request: Request, here: Here) -> Response:
    """Give what the badge on every page shows when it is opened."""
    workers = here.table.rows()
    shares = bars([(str(worker.pid), worker.requests) for worker in workers])
    return render(
        request,
        "parts/worker_badge.html",
        headers=NEXT_CONNECTION,
        shares=list(zip(workers, shares, strict=True)),
        is_proxied=_is_proxied(request),
    )


@router.post("/pause")
async def pause(request: Request, here: Here) -> Response:
    """Stand still for two seconds, for an experiment of the site's own and nobody else."""
    if not here.probes.is_genuine(request.scope["headers"]):
        raise NotFound("There is nothing at this address.")
    time.sleep(PAUSE_S)  # noqa: ASYNC251  the event loop has to stand still: that is the experiment
    return JSONResponse({"pid": request.app.state.pid}, headers=NEXT_CONNECTION)


def _is_proxied(request: Request) -> bool:
    return any(name in request.headers for name in ("x-forwarded-for", "forwarded", "via"))


def _cards(workers: list[Worker]) -> list[Card]:
    return [
        Card(
            worker=worker,
            started_at=datetime.fromtimestamp(worker.started_at, UTC),
            requests=line(rates(worker.samples)),
            in_flight=line([*(float(sample.in_flight) for sample in worker.samples), float(worker.in_flight)]),
            lag=line([*(sample.loop_lag_ms for sample in worker.samples), worker.loop_lag_ms], 10.0),
            memory=line([*(sample.rss_bytes / MB for sample in worker.samples), worker.rss_bytes / MB]),
        )
        for worker in workers
    ]
