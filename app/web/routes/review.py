"""Reviewing: what waits, what it would change, and the decision."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.content import linting
from app.content.comparing import compare
from app.content.document import parse_document
from app.errors import Forbidden, InvalidInput, NotFound, TooManyRequests
from app.models import Article, Proposal, ProposalState, Role
from app.models.columns import now
from app.services import drafting, reviewing
from app.services.accounts import Key, id_of
from app.services.contributing import Contribution, EditConflict
from app.services.limits import CONTRIBUTION
from app.services.rendering import make_rendering
from app.services.reviewing import ProposalChanged, may_see, version_of
from app.storage import drafts, feedback, proposals, resources, revisions
from app.web.access import Contributor, Reviewer
from app.web.editor import EditorForm, SentForm, form_of_source
from app.web.editor_page import begun, editor_page, keep, kept_if_possible, known_drafts, previewed, refused_page
from app.web.forms import Form as FilledForm
from app.web.language import translate
from app.web.live import with_panels
from app.web.notices import lead_to
from app.web.parameters import PageNumber, RowId
from app.web.routes.conflict import conflict_page
from app.web.state import Here
from app.web.templating import named, render
from app.web.turns import RenderingTurn

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50


@router.get("/review")
def waiting(request: Request, here: Here, _key: Reviewer, number: PageNumber) -> Response:
    """List what waits for a reviewer."""
    with here.database.read() as session:
        page = proposals.pending_page(session, number=number, size=PAGE_SIZE)
        gone = resources.gone_page(session, number=1, size=1).total
        doubts = feedback.complaints_page(session, number=1, size=1).total
        stale = feedback.stale_page(session, now().date(), number=1, size=1).total
    return render(request, "review.html", page=page, gone=gone, doubts=doubts, stale=stale)


@router.get("/review/links")
def gone_links(request: Request, here: Here, _key: Reviewer, number: PageNumber) -> Response:
    """List the resources that lead nowhere any more."""
    with here.database.read() as session:
        page = resources.gone_page(session, number=number, size=PAGE_SIZE)
    return render(request, "gone_links.html", page=page)


@router.get("/account/contributions")
def own(request: Request, here: Here, key: Contributor, number: PageNumber) -> Response:
    """List one's own drafts, and what became of one's proposals."""
    with here.database.read() as session:
        page = proposals.page_of_author(session, id_of(key.account), number=number, size=PAGE_SIZE)
        kept = drafts.of_account(session, id_of(key.account))
    return render(request, "contributions.html", page=page, drafts=kept)


@router.get("/proposals/{proposal_id}")
def show(request: Request, here: Here, key: Contributor, proposal_id: RowId, _turn: RenderingTurn) -> Response:
    """Show a proposal to its author and to reviewers."""
    return _page(request, here, key, proposal_id)


@router.post("/proposals/{proposal_id}/approval")
def approve(
    request: Request,
    here: Here,
    key: Reviewer,
    proposal_id: RowId,
    _turn: RenderingTurn,
    seen: Annotated[str, Form()] = "",
) -> Response:
    """Publish a proposal and go on with the next one."""
    proposal, article = _found(here, key, proposal_id)
    try:
        reviewing.approve(here.database, key.account, proposal_id, seen=seen)
    except EditConflict as error:
        assert article is not None
        return conflict_page(request, article, EditorForm(), _contribution(proposal, article), error, proposal_id)
    except InvalidInput as error:
        return _page(request, here, key, proposal_id, FilledForm({}, error))
    return _next(here, proposal_id, "published")


@router.post("/proposals/{proposal_id}/rejection")
def reject(
    request: Request,
    here: Here,
    key: Reviewer,
    proposal_id: RowId,
    _turn: RenderingTurn,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Reject a proposal with a reason and go on with the next one."""
    try:
        reviewing.reject(here.database, key.account, proposal_id, reason)
    except InvalidInput as error:
        return _page(request, here, key, proposal_id, FilledForm({"reason": reason}, error))
    return _next(here, proposal_id, "rejected")


@router.post("/proposals/{proposal_id}/withdrawal")
def withdraw(here: Here, key: Contributor, proposal_id: RowId) -> Response:
    """Take one's own proposal back."""
    reviewing.withdraw(here.database, key.account, proposal_id)
    return lead_to(f"/proposals/{proposal_id}", "withdrawn")


@router.get("/proposals/{proposal_id}/edit")
def edit(request: Request, here: Here, key: Contributor, proposal_id: RowId, draft: str | None = None) -> Response:
    """Show the editor with a proposal: to its author, or to a reviewer who approves it with changes."""
    proposal, article = _found(here, key, proposal_id)
    if proposal.state != ProposalState.PENDING:
        return RedirectResponse(f"/proposals/{proposal_id}", 303)
    target = f"proposal-{proposal_id}"
    known = known_drafts(here, key, target)
    form = begun(here, key, known, draft) or form_of_source(
        proposal.source, base=proposal.base_revision, message=proposal.message
    )
    filled = None
    if form.seen not in ("", version_of(proposal)):
        filled, form = FilledForm({}, ProposalChanged()), replace(form, seen=version_of(proposal))
    return editor_page(request, form, target=target, article=article, proposal=proposal, drafts=known, filled=filled)


@router.post("/proposals/{proposal_id}/edit")
def change(
    request: Request, here: Here, key: Contributor, proposal_id: RowId, form: SentForm, _turn: RenderingTurn
) -> Response:
    """Keep the author's changes of a proposal, or publish it with a reviewer's changes."""
    proposal, article = _found(here, key, proposal_id)
    target = f"proposal-{proposal_id}"
    try:
        if form.action == "preview":
            made = previewed(request, here, key, form)
            return editor_page(request, form, target=target, article=article, proposal=proposal, preview=made)
        if form.action == "draft":
            kept, known = keep(here, key, form, target), known_drafts(here, key, target)
            return editor_page(request, kept, target=target, article=article, proposal=proposal, drafts=known)
        contribution = _edited(here, form, proposal, article)
        if not Role(key.account.role).includes(Role.REVIEWER):
            here.limits.count(CONTRIBUTION, str(key.account.id))
            reviewing.amend(here.database, key.account, proposal_id, contribution, seen=form.seen)
            following = lead_to(f"/proposals/{proposal_id}", "amended")
        else:
            reviewing.approve(here.database, key.account, proposal_id, seen=form.seen, edited=contribution)
            following = _next(here, proposal_id, "published")
    except EditConflict as error:
        assert article is not None
        kept = kept_if_possible(here, key, form, target)
        return conflict_page(request, article, kept, contribution, error, proposal_id)
    except (InvalidInput, TooManyRequests) as error:
        if isinstance(error, ProposalChanged):  # who has read this may put their text in its place
            form = replace(form, seen=version_of(proposal))
        return refused_page(request, form, error, target=target, article=article, proposal=proposal)
    drafting.finish(here.database, id_of(key.account), form.place(target))
    return following


def _page(request: Request, here: Here, key: Key, proposal_id: int, form: FilledForm | None = None) -> Response:
    proposal, article = _found(here, key, proposal_id)
    with here.database.read() as session:
        base = revisions.get(session, article.id or 0, proposal.base_revision) if article else None
        following = proposals.next_pending(session, proposal_id)
    document = parse_document(proposal.source, default_slug="")
    html = make_rendering(document.body, document.lang).html
    return render(
        request,
        "proposal.html",
        status_code=400 if form else 200,
        headers={"Cache-Control": "no-store"},
        proposal=proposal,
        seen=reviewing.version_of(proposal),
        article=named(article) if article else None,
        is_outdated=article is not None and article.revision != proposal.base_revision and proposal.revision is None,
        hunks=compare(base.source if base else "", proposal.source),
        html=with_panels(request, html, request.url.path),
        document=document,
        remarks=[translate(found.message, found.params) for found in linting.findings(document)],
        following=following if following != proposal_id else None,
        form=form or FilledForm(),
        **_rights(key, proposal),
    )


def _rights(key: Key, proposal: Proposal) -> dict[str, Any]:
    is_waiting = proposal.state == ProposalState.PENDING
    is_author = proposal.author_id == key.account.id
    return {
        "is_waiting": is_waiting,
        "may_decide": is_waiting and Role(key.account.role).includes(Role.REVIEWER),
        "may_amend": is_waiting and is_author,
    }


def _found(here: Here, key: Key, proposal_id: int) -> tuple[Proposal, Article | None]:
    with here.database.read() as session:
        proposal = proposals.get(session, proposal_id)
        article = proposals.article_of(session, proposal) if proposal else None
    if proposal is None:
        raise NotFound("There is no such proposal.")
    if not may_see(key.account, proposal):
        raise Forbidden("This proposal belongs to someone else.")
    return proposal, article


def _edited(here: Here, form: EditorForm, proposal: Proposal, article: Article | None) -> Contribution:
    """Return the proposal as the form has it; its base is a newer revision once a conflict was resolved."""
    if article is None:
        return Contribution(form.source(proposal.source), form.message)
    with here.database.read() as session:
        base = revisions.get(session, article.id or 0, form.base)
    if base is None or form.base == proposal.base_revision:
        return Contribution(form.source(proposal.source), form.message, proposal.base_revision, article.slug)
    return Contribution(form.source(base.source), form.message, form.base, article.slug)


def _contribution(proposal: Proposal, article: Article) -> Contribution:
    return Contribution(proposal.source, proposal.message, proposal.base_revision, article.slug)


def _next(here: Here, proposal_id: int, notice: str) -> RedirectResponse:
    with here.database.read() as session:
        following = proposals.next_pending(session, proposal_id)
    if following is None:
        return lead_to("/review", notice)
    return lead_to(f"/proposals/{following}", f"{notice}-next")  # the plain one would seem to be about that
