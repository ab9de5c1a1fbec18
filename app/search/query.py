"""What a person typed in the search box, taken apart. Every input is a query; none is a syntax error."""

import re
from dataclasses import dataclass

from app.content.language import simplest
from app.errors import InvalidInput
from app.search.analysis import Term, terms
from app.search.folding import fold

MAX_LENGTH = 4000  # characters; a longer text is no search
MAX_TERMS = 48  # distinct terms that take part; the rest of a longer question adds nothing but time
MAX_PHRASES = 4  # further ones are plain words
MAX_EXCLUDED = 8  # further ones are passed over
MAX_PHRASE_TERMS = 16
FLAG_LENGTH = 2  # letters after a minus that are an option of a command (`gunicorn -w 4`), not a word to leave out

_PART = re.compile(
    r"(?P<minus>(?<!\S)[-−－](?=[^\s\-−－]))?"
    r'(?:(?P<field>tag|lang|标签|语言)[:：](?P<value>[^\s"“”]+)|["“”](?P<phrase>[^"“”]*)["“”]?|(?P<plain>[^\s"“”]+))',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Word:
    """One term of the query."""

    term: str
    raw: str  # the text that it stems from, folded


@dataclass(frozen=True)
class Query:
    """The parts of a query; `phrases` are sequences of terms that must stand next to each other."""

    words: tuple[Word, ...]  # all but the excluded ones, in order, each as often as it was typed
    phrases: tuple[tuple[Term, ...], ...]
    excluded: tuple[tuple[Term, ...], ...]
    tags: tuple[str, ...]  # folded; an article has to have all of them
    langs: tuple[str, ...]  # an article has to be in one of them
    excluded_tags: tuple[str, ...]
    excluded_langs: tuple[str, ...]
    typed: str  # what was asked, without operators
    is_open: bool  # the last word may go on: nothing was typed behind it

    @property
    def terms(self) -> tuple[str, ...]:
        """The distinct terms, in order."""
        return tuple(dict.fromkeys(word.term for word in self.words))

    @property
    def is_filter(self) -> bool:
        """True when it narrows to topics or languages."""
        return bool(self.tags or self.langs or self.excluded_tags or self.excluded_langs)


def parse(text: str) -> Query:
    """Return the parts of `text`; raise InvalidInput when it is longer than MAX_LENGTH."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(
            "This search has %(length)s characters; the limit is %(limit)s. Keep the words that matter most.",
            length=len(text),
            limit=MAX_LENGTH,
        )
    words: list[Word] = []
    phrases: list[tuple[Term, ...]] = []
    excluded: list[tuple[Term, ...]] = []
    filters: dict[tuple[str, bool], list[str]] = {
        (name, is_excluded): [] for name in ("tag", "lang") for is_excluded in (False, True)
    }
    typed: list[str] = []
    is_open = False
    text = text.replace("\0", " ")
    for part in _PART.finditer(text):
        is_open = False
        if part["field"]:
            name = {"标签": "tag", "语言": "lang"}.get(part["field"], part["field"].lower())
            filters[name, bool(part["minus"])].append(_filter_value(name, part["value"]))
            continue
        is_phrase = part["phrase"] is not None
        content = part["phrase"] if is_phrase else part["plain"]
        folded = fold(content)
        found = tuple(terms(folded))
        if part["minus"] and not _is_flag(folded):
            if found and len(excluded) < MAX_EXCLUDED:
                excluded.append(found[:MAX_PHRASE_TERMS])
            continue
        typed.append(content)
        if not found:
            continue
        if is_phrase and len(phrases) < MAX_PHRASES:
            phrases.append(found[:MAX_PHRASE_TERMS])
        words += [Word(term.text, folded[term.start : term.end]) for term in found]
        is_open = not is_phrase and part.end() == len(text) and content[-1].isalnum()
    return Query(
        words=tuple(_bounded(words)),
        phrases=tuple(phrases),
        excluded=tuple(excluded),
        tags=tuple(filters["tag", False]),
        langs=tuple(filters["lang", False]),
        excluded_tags=tuple(filters["tag", True]),
        excluded_langs=tuple(filters["lang", True]),
        typed=" ".join(typed),
        is_open=is_open,
    )


def _filter_value(name: str, value: str) -> str:
    return fold(value) if name == "tag" else (simplest(value) or value).lower()


def _is_flag(folded: str) -> bool:
    return folded.isascii() and folded.isalnum() and len(folded) <= FLAG_LENGTH


def _bounded(words: list[Word]) -> list[Word]:
    seen: set[str] = set()
    kept = []
    for word in words:
        if word.term not in seen and len(seen) == MAX_TERMS:
            break
        seen.add(word.term)
        kept.append(word)
    return kept
