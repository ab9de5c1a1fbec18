"""What a person typed in the search box, taken apart. Every input is a query; none is a syntax error."""

import re
from dataclasses import dataclass

from app.errors import InvalidInput
from app.search.analysis import Term, terms
from app.search.folding import fold

MAX_LENGTH = 500  # characters
MAX_TERMS = 48  # distinct terms that take part; the rest of a longer question adds nothing but time
MAX_PHRASES = 4  # further ones are plain words
MAX_EXCLUDED = 8  # further ones are passed over
MAX_PHRASE_TERMS = 16

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
    tags: tuple[str, ...]
    langs: tuple[str, ...]
    typed: str  # what was asked, without operators
    is_open: bool  # the last word may go on: nothing was typed behind it

    @property
    def terms(self) -> tuple[str, ...]:
        """The distinct terms, in order."""
        return tuple(dict.fromkeys(word.term for word in self.words))

    @property
    def is_empty(self) -> bool:
        """True when nothing is asked for: no term and no filter."""
        return not (self.words or self.phrases or self.tags or self.langs)


def parse(text: str) -> Query:
    """Return the parts of `text`; raise InvalidInput when it is longer than MAX_LENGTH."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(
            "This search has %(length)s characters; at most %(limit)s are possible. Keep the words that matter most.",
            length=len(text),
            limit=MAX_LENGTH,
        )
    words: list[Word] = []
    phrases: list[tuple[Term, ...]] = []
    excluded: list[tuple[Term, ...]] = []
    fields: dict[str, list[str]] = {"tag": [], "lang": []}
    typed: list[str] = []
    text = text.replace("\0", " ")
    for part in _PART.finditer(text):
        if part["field"]:
            name = {"标签": "tag", "语言": "lang"}.get(part["field"], part["field"].lower())
            fields[name].append(part["value"].casefold())
            continue
        is_phrase = part["phrase"] is not None
        content = part["phrase"] if is_phrase else part["plain"]
        folded = fold(content)
        found = tuple(terms(folded))
        if not found:
            continue
        if part["minus"]:
            if len(excluded) < MAX_EXCLUDED:
                excluded.append(found[:MAX_PHRASE_TERMS])
            continue
        typed.append(content)
        if is_phrase and len(phrases) < MAX_PHRASES:
            phrases.append(found[:MAX_PHRASE_TERMS])
        words += [Word(term.text, folded[term.start : term.end]) for term in found]
    return Query(
        tuple(_bounded(words)),
        tuple(phrases),
        tuple(excluded),
        tuple(fields["tag"]),
        tuple(fields["lang"]),
        " ".join(typed),
        is_open=bool(words) and text[-1:].isalnum(),
    )


def _bounded(words: list[Word]) -> list[Word]:
    seen: set[str] = set()
    kept = []
    for word in words:
        if word.term not in seen and len(seen) == MAX_TERMS:
            break
        seen.add(word.term)
        kept.append(word)
    return kept
