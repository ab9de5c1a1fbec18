"""The fields of the index."""

from dataclasses import dataclass
from typing import Any

from whoosh.fields import ID, KEYWORD, TEXT, Schema

from app.search.analysis import CharacterTokenizer, TermTokenizer

SCHEMA_VERSION = 1  # raise it with any change of fields or analysis: every index of another version is rebuilt

TEXT_FIELDS = ("title", "headings", "tags_text", "body")
CHARACTERS = "characters"

SCHEMA = Schema(
    id=ID(stored=True, unique=True),
    lang=KEYWORD(),
    tags=KEYWORD(commas=True),
    title=TEXT(TermTokenizer()),
    headings=TEXT(TermTokenizer()),
    tags_text=TEXT(TermTokenizer()),
    body=TEXT(TermTokenizer()),
    characters=TEXT(CharacterTokenizer(), phrase=False),
)


@dataclass(frozen=True)
class Entry:
    """What the index learns of one article."""

    article_id: int
    lang: str
    title: str
    tags: tuple[str, ...]
    headings: tuple[str, ...]
    text: str

    def fields(self) -> dict[str, Any]:
        """Return the index document, by field."""
        return {
            "id": str(self.article_id),
            "lang": " ".join(language_keys(self.lang)),
            "tags": ",".join(self.tags),
            "title": self.title,
            "headings": "\n".join(self.headings),
            "tags_text": " ".join(self.tags),
            "body": self.text,
            "characters": "\n".join((self.title, *self.tags, self.text)),
        }


def language_keys(lang: str) -> list[str]:
    """Return what `lang` is found under: `zh-Hant` by `zh` and by `zh-hant`."""
    parts = lang.lower().split("-")
    return ["-".join(parts[: size + 1]) for size in range(len(parts))]
