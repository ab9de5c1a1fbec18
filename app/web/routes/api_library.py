"""The JSON API: topics, the history of a question, and what is wanted."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from app.errors import NotFound
from app.models import Revision
from app.storage import articles, revisions, tags, wanted
from app.web.access import PUBLIC, count_read
from app.web.conditional import json_unless_known
from app.web.examples import REVISION, REVISIONS, TAGS, WANTED
from app.web.openapi import KNOWN, MOVED
from app.web.parameters import LangFilter, PageNumber, RowId, Slug
from app.web.problems import problems
from app.web.routes.api import Paged
from app.web.state import Here
from app.web.templating import base_url

router = APIRouter(
    prefix="/api/v1",
    tags=["library"],
    dependencies=[PUBLIC, Depends(count_read)],
    responses=problems(400, 404, 422, 429, 503),
)

PAGE_SIZE = 50


class Topic(BaseModel):
    """A topic, and how many questions have it."""

    name: str = Field(description="Its name.")
    url: str = Field(description="Its page on this site.")
    count: int = Field(description="How many questions have it.")


class Topics(BaseModel, json_schema_extra={"example": TAGS}):
    """All topics, the most frequent first."""

    items: list[Topic] = Field(description="The topics.")


class RevisionItem(BaseModel):
    """One state of a question."""

    number: int = Field(description="Its number, from 1.")
    url: str = Field(description="Its page on this site.")
    title: str = Field(description="The question as it was then.")
    author: str = Field(description="Who wrote it; empty where it came from a file.")
    message: str = Field(description="What the author said about the change.")
    created_at: datetime = Field(description="When it was written.")


class RevisionList(Paged, json_schema_extra={"example": REVISIONS}):
    """One page of a question's revisions, the newest first."""

    items: list[RevisionItem] = Field(description="The revisions of this page.")


class WholeRevision(RevisionItem, json_schema_extra={"example": REVISION}):
    """One state of a question, with its Markdown file."""

    source: str = Field(description="The whole file, front matter and all.")


class WantedQuestion(BaseModel):
    """What was searched for and not found."""

    query: str = Field(description="The words that were searched for.")
    lang: str = Field(description="Their language (BCP 47).")
    searches: int = Field(description="How often it was searched for.")
    asks: int = Field(description="How many readers asked for the answer.")
    first_at: datetime = Field(description="When it was first searched for.")
    last_at: datetime = Field(description="When it was last searched for.")


class WantedList(Paged, json_schema_extra={"example": WANTED}):
    """One page of what is wanted, the most wanted first."""

    items: list[WantedQuestion] = Field(description="The wanted answers of this page.")


@router.get("/tags", response_model=Topics, responses=KNOWN)
def list_tags(request: Request, here: Here, lang: LangFilter) -> Response:
    """List the topics; `lang` counts only questions in that language."""
    with here.database.read() as session:
        counted = tags.counted(session, lang=lang)
    site = base_url(request)
    items = [Topic(name=tag.name, url=site + tag.url, count=tag.count) for tag in counted]
    return json_unless_known(request, Topics(items=items))


@router.get("/questions/{slug}/revisions", response_model=RevisionList, responses=problems(410) | MOVED | KNOWN)
def list_revisions(request: Request, here: Here, slug: Slug, number: PageNumber) -> Response:
    """List the revisions of a question."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/api/v1/questions/{article.slug}/revisions", 301)
        page = revisions.list_page(session, article.id or 0, number=number, size=PAGE_SIZE)
    items = [RevisionItem.model_validate(_described(request, slug, revision)) for revision in page.items]
    listed = RevisionList(total=page.total, page=page.number, pages=page.pages, items=items)
    return json_unless_known(request, listed)


@router.get(
    "/questions/{slug}/revisions/{number}", response_model=WholeRevision, responses=problems(410) | MOVED | KNOWN
)
def get_revision(
    request: Request,
    here: Here,
    slug: Slug,
    number: Annotated[RowId, Path(description="The revision's number, from 1.", examples=[1])],
) -> Response:
    """Give one revision of a question, as it was written."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/api/v1/questions/{article.slug}/revisions/{number}", 301)
        revision = revisions.get(session, article.id or 0, number)
    if revision is None:
        raise NotFound("There is no revision %(number)s of this answer.", number=number)
    described = WholeRevision(**_described(request, slug, revision), source=revision.source)
    return json_unless_known(request, described)


@router.get("/wanted", response_model=WantedList, responses=KNOWN)
def list_wanted(request: Request, here: Here, number: PageNumber) -> Response:
    """List what readers searched for and did not find."""
    with here.database.read() as session:
        page = wanted.list_page(session, number=number, size=PAGE_SIZE)
    items = [WantedQuestion.model_validate(entry, from_attributes=True) for entry in page.items]
    listed = WantedList(total=page.total, page=page.number, pages=page.pages, items=items)
    return json_unless_known(request, listed)


def _described(request: Request, slug: str, revision: Revision) -> dict[str, object]:
    return {
        "number": revision.number,
        "url": f"{base_url(request)}/questions/{slug}/revisions/{revision.number}",
        "title": revision.title,
        "author": revision.author,
        "message": revision.message,
        "created_at": revision.created_at,
    }
