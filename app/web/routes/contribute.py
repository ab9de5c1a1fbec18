"""Writing a new answer and changing one: the editor, its preview and drafts."""

import re
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from app.content.document import MAX_TITLE
from app.content.language import canonical, detect
from app.content.plain import one_line
from app.errors import Busy, InvalidInput, NotFound, TooManyRequests
from app.models import Article, Revision
from app.services import contributing, drafting
from app.services.accounts import Key, id_of
from app.services.contributing import Contribution, EditConflict, Outcome
from app.services.limits import CONTRIBUTION, LINK
from app.services.linking import describe
from app.storage import articles, drafts, revisions
from app.web.access import Contributor
from app.web.editor import EditorForm, SentForm, form_of, form_of_source
from app.web.editor_page import (
    NEW,
    begun,
    editor_page,
    keep,
    kept_if_possible,
    known_drafts,
    previewed,
    refused_page,
    target_of,
)
from app.web.notices import lead_to
from app.web.parameters import local_path
from app.web.routes.conflict import conflict_page
from app.web.state import Here
from app.web.templating import in_script_of, render, viewer
from app.web.turns import RenderingTurn

router = APIRouter(include_in_schema=False)

_TARGET = re.compile(r"new|(?:article|proposal)-\d{1,9}")
_DRAFT = re.compile(rf"(?:{_TARGET.pattern})(?:~[\w-]{{1,20}})?", re.ASCII)


@router.get("/contribute")
def new(request: Request, here: Here, key: Contributor, title: str = "", draft: str | None = None) -> Response:
    """Show the last draft that was begun, the one that is asked for, or the editor with nothing but a title."""
    known = known_drafts(here, key, NEW)
    form = (None if title and draft is None else begun(here, key, known, draft)) or EditorForm(
        title=one_line(title)[:MAX_TITLE]
    )
    return editor_page(request, form, target=NEW, drafts=known)


@router.post("/contribute")
def create(request: Request, here: Here, key: Contributor, form: SentForm, _turn: RenderingTurn) -> Response:
    """Publish or propose a new answer; or only show how it will look."""
    return _handle(request, here, key, form, article=None)


@router.post("/contribute/preview")
def preview(request: Request, here: Here, key: Contributor, form: SentForm, _turn: RenderingTurn) -> Response:
    """Give the answer as it will look, for the editor's preview while one types; nobody sends it back."""
    preview = previewed(request, here, key, form)
    html, lang = in_script_of(viewer(request), preview, canonical(form.lang) or detect(form.body))
    return HTMLResponse(html, headers={"Content-Language": lang})


@router.post("/contribute/link")
def describe_link(here: Here, key: Contributor, url: Annotated[str, Form()] = "") -> Response:
    """Tell what a page says about itself, for the card of a resource."""
    here.limits.count(LINK, str(key.account.id))
    if not here.fetches.acquire(blocking=False):
        raise Busy
    try:
        return JSONResponse(asdict(describe(url, here.fetcher)))
    finally:
        here.fetches.release()


@router.post("/drafts/{target}")
def save_draft(here: Here, key: Contributor, target: str, form: SentForm) -> Response:
    """Keep what is being written."""
    if not _TARGET.fullmatch(target):
        raise NotFound("There is no such draft.")
    keep(here, key, form, target)
    return Response(status_code=204)


@router.get("/drafts/{name}")
def show_draft(request: Request, here: Here, key: Contributor, name: str) -> Response:
    """Show the text of a draft, also of one that has no editor any more: its proposal was decided, for example."""
    with here.database.read() as session:
        kept = drafts.get(session, id_of(key.account), name) if _DRAFT.fullmatch(name) else None
        if kept is None:
            raise NotFound("There is no such draft.")
        editor = drafting.editor_of(session, kept)
    return render(request, "draft.html", headers={"Cache-Control": "no-store"}, draft=kept, editor=editor,
                  written=form_of(kept.fields))  # fmt: skip


@router.post("/drafts/{name}/removal")
def drop_draft(here: Here, key: Contributor, name: str, back: Annotated[str, Form()] = "/contribute") -> Response:
    """Forget a draft and go on without it."""
    if not _DRAFT.fullmatch(name):
        raise NotFound("There is no such draft.")
    with here.database.write() as session:
        drafts.drop(session, id_of(key.account), name)
    return lead_to(local_path(back), "draft-dropped")


@router.get("/questions/{slug}/edit")
def edit(request: Request, here: Here, key: Contributor, slug: str, draft: str | None = None) -> Response:
    """Show the editor with an answer, or with the draft of a change of it."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/questions/{article.slug}/edit", 301)
        newest = revisions.get(session, article.id or 0, article.revision)
    assert newest is not None
    target = target_of(article)
    known = known_drafts(here, key, target)
    form = begun(here, key, known, draft) or form_of_source(newest.source, base=article.revision)
    return editor_page(request, form, target=target, article=article, drafts=known)


@router.post("/questions/{slug}/edit")
def change(request: Request, here: Here, key: Contributor, slug: str, form: SentForm, _turn: RenderingTurn) -> Response:
    """Publish or propose a change; or only show how it will look."""
    with here.database.read() as session:
        article = articles.find(session, slug)
    return _handle(request, here, key, form, article)


def _handle(request: Request, here: Here, key: Key, form: EditorForm, article: Article | None) -> Response:
    target = target_of(article) if article else NEW
    try:
        if form.action == "preview":
            made = previewed(request, here, key, form)
            return editor_page(request, form, target=target, article=article, preview=made)
        if form.action == "draft":
            kept = keep(here, key, form, target)
            return editor_page(request, kept, target=target, article=article, drafts=known_drafts(here, key, target))
        contribution = contribution_of(here, form, article)
        here.limits.count(CONTRIBUTION, str(key.account.id))
        outcome = contributing.contribute(here.database, key.account, contribution)
    except (InvalidInput, TooManyRequests) as error:
        return refused_page(request, form, error, target=target, article=article)
    except EditConflict as error:
        assert article is not None
        form = kept_if_possible(here, key, form, target)  # who leaves the page finds the text again
        return conflict_page(request, article, form, contribution, error)
    drafting.finish(here.database, id_of(key.account), form.place(target))
    return _lead_on(outcome)


def contribution_of(here: Here, form: EditorForm, article: Article | None) -> Contribution:
    """Return what the form wants to be; raise InvalidInput for what cannot be used."""
    if article is None:
        return Contribution(form.source(None), form.message)
    with here.database.read() as session:
        base: Revision | None = revisions.get(session, article.id or 0, form.base)
    if base is None:
        raise NotFound("There is no revision %(number)s of this answer.", number=form.base)
    return Contribution(form.source(base.source), form.message, form.base, article.slug)


def _lead_on(outcome: Outcome) -> Response:
    if outcome.article is not None:
        return lead_to(f"/questions/{outcome.article.slug}", "published")
    assert outcome.proposal is not None
    return lead_to(f"/proposals/{outcome.proposal.id}", "proposed")
