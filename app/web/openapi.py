"""The API's description (OpenAPI): what FastAPI finds in the routes, and what it cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.web.problems import Problem

DESCRIPTION = """\
Everything that readers see, as JSON, and a way to contribute.

Reading needs no account. Writing needs a token (`omniracle token create EMAIL`), sent as `Authorization: Bearer …`.
Questions, lists, topics and histories have an `ETag`: send it as `If-None-Match` to get a 304 when nothing has changed.
The ETag of a question begins with its revision, as in `"3-…"`; a change names one of the two with `If-Match`.
Errors are problem documents (RFC 9457). A method that an address does not take is a 405, with `Allow`.
"""
TAGS = [
    {"name": "questions", "description": "Finding and reading."},
    {"name": "library", "description": "Topics, histories, and what is wanted."},
    {"name": "contributions", "description": "Writing; a token is needed."},
]

KNOWN: dict[int | str, dict[str, Any]] = {304: {"description": "What `If-None-Match` names is still what there is."}}
MOVED: dict[int | str, dict[str, Any]] = {301: {"description": "The slug is a former one: go on at `Location`."}}
_HEADERS = {
    "Accept": "What can be sent here.",
    "ETag": "Stands for this answer, byte for byte.",
    "Location": "Where it is.",
    "Retry-After": "In how many seconds to try again.",
    "WWW-Authenticate": "How to say who you are: `Bearer`.",
    "X-Served-By": "The number of the process that answers.",
}
_SENT_WITH = {
    "301": ("Location",),
    "304": ("ETag",),
    "401": ("WWW-Authenticate",),
    "415": ("Accept",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}


def describe(app: FastAPI) -> None:
    """Let `app.openapi()` return the whole description; it is made when it is asked for first."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _description(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the description


def _description(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes, tags=TAGS
    )  # fmt: skip
    components = found["components"]
    components["schemas"]["Problem"] = Problem.model_json_schema()
    components["headers"] = {
        name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in _HEADERS.items()
    }
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for methods in found["paths"].values():
        for operation in methods.values():
            if "contributions" in operation["tags"]:
                operation["security"] = [{"token": []}]
            for each in operation.get("parameters", ()):
                if (
                    each["schema"].get("type") == "integer" and "default" in each["schema"]
                ):  # read as a text, so that a wrong one gets a page
                    each["schema"]["default"] = int(each["schema"]["default"])
            for status, response in operation["responses"].items():
                sent = (*_headers_of_success(status, operation), *_SENT_WITH.get(status, ()), "X-Served-By")
                response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in sent}
    return found


def _headers_of_success(status: str, operation: dict[str, Any]) -> tuple[str, ...]:
    if status not in ("200", "201"):
        return ()
    if "security" in operation:
        return "ETag", "Location"
    return ("ETag",) if "304" in operation["responses"] else ()
