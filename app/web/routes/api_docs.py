"""The page that explains the API, made from its OpenAPI description."""

from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from app.web.access import PUBLIC
from app.web.templating import render

router = APIRouter(include_in_schema=False, dependencies=[PUBLIC])


@router.get("/api/v1/docs")
def api_docs(request: Request) -> Response:
    """Explain every operation of the API."""
    app: FastAPI = request.app
    description = app.openapi()
    operations = [
        _operation(method, path, details, description)
        for path, methods in description["paths"].items()
        for method, details in methods.items()
    ]
    return render(request, "api_docs.html", operations=operations)


def _operation(method: str, path: str, details: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    answer = details["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return {
        "method": method.upper(),
        "path": path,
        "text": details.get("description", ""),
        "parameters": [
            {
                "name": parameter["name"],
                "type": _type(parameter["schema"]),
                "default": parameter["schema"].get("default", ""),
                "is_required": parameter.get("required", False),
            }
            for parameter in details.get("parameters", [])
        ],
        "fields": _fields(answer, description),
    }


def _fields(schema: dict[str, Any], description: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Return the names of all fields of an answer, those of inner objects with a dot, and their types."""
    schema = _resolved(schema, description)
    fields: list[tuple[str, str]] = []
    for name, field in schema.get("properties", {}).items():
        inner = _resolved(field.get("items", field), description)
        path = f"{before}{name}{'[]' if field.get('type') == 'array' else ''}"
        fields.append((path, _type(inner)))
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
    return str(schema.get("format") or schema.get("type") or "object")
