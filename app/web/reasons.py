"""What the framework finds wrong with a parameter or a field, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from app.web.language import translate

# By pydantic's names for it, with what it knows of it.
_REASONS = {
    "missing": "it is missing",
    "string_too_long": "at most %(max_length)s characters",
    "too_long": "at most %(max_length)s entries",
    "greater_than_equal": "at least %(ge)s",
    "less_than_equal": "at most %(le)s",
    "int_parsing": "a whole number is expected",
    "int_type": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "string_type": "a text is expected",
    "list_type": "a list is expected",
    "enum": "one of these is expected: %(expected)s",
    "model_attributes_type": "an object is expected",
    "dict_type": "an object is expected",
    "json_invalid": "this is not valid JSON",
}


def told(problem: Mapping[str, Any]) -> str:
    """Return what is wrong with one parameter or field, as pydantic has found it; in English where that is rare."""
    message = _REASONS.get(problem["type"])
    return translate(message, problem.get("ctx", {})) if message else str(problem["msg"])
