"""Images: putting one in, and sending it."""

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from starlette.responses import JSONResponse, Response

from app.errors import InvalidInput
from app.services import images
from app.services.limits import IMAGE
from app.web.access import PUBLIC, Contributor
from app.web.forms import Form
from app.web.state import Here
from app.web.templating import render
from app.web.turns import DecodingTurn, ImageTurn

router = APIRouter(prefix="/images", include_in_schema=False)

ALONE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


@router.get("/new")
def form(request: Request, _key: Contributor) -> Response:
    """Show the form that puts an image in without a script."""
    return render(request, "image.html", form=Form(), url=None)


@router.post("/new")
def add(
    request: Request,
    here: Here,
    key: Contributor,
    _turn: DecodingTurn,
    image: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Store an image and tell its address: as JSON to the editor, else on a page."""
    here.limits.count(IMAGE, str(key.account.id))
    wants_json = "application/json" in request.headers.get("accept", "")
    try:
        most = here.settings.image_mb
        content = image.file.read(most * 2**20 + 1) if image else b""
        stored = images.add(here.database, here.images, key.account, content, most)
    except InvalidInput as error:
        if wants_json:
            raise
        return render(request, "image.html", status_code=400, form=Form({}, error), url=None)
    if wants_json:
        return JSONResponse({"url": stored.url}, 201)
    return render(request, "image.html", status_code=201, form=Form(), url=stored.url)


@router.get("/{name}", dependencies=[PUBLIC])
def show(here: Here, name: str, _turn: ImageTurn) -> Response:
    """Send an image; its name is of its content, so that it never changes."""
    content, media_type = images.read(here.images, name)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{name}"',
        "Content-Security-Policy": ALONE,
        "Content-Disposition": "inline",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return Response(content, media_type=media_type, headers=headers)
