"""Atom feeds (RFC 4287): of all questions, of one topic, and of the history of one question."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape, unescape
from urllib.parse import urljoin

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.services.rendering import kept_renderings, rendering_of
from app.storage import articles, revisions, tags
from app.storage.articles import Card
from app.web.access import PUBLIC
from app.web.kept_page import share
from app.web.parameters import moved
from app.web.state import Here, State
from app.web.templating import base_url, named, render_feed

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])

FEED_SIZE = 30
_LINK = re.compile(r'(<(?:a|img|source|video|audio)\b[^<>]*?\s(?:href|src)=")([^"]*)"')
_HEADING_LINK = re.compile(r'<a [^<>]*class="headerlink"[^<>]*>[^<]*</a>')
NOTHING_YET = datetime(2026, 1, 1, tzinfo=UTC)  # an empty feed has to say when it was changed, and always the same


@router.get("/feed.atom")
def all_questions(request: Request, here: Here) -> Response:
    """Give the questions that were changed last, with their answers."""
    with here.database.read() as session:
        page = articles.list_page(session, number=1, size=FEED_SIZE, sort="updated")
    return _feed(request, here, page.items, "/questions")


@router.get("/tags/{name}/feed.atom")
def of_tag(request: Request, here: Here, name: str) -> Response:
    """Give the questions of one topic that were changed last, with their answers."""
    with here.database.read() as session:
        tag = tags.find(session, name)
        if tag.name != name:
            return moved(request, f"{tag.url}/feed.atom")
        page = articles.list_page(session, number=1, size=FEED_SIZE, tag=tag.name, sort="updated")
    return _feed(request, here, page.items, tag.url, topic=tag.label)


@router.get("/questions/{slug}/history.atom")
def of_history(request: Request, here: Here, slug: str) -> Response:
    """Give the newest revisions of one question."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/questions/{article.slug}/history.atom", 301)
        page = revisions.list_page(session, article.id or 0, number=1, size=FEED_SIZE)
    share(request)
    return render_feed(
        request,
        "feeds/history.atom",
        article=named(article),
        article_id=article.id,
        revisions=page.items,
        updated=page.items[0].created_at,  # each has one; a file may say that the article is older
    )


def _feed(request: Request, here: State, cards: Sequence[Card], path: str, topic: str | None = None) -> Response:
    site = base_url(request)
    with here.database.read() as session:
        found = {article.id or 0: article for article in articles.by_ids(session, [card.id for card in cards])}
        kept = kept_renderings(session, found.values())
    entries = []
    for card in (card for card in cards if card.id in found):
        article = found[card.id]
        rendering = kept.get(card.id) or rendering_of(here.database, article.body, article.lang)
        html = _for_readers_elsewhere(rendering.html, f"{site}{card.url}")
        entries.append({"card": card, "published": article.created_at, "html": html})
    updated: datetime = cards[0].updated_at if cards else NOTHING_YET
    share(request)
    return render_feed(request, "feeds/questions.atom", entries=entries, path=path, topic=topic, updated=updated)


def _for_readers_elsewhere(html: str, address: str) -> str:
    """Return an answer's HTML with whole addresses, and without the links of headings to themselves.

    In it < and > stand nowhere but around tags, and quotes in tags nowhere but around values.
    """
    return _LINK.sub(
        lambda link: f'{link[1]}{escape(urljoin(address, unescape(link[2])))}"', _HEADING_LINK.sub("", html)
    )
