"""The one place where errors become responses: a page for people, problem+json (RFC 9457) for programs."""

import http
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as NoConnection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import (
    AlreadyRunning,
    Busy,
    CrossOrigin,
    Forbidden,
    Gone,
    ImagesUnavailable,
    IndexUnavailable,
    InvalidFields,
    InvalidInput,
    NotFound,
    OmniracleError,
    ProbeFailed,
    ProofNeeded,
    ProviderUnavailable,
    SignInNeeded,
    TooManyRequests,
)
from app.services.accounts import Key
from app.storage.failures import is_no_text, is_of_disk, reason_of
from app.web.access import key_of
from app.web.forms import damaged, is_form, read_form, unreadable
from app.web.language import translate
from app.web.near import near
from app.web.origin import SAFE_METHODS, is_foreign
from app.web.problems import VARY, problem
from app.web.proving import proof_page
from app.web.reasons import told
from app.web.templating import render, viewer

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
DISK_RETRY_AFTER_S = 60  # somebody has to do something first
SECRET_FIELDS = ("password", "old", "new")
RESENDABLE = (400, 401, 403, 404, 410, 429, 500, 503)  # what was typed stays on the page, and can be sent again
_HEADINGS = {
    400: "Invalid request",
    401: "Please sign in",
    403: "Not allowed",
    404: "Page not found",
    405: "Request not accepted",
    409: "Already running",
    413: "Too large",
    410: "This answer was deleted",
    422: "Invalid request",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Temporarily unavailable",
}
_MESSAGES = {
    404: "There is nothing at this address.",
    405: "This address does not accept this kind of request.",
    415: "Send JSON, and say so with Content-Type: application/json.",
}


def install(app: FastAPI, routes: Sequence[Route]) -> None:
    """Make `app`, which has these routes, answer errors by the functions below."""
    app.state.routes = routes
    for error, answer in (
        (OmniracleError, _answer_ours),
        (ProofNeeded, _answer_unproved),
        (HTTPException, _answer_http),
        (RequestValidationError, _answer_validation),
        (DatabaseError, _answer_failure),
        (NoConnection, _answer_failure),
        (OSError, _answer_failure),
    ):
        app.add_exception_handler(error, _keeping_what_was_typed(answer))
    app.add_middleware(UnexpectedErrors)


class UnexpectedErrors:
    """Answers what nothing else caught. Starlette's own handler would do so outside of all our middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; an error after the response has begun ends the connection."""
        has_begun = False

        async def send_watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_watched)
        except Exception as error:
            if scope["type"] != "http" or has_begun:
                raise
            if isinstance(error, ClientDisconnect):  # nobody is there to be answered
                log.info("%s %s was given up by the client", scope["method"], scope["path"])
                return
            request = Request(scope, receive)
            log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
            response = await run_in_threadpool(_failed, request)
            await response(scope, receive, send)


def _keeping_what_was_typed(answer: Callable[[Request, Exception], Response]) -> Callable[..., Awaitable[Response]]:
    """Let `answer` find the fields of the form that was sent, so that they can be sent again."""

    async def handle(request: Request, error: Exception) -> Response:
        if not hasattr(request.state, "typed"):  # else an answer has failed: the body was read, no more of it will come
            request.state.typed = []
            # What another site has sent may not stand on a page of this one, whatever else is wrong with it.
            request.state.typed = [] if is_foreign(request) else await _typed(request)
        return await run_in_threadpool(answer, request, error)

    return handle


async def _typed(request: Request) -> list[tuple[str, str]]:
    if not is_form(request) or getattr(request.state, "is_unreadable", False):
        return []
    try:
        form = await read_form(request)
    except (HTTPException, RuntimeError, OmniracleError) as error:  # no form after all, or somebody else has read it
        log.debug("the form cannot be read: %r", error)
        return []
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str) and name not in SECRET_FIELDS]


def _answer_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, OmniracleError)
    _note(request, error)
    match error:
        case AlreadyRunning():
            status = 409
        case Gone():
            status = 410
        case NotFound():
            status = 404
        case SignInNeeded():
            return _ask_to_sign_in(request, error)
        case TooManyRequests():
            headers = {"Retry-After": str(error.retry_after_s)}
            return _answer(request, 429, error.message, error.params, headers=headers)
        case Forbidden():
            status = 403
        case InvalidFields():
            fields = [{"field": each.field, "reason": translate(each.message, each.params)} for each in error.problems]
            return _answer(request, 400, error.message, error.params, errors=fields)
        case InvalidInput():
            status = 400
        case ProviderUnavailable() | ProbeFailed() | Busy() | ImagesUnavailable():
            return _answer(request, 503, error.message, error.params, headers={"Retry-After": str(RETRY_AFTER_S)})
        case _:
            log.error("%s", error)
            return _busy(request) if isinstance(error, IndexUnavailable) else _failed(request)
    return _answer(request, status, error.message, error.params)


def _note(request: Request, error: OmniracleError) -> None:
    """Write down that somebody was refused what is not for them, or not so often."""
    why = {Forbidden: "forbidden", CrossOrigin: "cross-origin", TooManyRequests: "too-many"}.get(type(error))
    if why is not None:
        key: Key | None = getattr(request.state, "key", None)
        request.app.state.omniracle.security_log.refuse_often(request, why, key.account if key else None)


def _answer_unproved(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProofNeeded)
    return _answer_ours(request, error) if _is_for_programs(request) else proof_page(request, error)


def _ask_to_sign_in(request: Request, error: SignInNeeded) -> Response:
    if request.method == "GET" and not _is_for_programs(request):
        return RedirectResponse(f"/sign-in?{urlencode({'next': viewer(request).path})}", 303, {"Vary": VARY})
    return _answer(request, 401, error.message, error.params, headers={"WWW-Authenticate": "Bearer"})


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return too_large(request)
    if damage := unreadable(error):
        return _answer_ours(request, damage)
    message = _MESSAGES.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == http.HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _methods_at(request) or headers["Allow"]
    return _answer(request, error.status_code, message, headers=headers)


def _methods_at(request: Request) -> str:
    """Return all methods that the address takes: the router names those of one route, and an address may have several.

    HEAD is answered wherever GET is.
    """
    routes: Sequence[Route] = request.app.state.routes
    methods = set().union(*(each.methods or () for each in routes if each.matches(request.scope)[0] != Match.NONE))
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def too_large(request: Request, most: str | None = None) -> Response:
    """Return the answer to a request that brings more than it may: than any request, or than `most`."""
    most = most or f"{request.app.state.omniracle.settings.request_mb} MB"
    message = "This is too much to send at once: the limit is %(most)s. Go back and send it in parts."
    return _answer(request, 413, message, {"most": most}, headers={"Connection": "close"})


def _answer_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if all(item["loc"][:1] == ("path",) for item in error.errors()):  # there is nothing at an address like that
        return _answer(request, 404, _MESSAGES[404])
    found = [(list(map(str, item["loc"])), told(item)) for item in error.errors()]
    problems = [{"field": ".".join(place), "reason": reason} for place, reason in found]
    listed = "; ".join(f"{'.'.join(place[1:] or place)}: {reason}" for place, reason in found)
    return _answer(request, 422, "The request is not valid: %(problems)s.", {"problems": listed}, errors=problems)


def _answer_failure(request: Request, error: Exception) -> Response:
    """Answer for a database or a disk that fails; a mistake of ours is raised again."""
    if is_no_text(error):
        return _answer_ours(request, NotFound(_MESSAGES[404]) if "\0" in request.scope["path"] else damaged())
    if (reason := reason_of(error)) is None:
        raise error
    log.error("%s %s was refused: %s", request.method, request.url.path, reason)
    if request.method in SAFE_METHODS or not is_of_disk(error):
        return _busy(request)
    message = (
        "Nothing can be saved at the moment: the disk of this site is full or may not be written to. "
        "Its operator has to see to it. Please try again later."
    )
    return _answer(request, 503, message, headers={"Retry-After": str(DISK_RETRY_AFTER_S)})


def _busy(request: Request) -> Response:
    message = "The library is busy or under repair. Please try again in a moment."
    return _answer(request, 503, message, headers={"Retry-After": str(RETRY_AFTER_S)})


def _failed(request: Request) -> Response:
    return _answer(request, 500, "Something went wrong on our side. The error has been logged.")


def _answer(
    request: Request,
    status: int,
    message: str,
    params: dict[str, object] | None = None,
    *,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> Response:
    text = translate(message, params)
    if _is_for_programs(request):
        return problem(status, text, headers, **({"errors": errors} if errors else {}))
    try:
        key_of(request)
    except (DatabaseError, NoConnection) as error:  # the page is for somebody who is not signed in, then
        log.warning("it is not known who reads: %s", reason_of(error) or error)
    query, hits = near(request) if status == 404 else (None, [])
    page = render(
        request,
        "error.html",
        status_code=status,
        status=status,
        headers=headers,
        heading=translate(_HEADINGS.get(status, http.HTTPStatus(status).phrase)),
        message=text,
        query=query,
        hits=hits,
        gone=request.path_params.get("slug") if status == 410 else None,
        typed=getattr(request.state, "typed", []) if status in RESENDABLE else [],
    )
    page.headers["Vary"] = VARY
    return page


def _is_for_programs(request: Request) -> bool:
    if "authorization" in request.headers:  # no browser's: a form to sign in with would help nobody
        return True
    path, accepted = request.url.path, request.headers.get("accept", "")
    is_asked_for = "application/json" in accepted and "text/html" not in accepted
    is_machine = path.startswith("/-/") and "text/html" not in accepted
    return is_asked_for or is_machine or path.startswith("/api/") or path == "/mcp" or path.endswith(".json")
