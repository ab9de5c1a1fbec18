"""The search page."""

from dataclasses import replace

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from app.errors import InvalidInput
from app.services.searching import Hit
from app.services.searching import search as run_search
from app.web.language import translate
from app.web.parameters import LangFilter, PageNumber, TagFilter
from app.web.state import Here
from app.web.templating import reader_lang, render

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 10
KEPT_LENGTH = 1000  # characters of a query that is too long, given back in the search box


@router.get("/search")
def search(request: Request, here: Here, number: PageNumber, tag: TagFilter, lang: LangFilter, q: str = "") -> Response:
    """Show what answers the query."""
    filters = {"tag": tag, "lang": lang}
    text = q.strip()
    if not text:
        return render(
            request,
            "search.html",
            query="",
            page=None,
            took_ms=0.0,
            filters=filters,
            languages=[],
            topics=[],
            message=None,
        )
    try:
        found = run_search(
            here.database,
            here.index,
            text,
            number=number,
            size=PAGE_SIZE,
            tag=tag,
            lang=lang,
            reader_lang=reader_lang(request),
        )
    except InvalidInput as error:
        message = translate(error.message, error.params)
        return render(
            request,
            "search.html",
            status_code=400,
            query=text[:KEPT_LENGTH],
            page=None,
            took_ms=0.0,
            filters=filters,
            languages=[],
            topics=[],
            message=message,
        )
    page = replace(found.page, items=[_safe(hit) for hit in found.page.items])
    return render(
        request,
        "search.html",
        query=text,
        page=page,
        took_ms=found.took_ms,
        filters=filters,
        languages=found.languages,
        topics=found.topics,
        message=None,
    )


def _safe(hit: Hit) -> Hit:
    # The search service has escaped the texts before it marked them.
    return replace(hit, title_html=Markup(hit.title_html), excerpt_html=Markup(hit.excerpt_html))  # noqa: S704
