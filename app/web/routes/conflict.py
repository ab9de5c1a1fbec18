"""Two people have changed the same place: both texts, and the choice between them."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.content.comparing import compare
from app.content.merging import Conflict, Merged
from app.errors import Forbidden, InvalidInput, NotFound
from app.models import Article
from app.services.contributing import Contribution, EditConflict, merged_by_blocks
from app.services.limits import PREVIEW
from app.services.reviewing import may_see
from app.storage import articles, proposals, revisions
from app.web.access import Contributor
from app.web.editor import PLACE, EditorForm, SentValues, form_of_source, number_in
from app.web.editor_page import editor_page, in_a_window, keep, rendered, target_of
from app.web.forms import Form
from app.web.state import Here
from app.web.templating import named, render
from app.web.turns import RenderingTurn

router = APIRouter(include_in_schema=False)


def conflict_page(
    request: Request,
    article: Article,
    form: EditorForm,
    mine: Contribution,
    error: EditConflict,
    proposal_id: int | None = None,
) -> Response:
    """Return the page that shows both texts and lets the person choose."""
    clashes = [
        {"ours": compare(piece.base, piece.ours), "theirs": compare(piece.base, piece.theirs)}
        for piece in error.merged
        if isinstance(piece, Conflict)
    ]
    return render(
        request,
        "conflict.html",
        status_code=409,
        headers={"Cache-Control": "no-store"},
        article=named(article),
        clashes=clashes,
        editor=in_a_window(form),
        source=mine.source,
        message=mine.message,
        base=mine.base_revision,
        newest=error.revision,
        proposal_id=proposal_id,
    )


@router.post("/questions/{slug}/conflict")
def resolve(
    request: Request, here: Here, key: Contributor, slug: str, sent: SentValues, _turn: RenderingTurn
) -> Response:
    """Put together what was chosen, and go on in the editor with the newest revision as the base."""
    here.limits.count(PREVIEW, str(key.account.id))
    message = sent.get("message", "")
    mine = sent.get("source", "").replace("\r\n", "\n")
    with here.database.read() as session:
        article = articles.by_slug(session, slug)
        article_id = article.id if article and article.id else 0
        base = revisions.get(session, article_id, number_in(sent.get("base", "")))
        newest = revisions.get(session, article_id, number_in(sent.get("newest", "")))
        proposal = proposals.get(session, number_in(sent.get("proposal", "")))
    if article is None or base is None or newest is None:
        raise NotFound("There is no such revision of this answer.")
    if proposal is not None and not may_see(key.account, proposal):
        raise Forbidden("This proposal belongs to someone else.")
    target = f"proposal-{proposal.id}" if proposal else target_of(article)
    try:
        chosen = _chosen(merged_by_blocks(base.source, mine, newest.source), sent)
        form, preview, filled = form_of_source(chosen, base=newest.number, message=message), True, None
    except InvalidInput as error:  # both versions of one key of the front matter, for example
        form, preview, filled = form_of_source(mine, base=base.number, message=message), False, Form({}, error)
    window, draft, draft_at = (sent.get(name, "") for name in PLACE)
    form = replace(form, window=window, draft=draft, draft_at=draft_at)
    try:
        form = keep(here, key, form, target)
    except InvalidInput as error:  # too long, or one draft too many: what was chosen is on the page all the same
        filled = filled or Form({}, error)
    return editor_page(
        request,
        form,
        target=target,
        article=article,
        proposal=proposal,
        preview=rendered(request, form) if preview else None,
        filled=filled,
        status_code=400 if filled else 200,
    )


def _chosen(merged: Merged, sent: dict[str, str]) -> str:
    pieces: list[str] = []
    clashes = 0
    for piece in merged:
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        match sent.get(f"choice-{clashes}"):
            case "theirs":
                pieces.append(piece.theirs)
            case "both":
                pieces.append(
                    f"{piece.ours}\n{piece.theirs}" if piece.ours and piece.theirs else piece.ours + piece.theirs
                )
            case _:
                pieces.append(piece.ours)
        clashes += 1
    return "".join(pieces)
