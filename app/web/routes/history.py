"""The history of a question: its revisions, what changed between them, going back, deleting and restoring."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.content.comparing import compare
from app.content.document import parse_document
from app.errors import InvalidFields, NotFound
from app.services import contributing, removing
from app.services.limits import CONTRIBUTION
from app.services.rendering import rendering_of
from app.storage import articles, revisions
from app.web.access import PUBLIC, Admin, Contributor, Reviewer
from app.web.editor import number_in
from app.web.forms import Form as FilledForm
from app.web.live import with_panels
from app.web.notices import lead_to
from app.web.parameters import PageNumber, RowId
from app.web.state import Here
from app.web.templating import named, render
from app.web.turns import RenderingTurn

router = APIRouter(prefix="/questions", include_in_schema=False)

HISTORY_SIZE = 50


@router.get("/{slug}/history", dependencies=[PUBLIC])
def history(request: Request, here: Here, slug: str, number: PageNumber) -> Response:
    """List the question's revisions."""
    return _history_page(request, here, slug, number)


@router.get("/{slug}/revisions/{number}", dependencies=[PUBLIC])
def show_revision(request: Request, here: Here, slug: str, number: str) -> Response:
    """Show the question as it once was."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/questions/{article.slug}/revisions/{number}", 301)
        revision = revisions.get(session, article.id or 0, number_in(number))
    if revision is None:
        raise NotFound("There is no revision %(number)s of this answer.", number=number[:20])
    document = parse_document(revision.source, default_slug=article.slug)
    return render(
        request,
        "revision.html",
        article=named(article),
        revision={
            "number": revision.number,
            "created_at": revision.created_at,
            "author": revision.author,
            "message": revision.message,
            "title": revision.title,
            "html": with_panels(
                request, rendering_of(here.database, document.body, document.lang).html, request.url.path
            ),
            "is_current": revision.number == article.revision,
            "lang": document.lang,
        },
        previous=revision.number - 1 if revision.number > 1 else None,
        next=revision.number + 1 if revision.number < article.revision else None,
    )


@router.get("/{slug}/compare", dependencies=[PUBLIC])
def compare_revisions(
    request: Request, here: Here, slug: str, _turn: RenderingTurn, older: str = "", newer: str = ""
) -> Response:
    """Show what changed between two revisions, word by word."""
    with here.database.read() as session:
        article = articles.find(session, slug)
        article_id = article.id or 0
        after = revisions.get(session, article_id, number_in(newer) or article.revision)
        before = revisions.get(session, article_id, number_in(older) or max(1, article.revision - 1))
    if after is None or before is None:
        raise NotFound(
            "There is no revision %(number)s of this answer.", number=(older if before is None else newer)[:20]
        )
    hunks = compare(before.source, after.source)
    return render(request, "compare.html", article=named(article), older=before, newer=after, hunks=hunks)


@router.post("/{slug}/revisions/{number}/reversion")
def revert(
    here: Here, key: Contributor, slug: str, number: RowId, _turn: RenderingTurn, message: Annotated[str, Form()] = ""
) -> Response:
    """Make an older revision the newest again, or propose to."""
    here.limits.count(CONTRIBUTION, str(key.account.id))
    outcome = contributing.revert(here.database, key.account, slug, number, message)
    if outcome.proposal is not None:
        return lead_to(f"/proposals/{outcome.proposal.id}", "proposed")
    return lead_to(f"/questions/{slug}", "reverted")


@router.post("/{slug}/deletion")
def delete(request: Request, here: Here, key: Reviewer, slug: str, reason: Annotated[str, Form()] = "") -> Response:
    """Delete the question; its addresses answer 410 from now on."""
    try:
        removing.delete(here.database, key.account, slug, reason)
    except InvalidFields as error:
        return _history_page(request, here, slug, 1, FilledForm({"reason": reason}, error))
    return lead_to("/questions", "deleted")


@router.post("/{slug}/restoration")
def restore(here: Here, key: Admin, slug: str) -> Response:
    """Bring a deleted question back."""
    article = removing.restore(here.database, key.account, slug)
    return lead_to(f"/questions/{article.slug}", "restored")


def _history_page(request: Request, here: Here, slug: str, number: int, form: FilledForm | None = None) -> Response:
    with here.database.read() as session:
        article = articles.find(session, slug)
        if article.slug != slug:
            return RedirectResponse(f"/questions/{article.slug}/history", 301)
        page = revisions.list_page(session, article.id or 0, number=number, size=HISTORY_SIZE)
    return render(
        request,
        "history.html",
        status_code=400 if form else 200,
        article=named(article),
        page=page,
        form=form or FilledForm(),
    )
