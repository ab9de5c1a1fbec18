"""Sending again only what has changed (RFC 9110, 13.1.2)."""

import hashlib
import re

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

KEPT_HEADERS = ("cache-control", "content-language", "content-location", "etag", "expires", "vary")  # of a 304
_REVISIONS = re.compile(r'"(\d{1,9})(?:-[^"]*)?"')  # the digest is for readers
_TAGS = re.compile(r'(?:W/)?"[^"]*"')


def unless_known(request: Request, response: Response) -> Response:
    """Return `response`, or a 304 where If-None-Match names its ETag, which is made where there is none."""
    if "etag" not in response.headers:
        response.headers["ETag"] = etag_of(bytes(response.body))
    if not knows(request, response.headers["ETag"]):
        return response
    kept = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
    return Response(status_code=304, headers=kept)


def json_unless_known(request: Request, model: BaseModel) -> Response:
    """Return `model` as JSON, or a 304 to who has it."""
    return unless_known(request, JSONResponse(model.model_dump(mode="json")))


def etag_of(body: bytes, revision: int | None = None) -> str:
    """Return an ETag that changes with the body; that of a question begins with the revision, for If-Match."""
    digest = hashlib.sha256(body).hexdigest()[:20]
    return f'"{digest}"' if revision is None else f'"{revision}-{digest}"'


def named_revision(if_match: str, newest: int) -> int | None:
    """Return the revision that If-Match names, of several the last, `newest` for `*`; None where there is no such."""
    if if_match.strip() == "*":
        return newest
    named = map(int, _REVISIONS.findall(if_match))
    return max((number for number in named if 0 < number <= newest), default=None)


def knows(request: Request, etag: str) -> bool:
    """Say whether If-None-Match names this ETag: then the client has what it stands for."""
    known = request.headers.get("if-none-match", "")
    return known.strip() == "*" or _weak(etag) in map(_weak, _TAGS.findall(known))


def _weak(tag: str) -> str:
    return tag.removeprefix("W/")
