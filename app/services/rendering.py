"""Renderings of Markdown, worked out once and kept by their digest."""

import hashlib
import logging

from sqlalchemy.exc import OperationalError

from app.content.rendering import RENDERER_VERSION, render
from app.models import Rendering
from app.storage import renderings
from app.storage.database import Database

log = logging.getLogger(__name__)

EXCERPT_LENGTH = 180
KEEP_PATIENCE_S = 0.05  # a reader waits for it


def digest_of(body: str, lang: str) -> str:
    """Return the name under which the rendering of `body` is kept."""
    return hashlib.sha256(f"{RENDERER_VERSION}\0{lang}\0{body}".encode()).hexdigest()


def make_rendering(body: str, lang: str) -> Rendering:
    """Render `body` anew."""
    rendered = render(body, lang=lang)
    toc: list[dict[str, str | int]] = [
        {"level": heading.level, "id": heading.id, "text": heading.text} for heading in rendered.toc
    ]
    return Rendering(digest=digest_of(body, lang), html=rendered.html, toc=toc, text=rendered.text)


def rendering_of(database: Database, body: str, lang: str) -> Rendering:
    """Return the kept rendering of `body`, or make and keep one."""
    with database.read() as session:
        kept = renderings.get(session, digest_of(body, lang))
    if kept is not None:
        return kept
    rendering = make_rendering(body, lang)
    keep(database, rendering)
    return rendering


def keep(database: Database, rendering: Rendering) -> None:
    """Keep a rendering; a database that cannot be written to only costs time."""
    try:
        with database.write(patience_s=KEEP_PATIENCE_S) as session:
            renderings.put(session, Rendering(**rendering.model_dump()))
    except OperationalError as error:
        log.warning("a rendering could not be kept: %s", error.orig)


def excerpt_of(text: str) -> str:
    """Return the beginning of a plain text in one line, for cards."""
    line = " ".join(text[: EXCERPT_LENGTH * 3].split())
    if len(line) <= EXCERPT_LENGTH:
        return line
    cut = line[:EXCERPT_LENGTH]
    space = cut.rfind(" ")
    return f"{cut[:space] if space > EXCERPT_LENGTH // 2 else cut}…"
