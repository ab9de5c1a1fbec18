"""The page with the editor, alike for a new answer, a change and a proposal."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from app.models import Article, Draft, Proposal
from app.services.accounts import Key, id_of
from app.services.drafting import stamp
from app.services.rendering import make_rendering
from app.services.reviewing import version_of
from app.services.suggesting import near_questions
from app.storage import drafts as storage
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
    drafts: Sequence[Draft] = (),
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


def in_a_window(form: EditorForm) -> EditorForm:
    """Return the editor with a name of its window: the one that it has, else a new one."""
    return replace(form, window=form.window or secrets.token_urlsafe(9))


def known_drafts(here: State, key: Key, target: str) -> list[Draft]:
    """Return the person's drafts of one target, the last kept first."""
    with here.database.read() as session:
        return storage.of_target(session, id_of(key.account), target)


def begun(drafts: Sequence[Draft], wanted: str | None) -> EditorForm | None:
    """Return the editor as a draft left it: the one with the name that is wanted, else the last; None for none."""
    for draft in drafts:
        if wanted in (None, draft.target):
            return shown(form_of(draft.fields), draft)
    return None


def shown(form: EditorForm, draft: Draft) -> EditorForm:
    """Return the editor as it goes on with a draft."""
    return replace(form, draft=draft.target, draft_at=stamp(draft))


def rendered(request: Request, form: EditorForm) -> Markup:
    """Return the HTML of what is in the editor, as the site will show it."""
    return with_panels(request, make_rendering(form.body, form.lang or "en").html, None)


def target_of(article: Article) -> str:
    """Return the name under which a draft of a change of this article is kept."""
    return f"article-{article.id}"
