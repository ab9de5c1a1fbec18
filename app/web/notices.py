"""Notices: what an action has done, told once on the page that the browser is led to next."""

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.web.language import translate

COOKIE = "notice"
LIFETIME_S = 60

NOTICES = {
    "amended": "Your proposal has been updated.",
    "connected": "This sign-in method is now connected to your account.",
    "deleted": "The question has been deleted. Administrators can restore it.",
    "disconnected": "This sign-in method has been disconnected.",
    "draft-dropped": "The draft has been discarded.",
    "handled": "The report has been marked as handled.",
    "password": "Your password has been changed. All other browsers have been signed out, and all tokens revoked.",
    "proposed": "Your proposal has been submitted for review.",
    "proved": "You have confirmed that it is you.",
    "published": "The answer has been published.",
    "published-next": "The answer has been published. Here is the next proposal.",
    "rejected": "The proposal has been declined. Its author can read your reason.",
    "rejected-next": "That proposal has been declined; its author can read your reason. Here is the next one.",
    "renamed": "Your name has been changed.",
    "restored": "The question has been restored.",
    "reverted": "The earlier text has been restored as a new revision.",
    "role": "The role has been changed.",
    "second-factor-off": "The second factor has been turned off.",
    "session-ended": "The session has been ended.",
    "sessions-ended": "All other browsers have been signed out.",
    "signed-out": "You have signed out.",
    "token-revoked": "The token has been revoked.",
    "wanted": "Your question has been added to the list.",
    "withdrawn": "Your proposal has been withdrawn.",
}


def lead_to(path: str, notice: str) -> RedirectResponse:
    """Return the redirect to `path`, which tells `notice`, a key of NOTICES, there."""
    assert notice in NOTICES
    response = RedirectResponse(path, 303)
    response.set_cookie(COOKIE, notice, max_age=LIFETIME_S, httponly=True, samesite="lax")
    return response


def notice_of(request: Request) -> str | None:
    """Return what is to be told on the page that answers a request, in the reader's language; None for nothing.

    The cookie holds a key and no text, so that nobody can put words into the site's mouth with it.
    """
    text = NOTICES.get(request.cookies.get(COOKIE, ""))
    return translate(text) if text else None


def forget_notice(request: Request, response: Response) -> None:
    """Let the next page tell nothing any more."""
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
