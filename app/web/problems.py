"""Errors as programs get them: problem documents (RFC 9457)."""

import http
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

MEDIA_TYPE = "application/problem+json"
VARY = "Accept, Accept-Language, Cookie"  # of every error: a program gets another body than a reader


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="Always about:blank: the status says what kind of problem it is.")
    title: str = Field(description="The name of the status.", examples=["Not Found"])
    status: int = Field(description="The status of the response.", examples=[404])
    detail: str = Field(
        description="A sentence for people, in the language of Accept-Language.",
        examples=["There is no question at this address."],
    )


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """Return the problem document; `more` are further members of it."""
    told = Problem(title=http.HTTPStatus(status).phrase, status=status, detail=detail, **more)
    headers = {"Vary": VARY} | (headers or {})
    return JSONResponse(told.model_dump(), status, headers, media_type=MEDIA_TYPE)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what an operation's description says of the errors with these statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


_MEANINGS = {
    400: "A parameter or the body cannot be used; `detail` says why.",
    401: "A token is needed: `Authorization: Bearer …`, made by `omniracle token create`.",
    403: "The account of the token may not do this.",
    404: "There is nothing at this address.",
    410: "The question was deleted.",
    412: "The same place was changed meanwhile: `yours`, `theirs` and `revision` hold both texts. "
    "Or there is no such revision: `revision` is the newest.",
    413: "The request is larger than the site takes; `detail` names the limit.",
    415: "The body is no JSON by its `Content-Type`.",
    422: "A parameter or a field has the wrong type; `errors` names each.",
    428: "`If-Match` is missing.",
    429: "Too many requests; `Retry-After` says when to go on.",
    503: "The library is busy; `Retry-After` says when to try again.",
}
