"""The pictures by which other sites show links to this one."""

from functools import partial

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.content.social_card import SocialCard
from app.models import Section
from app.services import social_images
from app.storage import articles, resources, tags
from app.web.access import PUBLIC
from app.web.conditional import knows
from app.web.social import TOPICS, question_card, site_card
from app.web.state import Here, State

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

FOR_A_DAY = "public, max-age=86400"


@router.get("/social.png")
async def show_site(request: Request, here: Here) -> Response:
    """Send the picture of the site."""
    return await _answer(request, here, await anyio.to_thread.run_sync(_site, here))


@router.get("/questions/{slug}/social.png")
async def show_question(request: Request, here: Here, slug: str) -> Response:
    """Send the picture of a question."""
    current, card = await anyio.to_thread.run_sync(_question, here, slug)
    if current != slug:
        return RedirectResponse(f"/questions/{current}/social.png", 301)
    return await _answer(request, here, card)


def _site(here: State) -> SocialCard:
    with here.database.read() as session:
        topics = tags.counted(session, TOPICS)
    return site_card(here.settings.site_name, [topic.name for topic in topics])


def _question(here: State, slug: str) -> tuple[str, SocialCard]:
    """Return the present slug of a question, and what its picture shows."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        assert article.id is not None
        topics = tags.names_of(session, [article.id]).get(article.id, ())
        sources = resources.of_article(session, article.id)[Section.RESOURCES]
    return article.slug, question_card(here.settings.site_name, article, topics, len(sources))


async def _answer(request: Request, here: State, card: SocialCard) -> Response:
    headers = {
        "ETag": f'"{card.digest}"',
        "Cache-Control": FOR_A_DAY,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if knows(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    content = await anyio.to_thread.run_sync(social_images.kept, here.settings.social_dir, card)
    if content is None:
        # One at a time, and on a thread of its own: who waits for a picture keeps no reader of pages waiting.
        content = await anyio.to_thread.run_sync(
            partial(social_images.drawn, here.settings.social_dir, card), limiter=here.drawing
        )
    return Response(content, media_type="image/png", headers=headers)
