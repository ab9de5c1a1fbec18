"""Static files."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.errors import NotFound
from app.web.access import PUBLIC
from app.web.templating import assets

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

FOR_EVER = "public, max-age=31536000, immutable"
FOR_NOW = "public, max-age=60"  # an address of before an upgrade: the content may be newer than it says


@router.get("/static/{version}/{name:path}")
async def static(request: Request, version: str, name: str) -> Response:
    """Give a static file."""
    asset = assets().get(name)
    if asset is None:
        raise NotFound("There is nothing at this address.")
    kept = FOR_EVER if version == assets().version else FOR_NOW
    headers = {"Content-Type": asset.media_type, "Cache-Control": kept}
    coding, content = asset.best_for(request.headers.get("accept-encoding", ""))
    if coding is not None:
        headers["Content-Encoding"] = coding
    return Response(content, headers=headers)


@router.get("/favicon.ico")
async def favicon(request: Request) -> Response:
    """Give the icon to browsers that ask without having read a page."""
    return await static(request, "", "favicon.svg")
