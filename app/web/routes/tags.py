"""The topics, and one topic."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.storage import articles, tags
from app.web.access import PUBLIC
from app.web.kept_page import share
from app.web.parameters import LangFilter, PageNumber, SortOrder, moved
from app.web.state import Here
from app.web.templating import render

router = APIRouter(prefix="/tags", include_in_schema=False, dependencies=[PUBLIC])

PAGE_SIZE = 20
SHOWN = 60  # topics that show their newest questions; the rest are names
EXAMPLES = 2


@router.get("")
def list_tags(request: Request, here: Here) -> Response:
    """List all topics."""
    with here.database.read() as session:
        counted = tags.counted(session)
        newest = tags.newest_in(session, [tag.name for tag in counted[:SHOWN]], EXAMPLES)
    share(request)
    return render(request, "tags.html", tags=counted, newest=newest)


@router.get("/{name}")
def show(request: Request, here: Here, name: str, number: PageNumber, sort: SortOrder, lang: LangFilter) -> Response:
    """List the questions of one topic."""
    with here.database.read() as session:
        tag = tags.find(session, name)
        if tag.name != name:
            return moved(request, tag.url)
        page = articles.list_page(session, number=number, size=PAGE_SIZE, tag=tag.name, lang=lang, sort=sort)
        languages = articles.languages(session, tag=tag.name)
    share(request)
    filters = {"tag": tag.name, "lang": lang, "sort": sort}
    return render(request, "tag.html", tag=tag, page=page, filters=filters, languages=languages)
