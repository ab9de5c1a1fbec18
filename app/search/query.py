"""What a person typed in the search box, taken apart. Every input is a query; none is a syntax error."""

import re
from dataclasses import dataclass

from app.errors import InvalidInput
from app.search.analysis import Term, terms
from app.search.folding import fold

MAX_LENGTH = 500  # characters
MAX_TERMS = 48  # distinct terms that take part; the rest of a longer question adds nothing but time

_PART = re.compile(
    r'(?P<minus>(?<!\S)[-−－](?=\S))?(?:(?P<field>tag|lang|标签|语言)[:：](?P<value>[^\s"“”]+)|["“”](?P<phrase>[^"“”]*)["“”]?|(?P<plain>[^\s"“”]+))',
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Query:
    """The parts of a query; `phrases` are sequences of terms that must stand next to each other."""

    terms: tuple[str, ...]
    phrases: tuple[tuple[Term, ...], ...]
    excluded: tuple[tuple[Term, ...], ...]
    tags: tuple[str, ...]
    langs: tuple[str, ...]
    words: tuple[str, ...]  # as typed, without operators; for marking and for what was folded

    @property
    def is_empty(self) -> bool:
        """True when nothing is asked for: no term and no filter."""
        return not (self.terms or self.phrases or self.tags or self.langs)


def parse(text: str) -> Query:
    """Return the parts of `text`; raise InvalidInput when it is longer than MAX_LENGTH."""
    if len(text) > MAX_LENGTH:
        raise InvalidInput(
            "This search has %(length)s characters; at most %(limit)s are possible. Keep the words that matter most.",
            length=len(text),
            limit=MAX_LENGTH,
        )
    found: dict[str, None] = {}
    phrases: list[tuple[Term, ...]] = []
    excluded: list[tuple[Term, ...]] = []
    fields: dict[str, list[str]] = {"tag": [], "lang": []}
    words: list[str] = []
    for part in _PART.finditer(text.replace("\0", " ")):
        if part["field"]:
            name = {"标签": "tag", "语言": "lang"}.get(part["field"], part["field"].lower())
            fields[name].append(part["value"].casefold())
            continue
        content = part["phrase"] if part["phrase"] is not None else part["plain"]
        parsed = tuple(terms(fold(content)))
        if not parsed:
            continue
        if part["minus"]:
            excluded.append(parsed)
            continue
        words.append(content)
        if part["phrase"] is not None:
            phrases.append(parsed)
        found.update(dict.fromkeys(term.text for term in parsed))
    return Query(
        tuple(found)[:MAX_TERMS],
        tuple(phrases),
        tuple(excluded),
        tuple(fields["tag"]),
        tuple(fields["lang"]),
        tuple(words),
    )
