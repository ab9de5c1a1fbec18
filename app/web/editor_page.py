"""The page with the editor, alike for a new answer, a change and a proposal."""

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from app.models import Article, Draft, Proposal
from app.services.rendering import make_rendering
from app.services.reviewing import version_of
from app.services.suggesting import near_questions
from app.web.editor import EditorForm
from app.web.forms import Form
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
    kept: Draft | None = None,
    preview: str | None = None,
    filled: Form | None = None,
    status_code: int = 200,
) -> Response:
    """Return the editor with `form` in it."""
    here: State = request.app.state.omniracle
    similar = near_questions(here.database, here.index, form.title, SIMILAR) if preview and article is None else []
    return render(
        request,
        "editor.html",
        status_code=status_code,
        headers={"Cache-Control": "no-store"},
        editor=form,
        seen=form.seen or (version_of(proposal) if proposal else ""),
        target=target,
        article=named(article) if article else None,
        proposal_id=proposal.id if proposal else None,
        draft_of=kept.updated_at if kept else None,
        preview=None if preview is None else Markup(preview),  # noqa: S704  cleaned by nh3 after everything else
        similar=similar,
        form=filled or Form(),
    )


def rendered(form: EditorForm) -> str:
    """Return the HTML of what is in the editor, as the site will show it."""
    return make_rendering(form.body, form.lang or "en").html


def target_of(article: Article) -> str:
    """Return the name under which a draft of a change of this article is kept."""
    return f"article-{article.id}"
