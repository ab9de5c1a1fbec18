"""What an article is found by, as PostgreSQL's text search keeps it: lexemes with places, each of one of four classes.

The lexemes are our analyzer's terms, not those of PostgreSQL's parser. Classes A to D are the title, the headings, the
tags and the body. What is in fields of its own in the Whoosh index has a sign before it that no term begins with.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.search import pinyin
from app.search.analysis import characters, terms
from app.search.folding import fold
from app.search.plan import TEXT, TITLE_FIELDS, WORD, Alternative, Slot
from app.search.schema import CHARACTERS, INITIALS, SYLLABLES, Entry, language_keys
from app.search.vocabulary import words_of

TITLE, HEADINGS, TAGS, BODY = "A", "B", "C", "D"
SIGNS = {CHARACTERS: ".", SYLLABLES: "~", INITIALS: "^", **dict.fromkeys((TEXT, "title", "headings", "body"), "")}
SIGNS |= {in_titles: SIGNS[field] for field, in_titles in TITLE_FIELDS.items()}
LANGUAGE, TAG = "@", "#"
LONGEST_NAME = 200  # characters; a lexeme may have 2,046 bytes
LAST_PLACE = 16383  # that a tsvector knows; whatever comes later stands there
MOST_PLACES = 255  # of one lexeme
MOST_BYTES = 900_000  # a tsvector may have 1 MB
APART = 16  # places between two fields: no phrase reaches from one into the next

Vector = dict[str, str]  # the places of each lexeme, as they are written in a tsvector


@dataclass(frozen=True)
class Row:
    """An article's row in the index."""

    article_id: int
    revision: int
    lang: str
    tags: list[str]
    lengths: tuple[int, int, int, int]  # in terms: title, headings, tags, body
    everything: Vector
    names: Vector  # of the title and the headings alone
    words: set[str]
    title_words: set[str]  # in title, headings or tags

    @property
    def counts(self) -> Iterable[tuple[str, int, int]]:
        """Each lexeme, and whether it stands in the body and in the title (1 or 0)."""
        return ((lexeme, int(_is_in_body(places)), int(TITLE in places)) for lexeme, places in self.everything.items())


def row_of(entry: Entry) -> Row:
    """Return the row of an article."""
    places: dict[str, list[str]] = {}
    lengths = []
    start = 1
    size = 0
    for text, kind in (
        (entry.title, TITLE),
        ("\n".join(entry.headings), HEADINGS),
        (" ".join(entry.tags), TAGS),
        (entry.text, ""),  # D is not written
    ):
        length = last = 0
        for term in terms(fold(text)):
            length, last = length + 1, term.position
            known = places.get(term.text)
            if known is None:
                size += len(term.text.encode()) + 4
                if size > MOST_BYTES:
                    continue
                known = places[term.text] = []
            if len(known) < MOST_PLACES and size <= MOST_BYTES:
                known.append(f"{min(LAST_PLACE, start + term.position)}{kind}")
                size += 2
        lengths.append(length)
        start += last + APART
    spoken = "\n".join((entry.title, *entry.tags, *entry.headings))
    titled = _signed(entry.title, entry.title, entry.title)
    everything = {lexeme: ",".join(where) for lexeme, where in places.items()}
    everything |= dict.fromkeys(_signed("\n".join((entry.title, *entry.tags, entry.text)), spoken, ""), "1")
    everything |= dict.fromkeys(titled, "1A")
    everything |= dict.fromkeys([*map(language, language_keys(entry.lang)), *map(tag, map(fold, entry.tags))], "1")
    names = {lexeme: where for lexeme, where in everything.items() if TITLE in where or HEADINGS in where}
    title_words = words_of("\n".join((entry.title, *entry.headings, *entry.tags)))
    return Row(
        article_id=entry.article_id,
        revision=entry.revision,
        lang=entry.lang.lower(),
        tags=list(entry.tags),
        lengths=(lengths[0], lengths[1], lengths[2], lengths[3]),
        everything=everything,
        names=names,
        words=words_of(entry.text) | title_words,
        title_words=title_words,
    )


def lexeme(field: str, term: str) -> str:
    """Return what a term of one of the index's fields is kept as."""
    return SIGNS[field] + term


def lexemes_of(alternative: Alternative) -> list[str]:
    """Return what an alternative is looked up by: one lexeme, or several which all have to be there."""
    if alternative.field == WORD:
        return alternative.term.split()
    return [lexeme(alternative.field, alternative.term)]


def language(key: str) -> str:
    """Return what an article in this language is found by."""
    return LANGUAGE + key[:LONGEST_NAME]


def tag(folded: str) -> str:
    """Return what an article with this tag is found by."""
    return TAG + folded[:LONGEST_NAME]


def quoted(lexeme: str) -> str:
    """Return a lexeme as it is written in a tsvector or a tsquery."""
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def written(vector: Vector) -> str:
    """Return a vector as PostgreSQL reads it."""
    return " ".join(f"{quoted(lexeme)}:{places}" for lexeme, places in vector.items())


def query_of(slot: Slot, kind: str = "") -> str:
    """Return the query for what has one of a slot's alternatives, in one class alone where one is named."""
    suffix = f":{kind}" if kind else ""
    each_of = (" & ".join(quoted(lexeme) + suffix for lexeme in lexemes_of(each)) for each in slot.alternatives)
    return "(" + " | ".join(f"({each})" for each in each_of) + ")"


def phrase(lexemes: Sequence[str]) -> str:
    """Return a query for lexemes that stand one after the other."""
    return "(" + " <-> ".join(map(quoted, lexemes)) + ")"


def places_in(text: str, lexeme: str, kind: str) -> list[int]:
    """Return where in a vector, as PostgreSQL writes it, a lexeme stands in one class; in order."""
    # In a lexeme a quote is always doubled: a single one after a space begins one.
    _, found, rest = f" {text}".partition(f" {quoted(lexeme)}:")
    places = rest.split(" ", maxsplit=1)[0].split(",") if found else []
    return [int(place.rstrip("ABC")) for place in places if (place[-1] if place[-1] in "ABC" else BODY) == kind]


def _signed(characters_of: str, spoken: str, initials_of: str) -> list[str]:
    return [
        *(SIGNS[CHARACTERS] + each for each in characters(fold(characters_of))),
        *(SIGNS[SYLLABLES] + each for each in pinyin.syllable_terms(spoken)),
        *(SIGNS[INITIALS] + each for each in pinyin.initial_terms(initials_of)),
    ]


def _is_in_body(places: str) -> bool:
    return re.search(r"\d(,|$)", places) is not None
