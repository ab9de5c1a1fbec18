"""Writes the tables of configuration.md from the settings in app/config.py. Usage: generate.py (`make docs`)."""

from pathlib import Path
from typing import Any

from app.config import SECRETS, Group

CONFIGURATION = Path(__file__).parent / "configuration.md"
BEGIN = "<!-- From here to the next mark `make docs` writes what stands in app/config.py. -->\n"
END = "<!-- Here it ends. -->\n"


def main() -> None:
    """Write configuration.md anew; what is written by hand around the marks stays."""
    CONFIGURATION.write_text(with_tables(CONFIGURATION.read_text(encoding="utf-8")), encoding="utf-8")


def with_tables(text: str) -> str:
    """Return the document with the tables of today between its marks; raise ValueError when it has none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{CONFIGURATION.name} has lost its marks: {BEGIN.strip()} and {END.strip()}")
    return before + begin + "".join(map(_section, Group.__subclasses__())) + "\n" + end + after


def _section(group: type[Group]) -> str:
    heading = (group.__doc__ or "").rstrip(".")
    rows = [_row(name, schema) for name, schema in group.model_json_schema()["properties"].items()]
    return f"\n### {heading}\n\n| Name | Default | Takes | Meaning |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _row(name: str, schema: dict[str, Any]) -> str:
    default = schema.get("default")
    shown = "" if default is None else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
    kind = next((each for each in schema.get("anyOf", ()) if each["type"] != "null"), schema)
    secret = f" Secret: also as `{name}_FILE`." if name in SECRETS else ""
    return f"| `{name}` | {shown} | {_takes(kind)} | {schema['description']}{secret} |\n"


def _takes(kind: dict[str, Any]) -> str:
    """Say what a setting takes, from its JSON schema."""
    if "enum" in kind:
        *others, last = (f"`{choice}`" for choice in kind["enum"])
        return f"{', '.join(others)} or {last}"
    names = {"integer": "whole number", "number": "number", "path": "path", "uri": "address", "string": "text"}
    name = names[kind.get("format", kind["type"])]
    unit = " characters" if kind["type"] == "string" else ""
    least, most = kind.get("minimum", kind.get("minLength")), kind.get("maximum", kind.get("maxLength"))
    if least is not None and most is not None:
        return f"{name}, {least} to {most}{unit}"
    if least is not None:
        return f"{name}, {least}{unit} or more"
    return name if most is None else f"{name}, at most {most}{unit}"


if __name__ == "__main__":
    main()
