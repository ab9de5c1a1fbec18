"""Renderings of Markdown, worked out once and kept by their digest."""

import hashlib
import logging
from collections.abc import Iterable

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.content.excerpts import excerpt_of
from app.content.rendering import RENDERER_VERSION, render
from app.models import Article, Rendering
from app.services.progress import Progress, silent
from app.storage import renderings
from app.storage.database import Database
from app.storage.failures import said_by

log = logging.getLogger(__name__)

CHUNK = 100  # articles that one transaction brings up to date
KEEP_PATIENCE_S = 0.05  # a reader waits for it
VERSION = f"{RENDERER_VERSION}-"  # begins every digest, so that what an older renderer made can be found


def digest_of(body: str, lang: str) -> str:
    """Return the name under which the rendering of `body` is kept."""
    return VERSION + hashlib.sha256(f"{lang}\0{body}".encode()).hexdigest()[: 64 - len(VERSION)]


def make_rendering(body: str, lang: str) -> Rendering:
    """Render `body` anew."""
    rendered = render(body, lang=lang)
    toc: list[dict[str, str | int]] = [
        {"level": heading.level, "id": heading.id, "text": heading.text} for heading in rendered.toc
    ]
    return Rendering(digest=digest_of(body, lang), html=rendered.html, toc=toc, text=rendered.text)


def kept_rendering(session: Session, body: str, lang: str) -> Rendering | None:
    """Return the kept rendering of `body`, else None."""
    return renderings.get(session, digest_of(body, lang))


def kept_renderings(session: Session, articles: Iterable[Article]) -> dict[int, Rendering]:
    """Return the kept renderings of these articles by article; those without one are left out."""
    digests = {article.id or 0: digest_of(article.body, article.lang) for article in articles}
    kept = {rendering.digest: rendering for rendering in renderings.of(session, list(digests.values()))}
    return {article_id: kept[digest] for article_id, digest in digests.items() if digest in kept}


def rendering_of(database: Database, body: str, lang: str) -> Rendering:
    """Return the kept rendering of `body`, or make and keep one."""
    with database.read() as session:
        kept = kept_rendering(session, body, lang)
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
        log.warning("a rendering could not be kept: %s", said_by(error))


def bring_up_to_date(database: Database, progress: Progress = silent) -> int:
    """Render anew, with their excerpts, the articles that another version rendered; return how many there were."""
    done, last = 0, 0
    with database.read() as session:
        total = renderings.count_of_other_versions(session, VERSION)
    while done < total:
        with database.read() as session:
            waiting = renderings.of_other_versions(session, VERSION, after=last, limit=CHUNK)
        if not waiting:
            break
        made = [(article, make_rendering(article.body, article.lang)) for article in waiting]
        with database.write() as session:
            for article, rendering in made:
                renderings.replace(session, article, rendering, excerpt_of(rendering.html))
        done, last = done + len(made), waiting[-1].id or 0
        progress("render", done, total)
    return done
