"""The JSON API, version 1."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.models import Section
from app.services.rendering import kept_rendering, rendering_of
from app.services.searching import Results, Way
from app.services.searching import search as run_search
from app.services.suggesting import suggest as run_suggest
from app.storage import aliases, articles, references, resources, tags
from app.storage.articles import Card
from app.web.access import PUBLIC, count_read
from app.web.conditional import etag_of, json_unless_known, unless_known
from app.web.examples import HITS, QUESTION, QUESTIONS, SUGGESTIONS
from app.web.openapi import KNOWN, MOVED
from app.web.parameters import LangFilter, PageNumber, Slug, SortOrder, TagFilter
from app.web.problems import problems
from app.web.state import Here
from app.web.templating import base_url, reader_lang
from app.web.turns import InTurn

router = APIRouter(
    prefix="/api/v1",
    tags=["questions"],
    dependencies=[PUBLIC, Depends(count_read)],
    route_class=InTurn,
    responses=problems(400, 404, 422, 429, 503),
)

PAGE_SIZE = 20
MAX_LIMIT = 100
MAX_OFFSET = 10_000

QueryText = Annotated[
    str, Query(description="What to look for, as a person types it, in any script.", examples=["任務分配"])
]


class NamedQuestion(BaseModel):
    """What all that tells of a question begins with."""

    slug: str = Field(description="Its name in addresses.")
    url: str = Field(description="Its page on this site.")
    title: str = Field(description="The question.")
    lang: str = Field(description="Language of the answer (BCP 47).")


class Paged(BaseModel):
    """What every page of a list begins with."""

    total: int = Field(description="How many there are on all pages.")
    page: int = Field(description="Which page this is, from 1.")
    pages: int = Field(description="How many pages there are.")


class SearchHit(NamedQuestion):
    """One article that was found."""

    url: str = Field(description="Its page on this site, at the section that was found.")
    tags: list[str] = Field(description="Its topics.")
    excerpt_html: str = Field(description="Escaped text in which `<mark>` shows what was found.")
    score: float = Field(description="Only good for comparing the hits of one search.")
    matched: list[Way] = Field(description="How it was found.")
    updated_at: datetime = Field(description="When it was last changed.")


class SearchResults(BaseModel, json_schema_extra={"example": HITS}):
    """What a search found; `generation` is the state of the index that was searched."""

    query: str = Field(description="What was searched for.")
    total: int = Field(description="How many questions were found.")
    took_ms: float = Field(description="How long the search took, in milliseconds.")
    generation: int = Field(description="The state of the index that was searched.")
    did_you_mean: str | None = Field(description="The query with mistyped words put right; that is what was searched.")
    hits: list[SearchHit] = Field(description="What was found, the best first.")


class QuestionItem(NamedQuestion):
    """A question in a list."""

    tags: list[str] = Field(description="Its topics.")
    excerpt: str = Field(description="How the answer begins, as plain text.")
    updated_at: datetime = Field(description="When it was last changed.")


class QuestionList(Paged, json_schema_extra={"example": QUESTIONS}):
    """One page of questions."""

    items: list[QuestionItem] = Field(description="The questions of this page.")


@router.get("/search", response_model=SearchResults)
def search(
    request: Request,
    here: Here,
    tag: TagFilter,
    lang: LangFilter,
    q: QueryText = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many hits to give.")] = 10,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many hits to skip.")] = 0,
) -> Response:
    """Search the library; `excerpt_html` is escaped and marks what was found."""
    found = run_search(
        here.database,
        here.current_index(),
        q,
        size=limit,
        offset=offset,
        tag=tag,
        lang=lang,
        reader_lang=reader_lang(request),
    )
    return _by_reader(search_results(found, base_url(request)))


def search_results(found: Results, site: str) -> SearchResults:
    """Return a page of hits as the API gives it; `site` is the beginning of all addresses."""
    hits = [
        SearchHit(
            slug=hit.slug,
            url=site + hit.url,
            title=hit.title,
            lang=hit.lang,
            tags=list(hit.tags),
            excerpt_html=hit.excerpt_html,
            score=hit.score,
            matched=list(hit.matched),
            updated_at=hit.updated_at,
        )
        for hit in found.page.items
    ]
    return SearchResults(
        query=found.query,
        total=found.page.total,
        took_ms=round(found.took_ms, 2),
        generation=found.generation,
        did_you_mean=found.did_you_mean,
        hits=hits,
    )


class ResourceLink(BaseModel):
    """A page elsewhere that the answer rests on (`resources`) or leads to (`more`)."""

    url: str = Field(description="Address of the page.")
    title: str = Field(description="Its title.")
    description: str = Field(description="What it says about the question.")
    site: str = Field(description="Name of its site.")
    section: Section = Field(description="`resources`, or `more` for what leads further.")


class Translation(NamedQuestion):
    """The same question in another language."""

    title: str = Field(description="The question in that language.")


class Question(NamedQuestion, json_schema_extra={"example": QUESTION}):
    """A question with its whole answer; a change has to name the `revision` that it started from."""

    tags: list[str] = Field(description="Its topics.")
    body_markdown: str = Field(description="The answer as it was written, without front matter.")
    body_html: str = Field(description="The answer as its page shows it.")
    resources: list[ResourceLink] = Field(description="Pages that the answer rests on or leads to.")
    related: list[QuestionItem] = Field(description="Questions on similar things.")
    revision: int = Field(description="The ETag begins with it; a change names it with `If-Match`.")
    updated_at: datetime = Field(description="When it was last changed.")
    published: date | None = Field(description="Day of the first publication, as its file says.")
    verified: date | None = Field(description="Day on which a person last checked the facts.")
    review_after: date | None = Field(description="Day from which the facts may have aged.")
    translations: list[Translation] = Field(description="The same question in other languages.")
    aliases: list[str] = Field(description="Further and former slugs that lead here.")


class Suggestion(BaseModel):
    """A question, or a section of one, that fits what was typed so far."""

    title: str = Field(description="The question, or the section of it.")
    slug: str = Field(description="Name of the question in addresses.")
    url: str = Field(description="The page, at the section that was meant.")


class Suggestions(BaseModel, json_schema_extra={"example": SUGGESTIONS}):
    """What may be meant, the best first."""

    query: str = Field(description="What was typed so far.")
    suggestions: list[Suggestion] = Field(description="What may be meant, the best first.")


@router.get("/suggest", response_model=Suggestions)
def suggest(request: Request, here: Here, q: QueryText = "") -> Response:
    """Suggest questions while one is typed."""
    found = run_suggest(here.database, here.current_index(), q, reader_lang=reader_lang(request))
    site = base_url(request)
    suggestions = [Suggestion(title=each.title, slug=each.slug, url=site + each.path) for each in found]
    return _by_reader(Suggestions(query=q, suggestions=suggestions))


@router.get("/questions", response_model=QuestionList, responses=KNOWN)
def list_questions(
    request: Request, here: Here, number: PageNumber, sort: SortOrder, tag: TagFilter, lang: LangFilter
) -> Response:
    """List the questions, narrowed and in the order asked for."""
    with here.database.read() as session:
        page = articles.list_page(session, number=number, size=PAGE_SIZE, tag=tag, lang=lang, sort=sort)
    items = [_item(request, card) for card in page.items]
    listed = QuestionList(total=page.total, page=page.number, pages=page.pages, items=items)
    return json_unless_known(request, listed)


@router.get("/questions/{slug}", response_model=Question, responses=problems(410) | MOVED | KNOWN)
def get_question(request: Request, here: Here, slug: Slug) -> Response:
    """Give one question with its answer, resources and related questions; a former slug leads to it (301)."""
    return article_response(request, here, slug, "/api/v1/questions/%s")


def article_response(request: Request, here: Here, slug: str, address: str) -> Response:
    """Return the article as JSON, or a redirect to `address` (with the slug for %s) when `slug` is an alias."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(address % article.slug, 301)
        assert article.id is not None
        names = tags.names_of(session, [article.id]).get(article.id, ())
        cards = resources.of_article(session, article.id)
        twins = references.twins(session, article)
        related = here.related.of(session, article, twins)
        rendering = kept_rendering(session, article.body, article.lang)
        former = aliases.of_articles(session, [article.id]).get(article.id, [])
    question = Question(
        slug=article.slug,
        url=f"{base_url(request)}/questions/{article.slug}",
        title=article.title,
        lang=article.lang,
        tags=list(names),
        body_markdown=article.body,
        body_html=(rendering or rendering_of(here.database, article.body, article.lang)).html,
        resources=[
            ResourceLink(url=card.url, title=card.title, description=card.description, site=card.site, section=section)
            for section, listed in cards.items()
            for card in listed
        ],
        related=[_item(request, card) for card in related.cards],
        revision=article.revision,
        updated_at=article.updated_at,
        published=article.published,
        verified=article.verified,
        review_after=article.review_after,
        translations=[
            Translation(slug=twin.slug, url=base_url(request) + twin.url, title=twin.title, lang=twin.lang)
            for twin in twins
        ],
        aliases=former,
    )
    response = JSONResponse(question.model_dump(mode="json"))
    response.headers["ETag"] = etag_of(bytes(response.body), article.revision)
    return unless_known(request, response) if request.method == "GET" else response


def _by_reader(model: BaseModel) -> Response:
    """Return `model` as JSON that depends on the reader: what is in the reader's language comes first."""
    # A model that a route returns as it is would be checked once more, in another thread.
    headers = {"Vary": "Accept-Language, Cookie"}
    return Response(model.model_dump_json(), media_type="application/json", headers=headers)


def _item(request: Request, card: Card) -> QuestionItem:
    return QuestionItem(
        slug=card.slug,
        url=base_url(request) + card.url,
        title=card.title,
        lang=card.lang,
        tags=list(card.tags),
        excerpt=card.excerpt,
        updated_at=card.updated_at,
    )
