"""From a source to the fields of a form and back; what a field does not touch stays as it was written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.content import front_matter
from app.content.blocks import blocks
from app.content.document import KEYS, Document, Resource, parse_document
from app.errors import InvalidInput

_TOP_KEY = re.compile(r"""(["']?)([^\s"'#\-][^:"']*)\1\s*:(?:\s|$)""")


@dataclass(frozen=True)
class Fields:
    """What a person edits."""

    title: str
    lang: str
    body: str
    tags: tuple[str, ...] = ()
    resources: tuple[Resource, ...] = ()
    more: tuple[Resource, ...] = ()


def fields_of(source: str) -> Fields:
    """Return the fields of a source; raise DocumentError for one that does not keep to the format."""
    document = parse_document(source, default_slug="")
    return Fields(document.title, document.lang, document.body, document.tags, document.resources, document.more)


def new_source(fields: Fields, more: Mapping[str, Any] | None = None) -> str:
    """Return the source of a new article with these fields; `more` are further front-matter keys."""
    own = {name: value for name, value in _values(fields).items() if value != []}
    head = "".join(_key(name, value) for name, value in (own | dict(more or {})).items())
    return f"---\n{head}---\n\n{_ended(fields.body)}"


def changed_source(source: str, fields: Fields) -> str:
    """Return `source` with these fields; all else of it, comments and unknown keys too, stays character for character.

    Raises DocumentError for a source that does not keep to the format.
    """
    document = parse_document(source, default_slug="")
    before, wanted = _values(_fields(document)), _values(fields)
    changes = {name: value for name, value in wanted.items() if _spaced(value) != _spaced(before[name])}
    raw, body, kind = front_matter.split(source)
    head = source[: len(source) - len(body)]
    if changes and raw is not None:
        head = _changed_head(head, changes) if kind == "yaml" else ""
        if not _has(head + body, fields):  # TOML, a mapping on one line, or another hand's way of writing
            return new_source(fields, _others(raw, kind))
    if fields.body != document.body:
        line_end = "\r\n" if "\r\n" in body else "\n"
        start = re.match(r"(?:[ \t]*\r?\n)*", body)
        body = (start[0] if start else "") + _ended(fields.body).replace("\n", line_end)
    return head + body


def _changed_head(head: str, changes: Mapping[str, Any]) -> str:
    """Return the front matter with some keys' lines written anew; keys that were not there come last."""
    kept: list[str] = []
    missing = dict(changes)
    inside: str | None = None  # the key whose lines these are
    for block in blocks(head):
        key = _TOP_KEY.match(block)
        if key or block.startswith("#") or block.rstrip() in ("---", "..."):
            inside = key[2].strip() if key else None
            if inside in missing:
                kept.append(_key(inside, missing.pop(inside)))
        if inside not in changes:
            kept.append(block)
    closing = kept.pop()
    return "".join((*kept, *(_key(name, value) for name, value in missing.items()), closing))


def _values(fields: Fields) -> dict[str, Any]:
    return {
        "title": fields.title,
        "lang": fields.lang,
        "tags": list(fields.tags),
        "resources": [_card(card) for card in fields.resources],
        "more": [_card(card) for card in fields.more],
    }


def _spaced(value: Any) -> Any:
    """Return a value with its spaces as a form shows them: a change of these alone is none."""
    if isinstance(value, list):
        return [_spaced(item) for item in value]
    if isinstance(value, dict):
        return {name: _spaced(item) for name, item in value.items()}
    return " ".join(value.split())


def _fields(document: Document) -> Fields:
    return Fields(document.title, document.lang, document.body, document.tags, document.resources, document.more)


def _card(card: Resource) -> dict[str, str]:
    values = {
        "url": card.url,
        "title": card.title,
        "description": card.description,
        "site": card.site,
        "archive": card.archive,
    }
    return {name: value for name, value in values.items() if value}


def _key(name: str, value: Any) -> str:
    """Return the lines of one key; nothing for an edited list that is empty."""
    if value == [] and name in ("tags", "resources", "more"):
        return ""
    if name == "tags":
        return f"tags: {front_matter.dumped(value, on_one_line=True)}"
    return front_matter.dumped({name: value})


def _has(source: str, fields: Fields) -> bool:
    try:
        found = parse_document(source, default_slug="")
    except InvalidInput:
        return False
    return bool(_spaced(list(_values(_fields(found)).values())) == _spaced(list(_values(fields).values())))


def _others(raw: str, kind: Any) -> dict[str, Any]:
    """Return the front matter's values beside those that a form edits."""
    edited = _values(Fields("", "", "")).keys()
    values = front_matter.parse(raw, kind)
    known = {name: values[name] for name in KEYS if name in values and name not in edited}
    return known | {name: value for name, value in values.items() if name not in KEYS}


def _ended(body: str) -> str:
    return body.rstrip("\n") + "\n"
