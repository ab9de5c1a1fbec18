"""`aliases.json`: the addresses that no file names, for they came from renaming; export writes it, sync reads it.

It maps each former slug to the path of its article's file.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from app.content.document import MAX_SLUG, SLUG
from app.services.exchange import described
from app.services.finding import Problem
from app.storage import aliases, articles
from app.storage.database import Database

log = logging.getLogger(__name__)

NAME = "aliases.json"


def written(former: Mapping[str, str]) -> bytes:
    """Return the file's bytes for the paths by former slug."""
    return (json.dumps(former, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def read_back(database: Database, folder: Path) -> list[Problem]:
    """Give the articles the aliases that the file in `folder` names; return what is wrong with it."""
    try:
        former = _read(folder / NAME)
    except (OSError, ValueError, RecursionError) as error:
        return [Problem(NAME, f"cannot be used ({error}): let `omniracle export` write it again", lost=True)]
    try:
        with database.read() as session:
            problems, wanted = _sorted_out(session, former)
        if wanted:
            with database.write() as session:
                problems, wanted = _sorted_out(session, former)
                for slug, article_id in wanted.items():
                    aliases.add(session, slug, article_id)
    except SQLAlchemyError as error:
        log.warning("%s was not stored: %s", NAME, described(error))
        return [Problem(NAME, f"could not be stored ({described(error)})", lost=True)]
    return problems


def _sorted_out(session: Session, former: Mapping[str, str]) -> tuple[list[Problem], dict[str, int]]:
    """Return what cannot be an alias, and the article of each slug that is not one yet."""
    problems: list[Problem] = []
    wanted: dict[str, int] = {}
    for slug, path in sorted(former.items()):
        article, owner = articles.by_path(session, path), articles.by_alias(session, slug)
        if article is None or article.id is None:
            problems.append(Problem(NAME, f"the address “{slug}” is meant for {path}, which is not here", lost=False))
        elif owner is None and not articles.slug_is_taken(session, slug):
            wanted[slug] = article.id
        elif article.id != owner.id if owner else article.slug != slug:
            problems.append(Problem(NAME, f"the address “{slug}” belongs to another article now", lost=False))
    return problems, wanted


def _read(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    former = json.loads(path.read_bytes())
    if not isinstance(former, dict) or not all(isinstance(target, str) for target in former.values()):
        raise ValueError("it must map slugs to paths")
    for slug in former:
        if not SLUG.fullmatch(slug) or len(slug) > MAX_SLUG:
            raise ValueError(f"{slug[:90]!r} is no slug")
    return former
