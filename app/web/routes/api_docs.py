"""The page that explains the API, made from its OpenAPI description."""

import json
import re
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from markupsafe import Markup
from starlette.responses import Response

from app.web.access import PUBLIC
from app.web.templating import base_url, render, with_code

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])


@router.get("/api/v1/docs")
def api_docs(request: Request) -> Response:
    """Explain every operation of the API."""
    app: FastAPI = request.app
    description = app.openapi()
    site = base_url(request)
    operations = [
        _operation(method, path, details, description, site)
        for path, methods in description["paths"].items()
        for method, details in methods.items()
    ]
    groups = [
        (tag["name"], [operation for operation in operations if operation["tag"] == tag["name"]])
        for tag in description["tags"]
    ]
    introduction = [with_code(paragraph) for paragraph in description["info"]["description"].split("\n\n")]
    return render(request, "api_docs.html", groups=groups, introduction=introduction)


def _operation(
    method: str, path: str, details: dict[str, Any], description: dict[str, Any], site: str
) -> dict[str, Any]:
    body = _schema(details.get("requestBody", {}), description)
    answer = next(
        (_schema(told, description) for status, told in details["responses"].items() if status in ("200", "201")), {}
    )
    return {
        "tag": details["tags"][0],
        "id": details["operationId"],
        "method": method.upper(),
        "path": path,
        "text": [with_code(paragraph) for paragraph in details["description"].split("\n\n")],
        "parameters": [
            (
                parameter["name"],
                _type(parameter["schema"]),
                parameter["schema"].get("default", ""),
                with_code(parameter.get("description", "")),
            )
            for parameter in details.get("parameters", [])
        ],
        "fields": _fields(answer, description),
        "body_fields": _fields(body, description),
        "request": _request(method, path, details, body, site),
        "answer": json.dumps(answer.get("example"), indent=2, ensure_ascii=False),
        "statuses": [
            (status, with_code(told["description"]))
            for status, told in sorted(details["responses"].items())
            if status not in ("200", "201")
        ],
    }


def _request(method: str, path: str, details: dict[str, Any], body: dict[str, Any], site: str) -> str:
    """Return the command that tries the operation."""
    examples = {"slug": "why-does-bread-need-salt", "number": "3", "q": "bread salt"}
    named = re.sub(r"{(\w+)}", lambda found: examples[found[1]], path)
    is_asked = any(parameter["name"] == "q" for parameter in details.get("parameters", []))
    lines = [f"curl --get --data-urlencode 'q={examples['q']}'" if is_asked else "curl"]
    if "security" in details:
        lines[0] += f" -X {method.upper()}"
        lines += ['-H "Authorization: Bearer $TOKEN"', '-H "Content-Type: application/json"']
    if method == "put":
        lines.append("-H 'If-Match: \"3\"'")
    if body:
        lines.append(f"-d '{json.dumps(body['example'], ensure_ascii=False)}'")
    return " \\\n  ".join([*lines, f"{site}{named}"])


def _schema(told: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    return _resolved(told.get("content", {}).get("application/json", {}).get("schema", {}), description)


def _fields(schema: dict[str, Any], description: dict[str, Any], before: str = "") -> list[tuple[str, str, Markup]]:
    """Return the name, type and meaning of all fields of an object, those of inner objects with a dot."""
    schema = _resolved(schema, description)
    fields: list[tuple[str, str, Markup]] = []
    for name, field in schema.get("properties", {}).items():
        listed = next((part for part in field.get("anyOf", []) if part.get("type") == "array"), field)
        inner = _resolved(listed.get("items", listed), description)
        path = f"{before}{name}{'[]' if 'items' in listed else ''}"
        fields.append((path, _type(inner), with_code(field.get("description", ""))))
        fields += _fields(inner, description, f"{path}.")
    return fields


def _resolved(schema: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    name = schema["$ref"].rpartition("/")[2]
    resolved: dict[str, Any] = description["components"]["schemas"][name]
    return resolved


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(schema["enum"])
    return str(schema.get("format") or schema.get("type") or "object")
