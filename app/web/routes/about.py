"""What this site is, and what serves it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.storage import articles, revisions, tags
from app.web.access import PUBLIC
from app.web.kept_page import share
from app.web.state import Here
from app.web.templating import render, viewer

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

# The answer about worker distribution, where the library has it.
SEED = {"zh-Hans": "fastapi-workers-celue", "en": "how-requests-reach-fastapi-workers"}


@router.get("/about")
def about(request: Request, here: Here) -> Response:
    """Tell about the library and its workers."""
    slug = SEED.get(viewer(request).lang, SEED["en"])
    with here.database.read() as session:
        stats = {
            "articles": articles.count(session),
            "languages": articles.languages(session),
            "tags": len(tags.counted(session)),
            "revisions": revisions.count(session),
        }
        seed_url = f"/questions/{slug}" if articles.by_slug(session, slug) else None
    share(request)
    return render(request, "about.html", stats=stats, seed_url=seed_url)
