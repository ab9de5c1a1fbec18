"""The page with the editor, alike for a new answer, a change and a proposal."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from app.errors import InvalidInput, TooManyRequests
from app.models import Article, Draft, Proposal
from app.services import drafting
from app.services.accounts import Key, id_of
from app.services.limits import PREVIEW
from app.services.rendering import make_rendering
from app.services.reviewing import version_of
from app.services.suggesting import near_questions
from app.storage import drafts as storage
from app.storage.drafts import DraftLine
from app.web.editor import EditorForm, form_of
from app.web.forms import Form
from app.web.live import with_panels
from app.web.state import State
from app.web.templating import named, render

NEW = "new"
SIMILAR = 5


def editor_page(
    request: Request,
    form: EditorForm,
    *,
    target: str,
    article: Article | None = None,
    proposal: Proposal | None = None,
    drafts: Sequence[DraftLine] = (),
    preview: Markup | None = None,
    filled: Form | None = None,
    status_code: int = 200,
) -> Response:
    """Return the editor with `form` in it; ``drafts` are the person's of this target."""
    here: State = request.app.state.omniracle
    similar = (
        near_questions(here.database, here.current_index(), form.title, SIMILAR) if preview and article is None else []
    )
    name = form.place(target).name if form.draft_at else None
    present = next((draft for draft in drafts if draft.target == name), None)
    return render(
        request,
        "editor.html",
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
        editor=in_a_window(form),
        seen=form.seen or (version_of(proposal) if proposal else ""),
        target=target,
        draft=present,
        other_drafts=[draft for draft in drafts if draft is not present],
        article=named(article) if article else None,
        proposal_id=proposal.id if proposal else None,
        preview=preview,
        similar=similar,
        form=filled or Form(),
    )


def refused_page(
    request: Request,
    form: EditorForm,
    error: InvalidInput | TooManyRequests,
    *,
    target: str,
    article: Article | None = None,
    proposal: Proposal | None = None,
) -> Response:
    """Return the editor with what was typed, and the reason for which it was not taken."""
    status = 429 if isinstance(error, TooManyRequests) else 400
    response = editor_page(
        request,
        form,
        target=target,
        article=article,
        proposal=proposal,
        filled=Form({}, error),
        status_code=status,
    )
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def in_a_window(form: EditorForm) -> EditorForm:
    """Return the editor with a name of its window: the one that it has, else a new one."""
    return replace(form, window=form.window or secrets.token_urlsafe(9))


def known_drafts(here: State, key: Key, target: str) -> Sequence[DraftLine]:
    """Return what lists show of the person's drafts of one target, the last kept first."""
    with here.database.read() as session:
        return storage.of_target(session, id_of(key.account), target)


def begun(here: State, key: Key, drafts: Sequence[DraftLine], wanted: str | None) -> EditorForm | None:
    """Return the editor as one of these drafts left it: as the one that is wanted, else the last; None for none."""
    name = next((draft.target for draft in drafts if wanted in (None, draft.target)), None)
    if name is None:
        return None
    with here.database.read() as session:
        draft = storage.get(session, id_of(key.account), name)
    return shown(form_of(draft.fields), draft) if draft else None


def keep(here: State, key: Key, form: EditorForm, target: str) -> EditorForm:
    """Keep what is in the editor as a draft, and return the editor as it goes on with it.

    Raises TooManyRequests, and InvalidInput for what is too long and for one draft too many.
    """
    here.limits.count(PREVIEW, str(key.account.id))
    return shown(form, drafting.keep(here.database, id_of(key.account), form.place(target), form.pairs()))


def kept_if_possible(here: State, key: Key, form: EditorForm, target: str) -> EditorForm:
    """Return the editor as it goes on with a draft of what is in it; as it is where none can be kept."""
    try:
        return keep(here, key, form, target)
    except (InvalidInput, TooManyRequests):
        return form


def shown(form: EditorForm, draft: Draft) -> EditorForm:
    """Return the editor as it goes on with a draft."""
    return replace(form, draft=draft.target, draft_at=drafting.stamp(draft))


def rendered(request: Request, form: EditorForm) -> Markup:
    """Return the HTML of what is in the editor, as the site will show it."""
    return with_panels(request, make_rendering(form.body, form.lang or "en").html, None)


def previewed(request: Request, here: State, key: Key, form: EditorForm) -> Markup:
    """Return what `rendered` does, for a person who asks for it; raise TooManyRequests."""
    here.limits.count(PREVIEW, str(key.account.id))
    return rendered(request, form)


def target_of(article: Article) -> str:
    """Return the name under which a draft of a change of this article is kept."""
    return f"article-{article.id}"
