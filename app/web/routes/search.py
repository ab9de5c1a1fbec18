"""The search page."""

from contextlib import suppress
from dataclasses import replace

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from app.errors import InvalidInput, TooManyRequests
from app.search.query import parse
from app.services.limits import UNANSWERED
from app.services.searching import Hit
from app.services.searching import search as run_search
from app.services.suggesting import near_questions
from app.storage import articles
from app.web.access import PUBLIC, address_of
from app.web.kept_page import share
from app.web.language import translate
from app.web.parameters import LangFilter, PageNumber, TagFilter
from app.web.state import Here
from app.web.templating import reader_lang, render
from app.web.turns import InTurn

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC], route_class=InTurn)

PAGE_SIZE = 10
KEPT_LENGTH = 1000  # characters of a query that is too long, given back in the search box
NEAR = 6


@router.get("/search")
def search(request: Request, here: Here, number: PageNumber, tag: TagFilter, lang: LangFilter, q: str = "") -> Response:
    """Show what answers the query, or what helps on when nothing does."""
    filters = {"tag": tag, "lang": lang}
    text = "".join(sign if sign.isprintable() or sign.isspace() else " " for sign in q).strip()
    if not text and not (tag or lang):
        return render(request, "search_start.html", query="", filters=filters, message=None)
    try:
        found = run_search(
            here.database,
            here.current_index(),
            text,
            number=number,
            size=PAGE_SIZE,
            tag=tag,
            lang=lang,
            reader_lang=reader_lang(request),
        )
    except InvalidInput as error:
        message = translate(error.message, error.params)
        kept = text[:KEPT_LENGTH]
        return render(request, "search_start.html", status_code=400, query=kept, filters=filters, message=message)
    if not found.page.total and not (tag or lang):
        return _nothing(request, here, text, found.did_you_mean)
    share(request)
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
        did_you_mean=found.did_you_mean,
        as_typed=found.as_typed,
        is_complete=found.is_complete,
    )


def _nothing(request: Request, here: Here, text: str, did_you_mean: str | None) -> Response:
    with suppress(TooManyRequests):  # a flood of one address is answered, but not noted
        here.limits.count_often(UNANSWERED, address_of(request))
        here.wanted.note(text)
    near = near_questions(here.database, here.index, text, NEAR)
    popular = []
    if not near:
        with here.database.read() as session:
            popular = list(articles.list_page(session, number=1, size=NEAR, sort="popular").items)
    plain = parse(text).typed
    return render(
        request,
        "search_nothing.html",
        query=text,
        looser=plain if plain != text else None,
        near=near,
        popular=popular,
        did_you_mean=did_you_mean,
    )


def _safe(hit: Hit) -> Hit:
    # The search service has escaped the texts before it marked them.
    return replace(hit, title_html=Markup(hit.title_html), excerpt_html=Markup(hit.excerpt_html))  # noqa: S704
