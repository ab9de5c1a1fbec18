"""Notices: what an action has done, told once on the page that the browser is led to next."""

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.web.language import translate

COOKIE = "notice"
LIFETIME_S = 60

NOTICES = {
    "amended": "Your proposal is changed.",
    "connected": "This way to sign in is connected to your account.",
    "deleted": "The question is deleted. Administrators can restore it.",
    "disconnected": "This way to sign in is disconnected from your account.",
    "draft-dropped": "The draft is deleted.",
    "handled": "The report is marked as handled.",
    "password": "The password is changed. All other browsers were signed out.",
    "proposed": "Your proposal is submitted. A reviewer reads it before it is published.",
    "published": "The answer is published.",
    "rejected": "The proposal is rejected. Its author sees your reason.",
    "renamed": "Your name is changed.",
    "restored": "The question is restored.",
    "reverted": "The older text is the newest revision now.",
    "role": "The role is changed.",
    "session-ended": "That browser is signed out.",
    "signed-out": "You are signed out.",
    "token-revoked": "The token is revoked.",
    "wanted": "Your question is on the list. Whoever can answer it finds it here.",
    "withdrawn": "The proposal is withdrawn.",
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
