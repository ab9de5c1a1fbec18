"""Figures for Prometheus: all workers summed, those that are gone included, so that no counter ever falls."""

from fastapi import APIRouter
from starlette.responses import Response

from app.web.access import PUBLIC
from app.web.state import Here

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

MEDIA_TYPE = "text/plain; version=1.0.0; charset=utf-8"


@router.get("/metrics")
def metrics(here: Here) -> Response:
    """Give the figures in Prometheus' text format."""
    from app.web.figures import exposed  # with its library: most workers are never asked

    return Response(exposed(here), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})
