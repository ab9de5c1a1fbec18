"""What readers say of answers, without an account, and what reviewers do with it."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.content.plain import some_lines
from app.errors import InvalidInput, NotFound
from app.models import Feedback, FeedbackKind
from app.models.columns import now
from app.services.limits import FEEDBACK
from app.storage import articles, audit, feedback
from app.web.access import PUBLIC, Reviewer, address_of
from app.web.notices import lead_to
from app.web.parameters import PageNumber, RowId
from app.web.state import Here
from app.web.templating import render

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 50
MAX_REASON = 1000


@router.post("/questions/{slug}/feedback", dependencies=[PUBLIC])
def say(
    request: Request,
    here: Here,
    slug: str,
    kind: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Keep a reader's word; each counts once for each revision.

    What helped is counted, so that an address is one reader, whatever browsers it names. Doubts are read: people behind
    one address, with the same browser even, may each have their own, and nobody takes back somebody else's.
    """
    here.limits.count(FEEDBACK, address_of(request))
    reason = some_lines(reason)
    if kind not in list(FeedbackKind):
        raise InvalidInput("Choose helpful, outdated or wrong.")
    if kind == FeedbackKind.WRONG and not reason:
        raise InvalidInput("Say what is wrong; a reviewer will read it.")
    if len(reason) > MAX_REASON:
        raise InvalidInput("Use at most %(most)s characters.", most=MAX_REASON)
    with here.database.write() as session:
        article = articles.find(session, slug)
        assert article.id is not None
        address, agent = address_of(request), request.headers.get("user-agent", "")
        counted, read = (
            here.limits.digest(f"feedback {article.id} {article.revision} {reader}")
            for reader in (address, (address, agent, kind, reason))
        )
        said = Feedback(
            article_id=article.id,
            revision=article.revision,
            reader=counted if kind == FeedbackKind.HELPED else read,
            kind=kind,
            reason=reason,
            created_at=now(),
        )
        feedback.put(session, said, counted)
    return RedirectResponse(f"/questions/{article.slug}?said={kind}#page-feedback", 303)


@router.get("/review/feedback")
def complaints(request: Request, here: Here, _key: Reviewer, number: PageNumber) -> Response:
    """List what readers doubt."""
    with here.database.read() as session:
        page = feedback.complaints_page(session, number=number, size=PAGE_SIZE)
    return render(request, "complaints.html", page=page)


@router.post("/review/feedback/{feedback_id}/handling")
def handle(here: Here, key: Reviewer, feedback_id: RowId) -> Response:
    """Note that a doubt was dealt with."""
    with here.database.write() as session:
        known = feedback.handle(session, feedback_id)
        if known is None:
            raise NotFound("There is no such report.")
        audit.record(session, key.account, "feedback", f"article {known.article_id}", f"{known.kind}: {known.reason}")
    return lead_to("/review/feedback", "handled")


@router.get("/review/stale")
def stale(request: Request, here: Here, _key: Reviewer, number: PageNumber) -> Response:
    """List the answers whose facts are to be checked again."""
    with here.database.read() as session:
        page = feedback.stale_page(session, now().date(), number=number, size=PAGE_SIZE)
    return render(request, "stale.html", page=page)
