"""What a supervisor or a balancer asks."""

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from app.storage import articles
from app.web.access import PUBLIC
from app.web.state import Here

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])


@router.get("/livez")
async def livez() -> Response:
    """Say that this process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(here: Here) -> Response:
    """Say that this worker can serve: database and index answer; else 503 through the error handlers."""
    with here.database.read() as session:
        articles.count(session)
    here.index.generation()
    return PlainTextResponse("ready\n")
