"""Live blocks: what authors write as a fenced block, and the site shows as a panel that does something.

The kept rendering holds only a mark, for what is shown depends on the reader's language and on what they may do.
"""

from fastapi import Request
from markupsafe import Markup

from app.content.live import WORKERS_MARK
from app.models import Role
from app.services.experimenting import Choice
from app.web import language
from app.web.access import account_of
from app.web.state import State
from app.web.templating import environment


def with_panels(request: Request, html: str, back: str | None) -> Markup:
    """Return the HTML of an answer with its live blocks; `back` is the page to which their results lead back.

    None is for previews: they stand within a form, and their panels do nothing.
    """
    if WORKERS_MARK in html:
        template = environment().get_template("parts/live_workers.html")
        panel = template.render(choices=choices(request), next=back, lang=language.current.get())
        html = html.replace(WORKERS_MARK, panel, 1)
    return Markup(html)  # noqa: S704  cleaned by nh3 after everything else, then our own template


def choices(request: Request) -> tuple[Choice, ...]:
    """Return which experiments the reader may start."""
    state: State = request.app.state.omniracle
    may = {"public": True, "operators": is_operator(request), "off": False}[state.settings.experiments]
    may &= bool((request.scope.get("server") or (None, None))[1])  # on a Unix socket there is no port to ask
    return tuple(choice for choice in Choice if may and (choice != Choice.BLOCKED or is_operator(request)))


def is_operator(request: Request) -> bool:
    """Say whether the reader runs this site."""
    account = account_of(request)
    return account is not None and Role(account.role).includes(Role.ADMIN)
