"""The home page."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.storage import accounts, articles, tags
from app.web.access import PUBLIC
from app.web.social import picture, site_card
from app.web.state import Here
from app.web.templating import render

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

RECENT = 6
POPULAR = 6
TOPICS = 24


@router.get("/")
def home(request: Request, here: Here) -> Response:
    """Show the search box and the best of the library."""
    with here.database.read() as session:
        recent = articles.list_page(session, number=1, size=RECENT, sort="updated")
        popular = articles.list_page(session, number=1, size=POPULAR, sort="popular")
        topics = tags.counted(session, TOPICS)
        has_admin = accounts.admin_count(session) > 0
    card = site_card(here.settings.site_name, [topic.name for topic in topics])
    return render(
        request,
        "home.html",
        total=recent.total,
        recent=recent.items,
        popular=popular.items,
        topics=topics,
        has_admin=has_admin,
        picture=picture(request, "/social.png", card),
    )
