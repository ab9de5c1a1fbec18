"""What a supervisor or a balancer asks."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from app.storage import articles
from app.web.access import PUBLIC
from app.web.state import Here

RETRY_AFTER = "10"

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])


@router.get("/livez")
async def livez() -> Response:
    """Say that this process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(here: Here) -> Response:
    """Say that this worker can serve: database and index answer, else 503 through the error handlers.

    503, too, from a host whose index is behind while those of others are not, so that a balancer asks them.
    """
    with here.database.read() as session:
        articles.count(session)
    here.index.generation()
    if here.hosts.should_be_left_out(here.following.lag_s() or 0.0):
        return PlainTextResponse("the search index is behind that of other hosts\n", 503, {"Retry-After": RETRY_AFTER})
    return PlainTextResponse("ready\n")
