"""Foreign Markdown, whatever its dialect and encoding, turned into the site's own format."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml
from charset_normalizer import from_bytes

from app.content import front_matter, language
from app.content.document import MAX_TITLE, Document, DocumentError, normalised_tag, parse_document
from app.content.slugs import default_slug


@dataclass(frozen=True)
class Foreign:
    """A foreign file in the site's format, and what had to be changed on the way."""

    source: str
    document: Document
    notes: tuple[str, ...]


def read_foreign(raw: bytes, path: PurePosixPath, lang: str | None) -> Foreign:
    """Return the file's bytes as a document; raise DocumentError only when they are no text."""
    notes: list[str] = []
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "", _decoded(raw, notes))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head, body, kind = front_matter.split(text)
    values: dict[str, Any] = {}
    if head is not None and kind is not None:
        try:
            values = dict(front_matter.parse(head, kind))
        except front_matter.FrontMatterError as error:
            body = text
            notes.append(str(error))
    heading = re.search(r"^# +(.+?)[ #]*$", body, re.MULTILINE)
    title = str(values.get("title") or (heading[1] if heading else path.stem)).replace("\n", " ").strip()[:MAX_TITLE]
    tags = [tag for tag in [normalised_tag(path.parts[0])] if len(path.parts) > 1 and tag]
    out: dict[str, Any] = {
        "title": title or "Untitled",
        "lang": lang or language.detect(body),
        "tags": tags,
    }
    source = f"---\n{yaml.safe_dump(out, allow_unicode=True, sort_keys=False)}---\n\n{body}"
    return Foreign(source, parse_document(source, default_slug=default_slug(path)), tuple(notes))


def _decoded(raw: bytes, notes: list[str]) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        best = from_bytes(raw).best()
        if best is None:
            raise DocumentError("is no text") from None
        notes.append(f"was read as {best.encoding}")
        return str(best)
