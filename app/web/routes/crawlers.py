"""What robots, browsers' search boxes and language models read first: where everything is, and what they may."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from app.errors import NotFound
from app.services.suggesting import suggest
from app.storage import articles, tags
from app.storage.articles import Address
from app.storage.database import Database
from app.web.access import PUBLIC, count_read
from app.web.state import Here
from app.web.templating import base_url, environment, reader_lang, site_of
from app.web.turns import InTurn

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])
suggest_router = APIRouter(include_in_schema=False, dependencies=[PUBLIC, Depends(count_read)], route_class=InTurn)

MAX_ADDRESSES = 50_000  # in one sitemap; https://www.sitemaps.org/protocol.html
CHUNK = 500
LISTED = 300  # questions in llms.txt; the rest is found by search
LANGUAGES = 12
# What is made for each visitor anew, or only for who is signed in.
CLOSED = (
    "/search",
    "/contribute",
    "/review",
    "/account",
    "/admin",
    "/drafts",
    "/proposals",
    "/sign-in",
    "/sign-up",
    "/-/",
)
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


@router.get("/robots.txt")
def robots(request: Request) -> Response:
    """Tell robots where not to go, and where the map is."""
    lines = [
        "User-agent: *",
        *(f"Disallow: {path}" for path in CLOSED),
        "",
        f"Sitemap: {base_url(request)}/sitemap.xml",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


@router.get("/sitemap.xml")
def sitemap(request: Request, here: Here) -> Response:
    """Give the map of the site; of a large one, the list of its maps, the first of all that is no question."""
    site = base_url(request)
    with here.database.read() as session:
        questions = articles.count(session)
        pages = _pages(session, site)
    if len(pages) + questions <= MAX_ADDRESSES:
        return _map(here.database, site, pages, range(questions))
    maps = "".join(
        f"<sitemap><loc>{escape(site)}/sitemap-{number}.xml</loc></sitemap>\n"
        for number in range(1 + -(-questions // MAX_ADDRESSES))
    )
    text = f"{_HEAD}<sitemapindex {_NAMESPACES}>\n{maps}</sitemapindex>\n"
    return Response(text, media_type="application/xml")


@router.get("/sitemap-{number}.xml")
def sitemap_part(request: Request, here: Here, number: int) -> Response:
    """Give one of the maps of a large site: number 0 has all that is no question, the others have the questions."""
    site = base_url(request)
    with here.database.read() as session:
        questions = articles.count(session)
        pages = _pages(session, site) if number == 0 else []
    listed = range(questions)[(number - 1) * MAX_ADDRESSES : number * MAX_ADDRESSES] if number > 0 else range(0)
    if not pages and not listed:
        raise NotFound("There is nothing at this address.")
    return _map(here.database, site, pages, listed)


@router.get("/opensearch.xml")
def opensearch(request: Request) -> Response:
    """Describe the search, so that browsers offer it; https://github.com/dewitt/opensearch."""
    text = environment().get_template("feeds/opensearch.xml").render(site=site_of(request))
    headers = {"Vary": "Accept-Language, Cookie"}
    return Response(text, headers=headers, media_type="application/opensearchdescription+xml")


@suggest_router.get("/suggest.json")
def suggestions(request: Request, here: Here, q: str = "") -> Response:
    """Suggest questions in the form that browsers' search boxes take."""
    found = suggest(here.database, here.current_index(), q, reader_lang=reader_lang(request))
    site = base_url(request)
    body = [q, [each.title for each in found], [], [site + each.path for each in found]]
    return JSONResponse(body, media_type="application/x-suggestions+json")


@router.get("/llms.txt")
def for_language_models(request: Request, here: Here) -> Response:
    """List the library in Markdown, as https://llmstxt.org proposes."""
    with here.database.read() as session:
        newest = articles.list_page(session, number=1, size=LISTED, sort="updated")
    text = environment().get_template("feeds/llms.txt").render(site=site_of(request), page=newest)
    return PlainTextResponse(text, media_type="text/markdown")


def _pages(session: Session, site: str) -> list[str]:
    topics = tags.counted(session, MAX_ADDRESSES // 2)
    return [f"{site}{path}" for path in ("/", "/questions", "/tags", "/wanted", "/about", *(tag.url for tag in topics))]


def _map(database: Database, site: str, pages: list[str], questions: range) -> Response:
    """Return a map of `pages` and of the questions at these places, in the order in which they were made."""

    def lines() -> Iterator[str]:
        yield f"{_HEAD}<urlset {_NAMESPACES}>\n"
        for address in pages:
            yield f"<url><loc>{escape(address)}</loc></url>\n"
        for start in questions[::CHUNK]:
            with database.read() as session:
                found = articles.addresses(session, offset=start, limit=min(CHUNK, questions.stop - start))
            yield "".join(_entry(site, each) for each in found)
        yield "</urlset>\n"

    return StreamingResponse(lines(), media_type="application/xml")


def _entry(site: str, address: Address) -> str:
    location = escape(f"{site}/questions/{address.slug}")
    return f"<url><loc>{location}</loc><lastmod>{address.updated_at.isoformat()}</lastmod></url>\n"
