"""The list of questions, a question, and its history."""

import re
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from app.models import Article, FeedbackKind, Rendering, Section
from app.models.columns import now
from app.services import questions
from app.services.rendering import kept_rendering, rendering_of
from app.storage import articles, revisions, tags
from app.storage.tags import TagCount
from app.web.access import PUBLIC, count_read
from app.web.conditional import unless_known
from app.web.kept_page import MadeOf, share
from app.web.linked_data import linked_data
from app.web.live import with_panels
from app.web.parameters import LangFilter, PageNumber, SortOrder, TagFilter, prefers_markdown
from app.web.social import locales, picture, question_card
from app.web.state import Here
from app.web.templating import named, render

router = APIRouter(prefix="/questions", include_in_schema=False, dependencies=[PUBLIC])

PAGE_SIZE = 20
HISTORY_SIZE = 50
TOPICS = 12
HAN_PER_MINUTE = 400
WORDS_PER_MINUTE = 230
_HAN = re.compile("[\u2e80-\U0010ffff]")


@router.get("")
def list_questions(
    request: Request, here: Here, number: PageNumber, sort: SortOrder, tag: TagFilter, lang: LangFilter
) -> Response:
    """List the questions, narrowed and in the order asked for."""
    with here.database.read() as session:
        page = articles.list_page(session, number=number, size=PAGE_SIZE, tag=tag, lang=lang, sort=sort)
        languages = articles.languages(session)
        topics = tags.counted(session, TOPICS)
    share(request)
    filters = {"tag": tag, "lang": lang, "sort": sort}
    return render(request, "questions.html", page=page, filters=filters, languages=languages, topics=topics)


@router.get("/{slug}.md")
def show_source(request: Request, here: Here, slug: str) -> Response:
    """Give the question's exact Markdown file."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/questions/{article.slug}.md", 301)
        revision = revisions.get(session, article.id or 0, article.revision)
    assert revision is not None
    share(request)
    headers = {"ETag": f'"{article.revision}"', "Content-Language": article.lang}
    response = PlainTextResponse(revision.source, headers=headers, media_type="text/markdown")
    return unless_known(request, response)


@router.get("/{slug}.json", dependencies=[Depends(count_read)])
def show_json(request: Request, here: Here, slug: str) -> Response:
    """Lead to the same article in the API's shape."""
    from app.web.routes.api import article_response

    return article_response(request, here, slug, "/questions/%s.json")


@router.get("/{slug}")
def show(request: Request, here: Here, slug: str, said: str = "") -> Response:
    """Show the question with its answer, resources and related questions; as Markdown to who prefers that."""
    if prefers_markdown(request.headers.get("accept", "")):
        response = show_source(request, here, slug)
        response.headers["Vary"] = "Accept"
        return response
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/questions/{article.slug}", 301, {"Vary": "Accept"})
        question = questions.of(session, article, here.related)
        rendering = kept_rendering(session, article.body, article.lang)
    rendering = rendering or rendering_of(here.database, article.body, article.lang)
    assert article.id is not None
    here.views.count(article.id)
    if question.related.is_kept:
        share(request, viewed=article.id, made_of=MadeOf((article.id, *question.others), question.digest))
    else:
        share(request, viewed=article.id)
    names, cards, twins = question.tags, question.resources, question.translations
    card = question_card(here.settings.site_name, article, names, len(cards[Section.RESOURCES]))
    shown = picture(request, f"/questions/{article.slug}/social.png", card)
    response = render(
        request,
        "question.html",
        article=_described(request, article, names, rendering),
        linked=linked_data(request, article, names, cards, shown),
        picture=shown,
        locales=locales(article.lang, *(twin.lang for twin in twins)),
        resources=cards[Section.RESOURCES],
        more=cards[Section.MORE],
        related=question.related.cards,
        translations=twins,
        topic=TagCount(names[0], 0) if names else None,
        previous=question.previous,
        following=question.following,
        helped=question.helped,
        said=said if said in list(FeedbackKind) else None,
    )
    response.headers["Vary"] = "Accept, Accept-Language, Cookie"
    return response


def _described(request: Request, article: Article, names: tuple[str, ...], rendering: Rendering) -> dict[str, Any]:
    return named(article) | {
        "excerpt": article.excerpt,
        "html": with_panels(request, rendering.html, f"/questions/{article.slug}"),
        "toc": rendering.toc,
        "tags": [TagCount(name, 0) for name in names],
        "published": article.published,
        "updated_at": article.updated_at,
        "verified": article.verified,
        "review_after": article.review_after,
        "is_stale": article.review_after is not None and article.review_after < now().date(),
        "minutes": _minutes(rendering.text),
    }


def _minutes(text: str) -> int:
    han = len(_HAN.findall(text))
    words = len(text.encode("ascii", "replace").replace(b"?", b" ").split())
    return max(1, round(han / HAN_PER_MINUTE + words / WORDS_PER_MINUTE))
