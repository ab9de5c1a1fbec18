"""Contributing by the JSON API: new questions, and changes that name the revision they started from."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from app.content.document import MAX_RESOURCE_TITLE, MAX_TAG, MAX_TITLE, MAX_URL, Resource
from app.content.editing import Fields, changed_source, fields_of, new_source
from app.content.language import canonical, detect
from app.errors import InvalidInput
from app.models import Article, Origin, ProposalState, Section
from app.services import contributing
from app.services.contributing import Contribution, EditConflict, Outcome
from app.services.limits import CONTRIBUTION
from app.services.publishing import host_of
from app.storage import articles, revisions
from app.web.access import ApiContributor
from app.web.bodies import json_only
from app.web.conditional import named_revision
from app.web.editor import MAX_CARDS, MAX_TAGS
from app.web.examples import NEW_QUESTION, PROPOSED
from app.web.language import translate
from app.web.parameters import Slug
from app.web.problems import problem, problems
from app.web.routes.api import Question, article_response
from app.web.state import Here
from app.web.templating import base_url
from app.web.turns import RenderingTurn

router = APIRouter(
    prefix="/api/v1",
    tags=["contributions"],
    dependencies=[Depends(json_only)],
    responses=problems(400, 401, 403, 413, 415, 422, 429, 503),
)

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='The revision that the change started from, as `"3"` or as its ETag; `*` for the newest. Required.',
    ),
]


class ResourceInput(BaseModel):
    """A page elsewhere that the answer rests on (`resources`) or leads to (`more`)."""

    url: str = Field(max_length=MAX_URL, description="Address of the page.")
    title: str = Field(max_length=MAX_RESOURCE_TITLE, description="Its title.")
    description: str = Field("", description="What it says about the question.")
    site: str | None = Field(None, description="Name of its site; its host when absent.")
    section: Section = Field(
        Section.RESOURCES, description="`resources`: what the answer rests on; `more`: further reading."
    )


class QuestionInput(BaseModel, json_schema_extra={"example": NEW_QUESTION}):
    """A question with its answer; what a change leaves out stays as it is."""

    title: str | None = Field(None, max_length=MAX_TITLE, description="The question.")
    lang: str | None = Field(
        None, description="Language of the answer (BCP 47); detected when absent in a new question."
    )
    tags: list[Annotated[str, Field(max_length=MAX_TAG)]] | None = Field(
        None, max_length=MAX_TAGS, description="Its topics."
    )
    body_markdown: str | None = Field(None, description="The answer in Markdown.")
    resources: list[ResourceInput] | None = Field(
        None, max_length=MAX_CARDS, description="All of its resources, in order."
    )
    message: str = Field("", description="What the change is about, for its history.")


class Proposed(BaseModel, json_schema_extra={"example": PROPOSED}):
    """What waits for a reviewer."""

    proposal: int = Field(description="Its number.")
    state: ProposalState = Field(description="`pending`: it awaits review.")
    url: str = Field(description="Its page on this site.")


_PROPOSED: dict[str, Any] = {"model": Proposed, "description": "It awaits review."}


@router.post("/questions", status_code=201, response_model=Question, responses={202: _PROPOSED})
def create_question(
    request: Request, here: Here, key: ApiContributor, question: QuestionInput, _turn: RenderingTurn
) -> Response:
    """Publish a new question (201), or propose it where the account may not publish (202)."""
    here.limits.count(CONTRIBUTION, str(key.account.id))
    if not question.title or not question.body_markdown:
        raise InvalidInput("A new question needs title and body_markdown.")
    lang = question.lang or detect(f"{question.title}\n{question.body_markdown}")
    fields = _changed(Fields(question.title, lang, ""), question)
    contribution = Contribution(new_source(fields), question.message)
    outcome = contributing.contribute(here.database, key.account, contribution, Origin.API)
    return _answer(request, here, outcome, 201)


@router.put("/questions/{slug}", response_model=Question, responses={202: _PROPOSED, **problems(404, 410, 412, 428)})
def change_question(
    request: Request,
    here: Here,
    key: ApiContributor,
    slug: Slug,
    question: QuestionInput,
    _turn: RenderingTurn,
    if_match: IfMatch = None,
) -> Response:
    """Publish a change (200), or propose it (202); `If-Match` names the revision that it started from.

    What others have changed meanwhile in other places is merged; the same place changed twice is a 412 with both texts.
    """
    here.limits.count(CONTRIBUTION, str(key.account.id))
    if if_match is None:
        message = 'Send If-Match with the revision that your text started from, for example If-Match: "3".'
        return problem(428, translate(message))
    with here.database.read() as session:
        article = articles.find(session, slug)
        number = named_revision(if_match, article.revision)
        base = revisions.get(session, article.id or 0, number) if number else None
    if base is None:
        message = 'If-Match names no revision of this question: the newest is "%(revision)s".'
        return problem(412, translate(message, {"revision": article.revision}), revision=article.revision)
    source = changed_source(base.source, _changed(fields_of(base.source), question))
    contribution = Contribution(source, question.message, base.number, article.slug)
    try:
        outcome = contributing.contribute(here.database, key.account, contribution, Origin.API)
    except EditConflict as error:
        detail = translate(error.message)
        return problem(412, detail, revision=error.revision, yours=source, theirs=error.theirs)
    return _answer(request, here, outcome, 200)


def _changed(fields: Fields, question: QuestionInput) -> Fields:
    lang = question.lang or fields.lang
    if canonical(lang) is None:
        raise InvalidInput("%(lang)s is not a known language tag. Use zh, zh-Hant or en, for example.", lang=lang[:20])
    cards = {Section.RESOURCES: fields.resources, Section.MORE: fields.more}
    if question.resources is not None:
        known = {card.url: card for card in (*fields.resources, *fields.more)}
        for section in cards:
            listed = [card for card in question.resources if card.section == section]
            cards[section] = tuple(_card(card, known.get(card.url)) for card in listed)
    body = fields.body if question.body_markdown is None else question.body_markdown.replace("\r\n", "\n").lstrip("\n")
    return Fields(
        title=" ".join((question.title if question.title is not None else fields.title).split()),
        lang=canonical(lang) or lang,
        body=body,
        tags=fields.tags if question.tags is None else tuple(question.tags),
        **cards,
    )


def _card(card: ResourceInput, known: Resource | None) -> Resource:
    """Return a card for the file: what the API does not show stays, and what it shows by itself is not written down."""
    host = host_of(card.url)
    site = card.site if card.site != host else None
    if known is None:
        return Resource(card.url, card.title, card.description, site)
    if card.site in (None, known.site or host):
        site = known.site
    return Resource(card.url, card.title, card.description, site, known.archive)


def _answer(request: Request, here: Here, outcome: Outcome, status: int) -> Response:
    if outcome.article is not None:
        article: Article = outcome.article
        response = article_response(request, here, article.slug, "/api/v1/questions/%s")
        response.status_code = status
        response.headers["Location"] = f"{base_url(request)}/api/v1/questions/{article.slug}"
        return response
    assert outcome.proposal is not None
    number = outcome.proposal.id or 0
    state = ProposalState(outcome.proposal.state)
    waiting = Proposed(proposal=number, state=state, url=f"{base_url(request)}/proposals/{number}")
    return JSONResponse(waiting.model_dump(mode="json"), 202)
