"""Questions that were searched for and have no answer yet."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.errors import InvalidInput, OmniracleError, TooManyRequests
from app.search.folding import fold
from app.services.limits import WISH
from app.services.wanting import HOUR, NEW_ASKED
from app.storage import wanted
from app.web.access import PUBLIC, address_of
from app.web.notices import lead_to
from app.web.parameters import PageNumber
from app.web.routes.feeds import NOTHING_YET
from app.web.state import Here, State
from app.web.templating import render, render_feed

router = APIRouter(prefix="/wanted", include_in_schema=False, dependencies=[PUBLIC])

PAGE_SIZE = 50
FEED_SIZE = 50
ADDED_WITHIN_S = int(HOUR.total_seconds())


@router.get("")
def list_wanted(request: Request, here: Here, number: PageNumber) -> Response:
    """List what is wanted most."""
    with here.database.read() as session:
        page = wanted.list_page(session, number=number, size=PAGE_SIZE)
    return render(request, "wanted.html", page=page)


@router.post("")
def ask(request: Request, here: Here, q: Annotated[str, Form()] = "") -> Response:
    """Note that somebody asks for this answer."""
    here.limits.count(WISH, address_of(request))
    wish = f"{address_of(request)} {fold(q)}"
    if here.limits.is_first(WISH, wish):  # one reader counts once
        try:
            _add(here, q)
        except OmniracleError:
            here.limits.take_back(WISH, wish)
            raise
    return lead_to("/wanted", "wanted")


def _add(here: State, q: str) -> None:
    if not here.wanted.note(q, asked=True):
        raise InvalidInput(
            "This cannot be added to the list. Write a question of up to 200 characters, without personal details."
        )
    if not here.wanted.flush(everything=True):
        raise TooManyRequests(ADDED_WITHIN_S, NEW_ASKED, ADDED_WITHIN_S)


@router.get("/feed.atom")
def feed(request: Request, here: Here) -> Response:
    """Give the newest wanted questions as a feed."""
    with here.database.read() as session:
        entries = wanted.newest(session, FEED_SIZE)
    updated = entries[0].first_at if entries else NOTHING_YET
    return render_feed(request, "feeds/wanted.atom", entries=entries, updated=updated)
