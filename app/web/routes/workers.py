"""Which worker answers, and how all of them are."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.web.access import PUBLIC
from app.web.state import Here

router = APIRouter(prefix="/-", include_in_schema=False, dependencies=[PUBLIC])

NOT_KEPT = {"Cache-Control": "no-store"}


@router.get("/worker")
async def answering_worker(request: Request, here: Here) -> Response:
    """Name the worker that answers; the connection is closed so that the next question may reach another one."""
    body = {"pid": request.app.state.pid, "slot": here.table.slot}
    return JSONResponse(body, headers=NOT_KEPT | {"Connection": "close"})


@router.get("/workers.json")
async def all_workers(request: Request, here: Here) -> Response:
    """Give the table of workers."""
    rows: list[dict[str, Any]] = [
        {
            "slot": row.slot,
            "pid": row.pid,
            "started_at": row.started_at,
            "requests": row.requests,
            "in_flight": row.in_flight,
            "rss_bytes": row.rss_bytes,
            "cpu_seconds": round(row.cpu_seconds, 2),
            "loop_lag_ms": round(row.loop_lag_ms, 2),
            "heartbeat_age_s": round(row.heartbeat_age_s, 3),
            "state": row.state,
        }
        for row in here.table.rows()
    ]
    return JSONResponse({"answered_by": request.app.state.pid, "workers": rows}, headers=NOT_KEPT)
