"""The fields of the index."""

from dataclasses import dataclass
from typing import Any

from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, ID, KEYWORD, TEXT, Schema

from app.search import pinyin
from app.search.analysis import CharacterTokenizer, TermTokenizer

SCHEMA_VERSION = 6  # raise it with any change of fields or analysis: every index of another version is rebuilt

TEXT_FIELDS = ("title", "headings", "tags_text", "body")
CHARACTERS = "characters"
TITLE_CHARACTERS = "title_characters"
SYLLABLES = "syllables"
TITLE_SYLLABLES = "title_syllables"
INITIALS = "initials"

ARTICLE_COLUMN = NumericColumn("i")
REVISION_COLUMN = NumericColumn("i")

SCHEMA = Schema(
    id=ID(unique=True),
    article=COLUMN(ARTICLE_COLUMN),
    revision=COLUMN(REVISION_COLUMN),
    lang=KEYWORD(),
    tags=KEYWORD(commas=True),
    title=TEXT(TermTokenizer()),
    headings=TEXT(TermTokenizer()),
    tags_text=TEXT(TermTokenizer()),
    body=TEXT(TermTokenizer()),
    characters=TEXT(CharacterTokenizer(), phrase=False),
    title_characters=TEXT(CharacterTokenizer(), phrase=False),
    syllables=KEYWORD(),
    title_syllables=KEYWORD(),
    initials=KEYWORD(),
)


@dataclass(frozen=True)
class Entry:
    """What the index learns of one article."""

    article_id: int
    revision: int
    lang: str
    title: str
    tags: tuple[str, ...]
    headings: tuple[str, ...]
    text: str

    def fields(self) -> dict[str, Any]:
        """Return the index document, by field."""
        spoken = "\n".join((self.title, *self.tags, *self.headings))
        return {
            "id": str(self.article_id),
            "article": self.article_id,
            "revision": self.revision,
            "lang": " ".join(language_keys(self.lang)),
            "tags": ",".join(self.tags),
            "title": self.title,
            "headings": "\n".join(self.headings),
            "tags_text": " ".join(self.tags),
            "body": self.text,
            "characters": "\n".join((self.title, *self.tags, self.text)),
            "title_characters": self.title,
            "syllables": " ".join(sorted(pinyin.syllable_terms(spoken))),
            "title_syllables": " ".join(sorted(pinyin.syllable_terms(self.title))),
            "initials": " ".join(sorted(pinyin.initial_terms(self.title))),
        }


def language_keys(lang: str) -> list[str]:
    """Return what `lang` is found under: `zh-Hant` by `zh` and by `zh-hant`."""
    parts = lang.lower().split("-")
    return ["-".join(parts[: size + 1]) for size in range(len(parts))]
