"""The home page."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from app.storage import accounts, articles, tags
from app.storage.articles import Card, Sort
from app.web.access import PUBLIC
from app.web.kept_page import share
from app.web.social import picture, site_card
from app.web.state import Here
from app.web.templating import render, viewer

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

RECENT = 6
POPULAR = 6
TOPICS = 24


@router.get("/")
def home(request: Request, here: Here) -> Response:
    """Show the search box and the best of the library."""
    chosen = viewer(request).lang.split("-")[0]
    with here.database.read() as session:
        total = articles.count(session)
        recent = _shown(session, chosen, RECENT, "updated")
        popular = _shown(session, chosen, POPULAR, "popular")
        topics = tags.counted(session, TOPICS)
        has_admin = accounts.admin_count(session) > 0
    share(request)
    card = site_card(here.settings.site_name, [topic.name for topic in topics])
    return render(
        request,
        "home.html",
        total=total,
        recent=recent,
        popular=popular,
        topics=topics,
        has_admin=has_admin,
        picture=picture(request, "/social.png", card),
    )


def _shown(session: Session, lang: str, size: int, sort: Sort) -> Sequence[Card]:
    """Return the first questions in the reader's language; where there are too few, those in all languages."""
    own = articles.list_page(session, number=1, size=size, lang=lang, sort=sort)
    return own.items if own.total >= size else articles.list_page(session, number=1, size=size, sort=sort).items
