"""Parameters that several pages take, read so that a wrong one gets a page rather than a bare 422.

What reads them is async, so that the framework does not send each to a thread of its own.
"""

import re
from typing import Annotated, get_args

from fastapi import Depends, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from app.content.document import normalised_tag
from app.content.language import canonical
from app.errors import NotFound
from app.storage.articles import Sort

MAX_PAGE_DIGITS = 9
_page = Query(description="The page's number, from 1.", json_schema_extra={"type": "integer", "minimum": 1})
_sort = Query(description="The order of the list.", json_schema_extra={"enum": list(get_args(Sort))})


async def page_number(page: Annotated[str, _page] = "1") -> int:
    """Return the number of the page that is asked for; raise NotFound when it is none."""
    if not (page.isascii() and page.isdigit() and len(page) <= MAX_PAGE_DIGITS and int(page) > 0):
        raise NotFound("There is no page %(number)s.", number=page[:20])
    return int(page)


async def sort_order(sort: Annotated[str, _sort] = "newest") -> Sort:
    """Return the order of a list; raise NotFound for an unknown one."""
    for known in get_args(Sort):
        if sort == known:
            return known  # type: ignore[no-any-return]
    raise NotFound("There is no sort order %(sort)s. Use newest, updated or popular.", sort=sort[:20])


def filter_value(value: str | None) -> str | None:
    """Return a filter's value, None for an empty one, which a form sends when nothing is chosen."""
    return value.strip() or None if value else None


def tag_named(value: str | None) -> str | None:
    """Return the tag to narrow by, as tags are stored."""
    return normalised_tag(value) or None if value else None


def lang_named(value: str | None) -> str | None:
    """Return the language to narrow by, in its usual spelling where it is a known one."""
    code = filter_value(value)
    return (canonical(code) or code) if code else None


async def tag_filter(
    tag: Annotated[str | None, Query(max_length=200, description="Only questions with this topic.")] = None,
) -> str | None:
    """Return the tag that an address names."""
    return tag_named(tag)


async def lang_filter(
    lang: Annotated[
        str | None, Query(max_length=200, description="Only questions in this language; `zh` means zh-Hant too.")
    ] = None,
) -> str | None:
    """Return the language that an address names."""
    return lang_named(lang)


def prefers_markdown(accept: str) -> bool:
    """Say whether an Accept header asks for Markdown before HTML; browsers and who says nothing get HTML."""
    said = weights(accept)
    html = next((said[name] for name in ("text/html", "text/*", "*/*") if name in said), 0.0)
    return said.get("text/markdown", 0.0) > html


def weights(header: str) -> dict[str, float]:
    """Return how much each entry of an Accept header, or of one of its kind, is wanted; 0 for what cannot be read."""
    found: dict[str, float] = {}
    for part in header.split(","):
        name, _, parameters = part.partition(";")
        said = re.search(r"(?:^|;)\s*q\s*=([^;]*)", parameters)
        is_weight = said is None or re.fullmatch(r"\s*(?:0?\.\d{1,3}|[01](?:\.\d{0,3})?)\s*", said[1])
        found[name.strip().lower()] = (float(said[1]) if said else 1.0) if is_weight else 0.0
    return found


def moved(request: Request, path: str) -> Response:
    """Return the answer that this is now at `path`, with the same query."""
    return RedirectResponse(f"{path}?{request.url.query}" if request.url.query else path, 301)


def local_path(path: str) -> str:
    """Return `path` when it is one of this site, else the home page's.

    Browsers take two slashes, forward or backward, for the beginning of another host.
    """
    is_local = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return path if is_local else "/"


Slug = Annotated[str, Path(description="The question's slug, or one that it had before.")]
RowId = Annotated[int, Path(ge=1, le=2**31 - 1)]  # what both engines can hold
PageNumber = Annotated[int, Depends(page_number)]
SortOrder = Annotated[Sort, Depends(sort_order)]
TagFilter = Annotated[str | None, Depends(tag_filter)]
LangFilter = Annotated[str | None, Depends(lang_filter)]
